//! The item of an export. Its key is `<tenant>#<export id>`: no part can hold a `#`.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use domain::export::{Export, Format, Progress, Selection, State, Upload, Written};
use domain::id::{CustomerId, ExportId, TenantId};
use domain::listing::{Filter, Position};
use domain::ports::StoreError;
use domain::status::Status;
use domain::timestamp::Timestamp;
use serde::{Deserialize, Serialize};

use crate::store::{parse_place, place};

/// The table's key.
pub(super) const KEY: &str = "pk";

#[derive(Serialize, Deserialize)]
struct Record {
    pk: String,
    /// The revision.
    n: u64,
    /// The name of the format.
    f: String,
    /// Only orders of this status.
    #[serde(skip_serializing_if = "Option::is_none")]
    fs: Option<String>,
    /// Only orders of this customer.
    #[serde(skip_serializing_if = "Option::is_none")]
    fc: Option<String>,
    /// Only orders created later, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    fa: Option<i64>,
    /// Only orders created earlier.
    #[serde(skip_serializing_if = "Option::is_none")]
    fb: Option<i64>,
    /// When it was asked for, in milliseconds.
    c: i64,
    /// When it was saved last.
    u: i64,
    /// When it is forgotten, in seconds.
    ttl: i64,
    /// How many orders, bytes and unreadable orders there are.
    w: (u64, u64, u64),
    /// `r` running, `s` succeeded, `f` failed.
    s: String,
    /// Where the next writer goes on; there while it is running.
    #[serde(skip_serializing_if = "Option::is_none")]
    p: Option<ProgressRecord>,
    /// Its storefront, there while it runs: by-storefront holds such items alone, and takes no write of a step between.
    #[serde(skip_serializing_if = "Option::is_none")]
    g: Option<String>,
    /// There while it waits for a turn: the stream calls a writer for such items alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    t: Option<u8>,
}

#[derive(Serialize, Deserialize)]
struct ProgressRecord {
    /// The place of the last order that was read.
    #[serde(skip_serializing_if = "Option::is_none")]
    a: Option<String>,
    /// Whether every order was read.
    e: bool,
    /// The upload and the tags of its parts.
    #[serde(skip_serializing_if = "Option::is_none")]
    u: Option<(String, Vec<String>)>,
    /// How often it began anew.
    r: u32,
    /// How often its next step failed.
    t: u32,
}

pub(super) fn key(tenant: &TenantId, id: ExportId) -> String {
    format!("{tenant}#{id}")
}

/// The export that a key names.
pub(super) fn parse_key(key: &str) -> Option<(TenantId, ExportId)> {
    let (tenant, id) = key.split_once('#')?;
    Some((TenantId::restore(tenant), ExportId::parse(id).ok()?))
}

/// The item of an export.
pub(super) fn of(export: &Export) -> Result<HashMap<String, AttributeValue>, StoreError> {
    let Selection { filter, created_after, created_before } = &export.selection;
    let (fs, fc) = match filter {
        Filter::All => (None, None),
        Filter::Status(status) => (Some(status.to_string()), None),
        Filter::Customer(customer) => (None, Some(customer.to_string())),
    };
    let (s, p) = match &export.state {
        State::Running(progress) => ("r", Some(progress)),
        State::Succeeded => ("s", None),
        State::Failed => ("f", None),
    };
    let record = Record {
        pk: key(&export.tenant, export.id),
        n: export.revision,
        f: export.format.as_str().to_owned(),
        fs,
        fc,
        fa: created_after.map(Timestamp::as_millis),
        fb: created_before.map(Timestamp::as_millis),
        c: export.created_at.as_millis(),
        u: export.updated_at.as_millis(),
        ttl: export.expires_at().as_secs(),
        w: (export.written.orders, export.written.bytes, export.written.unreadable),
        s: s.to_owned(),
        g: p.map(|_| export.tenant.to_string()),
        t: p.filter(|progress| progress.is_waiting).map(|_| 1),
        p: p.map(Into::into),
    };
    serde_dynamo::to_item(record).map_err(|error| StoreError::Rejected(error.to_string()))
}

impl From<&Progress> for ProgressRecord {
    fn from(progress: &Progress) -> Self {
        Self {
            a: progress.after.map(place),
            e: progress.is_whole,
            u: progress.upload.as_ref().map(|upload| (upload.id.clone(), upload.parts.clone())),
            r: progress.restarts,
            t: progress.attempts,
        }
    }
}

/// The export of an item.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub(super) fn read(item: HashMap<String, AttributeValue>) -> Result<Export, StoreError> {
    let record: Record = serde_dynamo::from_item(item).map_err(|error| corrupt(&error.to_string()))?;
    let (tenant, id) = parse_key(&record.pk).ok_or_else(|| corrupt("its key"))?;
    let filter = match (record.fs, record.fc) {
        (Some(status), _) => Filter::Status(Status::restore(&status)),
        (None, Some(customer)) => Filter::Customer(CustomerId::restore(customer)),
        (None, None) => Filter::All,
    };
    let state = match (record.s.as_str(), record.p) {
        ("r", Some(progress)) => State::Running(progress.read(record.t.is_some())?),
        ("s", _) => State::Succeeded,
        ("f", _) => State::Failed,
        _ => return Err(corrupt("its state")),
    };
    let (orders, bytes, unreadable) = record.w;
    let created_after = record.fa.map(Timestamp::from_millis);
    let created_before = record.fb.map(Timestamp::from_millis);
    Ok(Export {
        tenant,
        id,
        format: Format::parse(&record.f).map_err(|_| corrupt("its format"))?,
        selection: Selection { filter, created_after, created_before },
        state,
        written: Written { orders, bytes, unreadable },
        created_at: Timestamp::from_millis(record.c),
        updated_at: Timestamp::from_millis(record.u),
        revision: record.n,
    })
}

impl ProgressRecord {
    fn read(self, is_waiting: bool) -> Result<Progress, StoreError> {
        let after: Option<Option<Position>> = self.a.as_deref().map(parse_place);
        let after = after.map(|place| place.ok_or_else(|| corrupt("its place"))).transpose()?;
        let upload = self.u.map(|(id, parts)| Upload { id, parts });
        Ok(Progress { is_waiting, after, is_whole: self.e, upload, restarts: self.r, attempts: self.t })
    }
}

fn corrupt(what: &str) -> StoreError {
    StoreError::Corrupt(format!("of an export: {what}"))
}
