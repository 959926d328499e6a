//! Ask for an export, which is then written beside the requests.

use crate::caller::Caller;
use crate::export::{Export, Format, Selection};
use crate::id::{ExportId, IdempotencyKey};
use crate::ports::{ExportStore, Ids, StoreError};
use crate::timestamp::Timestamp;
use crate::use_cases::{ListError, ListRequest};

/// So many exports of a storefront run at a time: each is a read of all its orders, and all storefronts take turns. A
/// burst may exceed it by those that are stored before they are counted.
pub const MOST_RUNNING: usize = 10;

/// One request for an export.
#[derive(Debug, Clone)]
pub struct ExportRequest {
    /// Who asks.
    pub caller: Caller,
    /// The client's idempotency key.
    pub key: Option<IdempotencyKey>,
    /// How the file is written.
    pub format: Format,
    /// Which orders. An export has no pages.
    pub orders: ListRequest,
    /// When.
    pub at: Timestamp,
}

/// An export that exists because of this request, or of an earlier one with the same key and body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreatedExport {
    /// The export as it is now.
    pub export: Export,
    /// Whether an earlier request made it.
    pub replayed: bool,
}

/// Why there is no export.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CreateExportError {
    /// The caller may not list these orders, or no index answers the filters.
    #[error(transparent)]
    List(#[from] ListError),
    /// The key was used for another export.
    #[error("the idempotency key was used with another body")]
    KeyReused,
    /// [`MOST_RUNNING`] exports of the storefront are not over yet.
    #[error("{MOST_RUNNING} exports run")]
    TooMany,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Stores the export, or finds the one that the same request stored before.
///
/// # Errors
/// [`CreateExportError`]; no export was stored, except that after a [`StoreError`] it may have been.
pub async fn create_export(
    exports: &impl ExportStore,
    ids: &impl Ids,
    request: ExportRequest,
) -> Result<CreatedExport, CreateExportError> {
    let ExportRequest { caller, key, format, orders, at } = request;
    caller.require_storefront().map_err(ListError::from)?;
    let selection = Selection::from(orders.for_caller(&caller)?);
    let id = key.as_ref().map_or_else(|| ids.export_id(), |key| ExportId::derive(&caller.tenant, key));
    let export = Export::new(caller.tenant, id, format, selection, at);
    match found(exports, &export).await? {
        None => Ok(CreatedExport { export, replayed: false }),
        Some(existing) if existing.asks_for_the_same(&export) => {
            // A write can succeed and its answer be lost. Without a key, what is found can only be one's own.
            Ok(CreatedExport { export: existing, replayed: key.is_some() })
        }
        Some(_) => Err(CreateExportError::KeyReused),
    }
}

/// The export that has the id already; `None`: the new one is stored. Where enough are running, none is stored any more.
async fn found(exports: &impl ExportStore, export: &Export) -> Result<Option<Export>, CreateExportError> {
    let now = export.created_at;
    let running = exports.running(&export.tenant, now.minus(Export::STALLED_AFTER), MOST_RUNNING).await?;
    if running < MOST_RUNNING {
        return Ok(exports.insert(export).await?);
    }
    let existing = exports.load(&export.tenant, export.id).await?.filter(|existing| !existing.is_expired(now));
    existing.map(Some).ok_or(CreateExportError::TooMany)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::caller::Forbidden;
    use crate::id::{CustomerId, TenantId};
    use crate::memory::{CountingIds, MemoryExports, sample};
    use crate::status::Status;

    fn request(key: &str, format: Format, second: u32) -> ExportRequest {
        let key = Some(IdempotencyKey::parse(key).unwrap());
        let orders = ListRequest { status: Some(Status::Shipped), ..ListRequest::default() };
        ExportRequest { caller: sample::caller(), key, format, orders, at: sample::stamp(second).at }
    }

    async fn created(exports: &MemoryExports, request: ExportRequest) -> Result<CreatedExport, CreateExportError> {
        create_export(exports, &CountingIds::default(), request).await
    }

    #[tokio::test]
    async fn a_key_names_one_export_of_a_storefront() {
        let exports = MemoryExports::default();
        let first = created(&exports, request("k", Format::Csv, 1)).await.unwrap();
        let again = created(&exports, request("k", Format::Csv, 2)).await.unwrap();
        assert_eq!((first.replayed, again.replayed, &again.export), (false, true, &first.export));
        let other = created(&exports, request("k", Format::JsonLines, 3)).await;
        assert_eq!(other, Err(CreateExportError::KeyReused));
        let stranger = Caller { tenant: TenantId::parse("other").unwrap(), ..sample::caller() };
        let theirs = created(&exports, ExportRequest { caller: stranger, ..request("k", Format::Csv, 1) }).await;
        assert_ne!(theirs.unwrap().export.id, first.export.id);
    }

    #[tokio::test]
    async fn without_a_key_each_request_is_an_export() {
        let (exports, ids) = (MemoryExports::default(), CountingIds::default());
        let ask = || ExportRequest { key: None, ..request("k", Format::Csv, 1) };
        let first = create_export(&exports, &ids, ask()).await.unwrap();
        let second = create_export(&exports, &ids, ask()).await.unwrap();
        assert_ne!(first.export.id, second.export.id);
    }

    #[tokio::test]
    async fn a_key_is_free_again_once_its_export_expired() {
        let exports = MemoryExports::default();
        let first = created(&exports, request("k", Format::Csv, 1)).await.unwrap();
        let later = ExportRequest { at: first.export.expires_at(), ..request("k", Format::JsonLines, 1) };
        let second = created(&exports, later).await.unwrap();
        assert_eq!((second.replayed, second.export.id), (false, first.export.id));
    }

    #[tokio::test]
    async fn a_storefront_has_ten_exports_running_and_a_repeated_request_is_still_answered() {
        let exports = MemoryExports::default();
        let ask = |n: usize| created(&exports, request(&format!("k{n}"), Format::Csv, 1));
        let mut running = Vec::new();
        for n in 0..MOST_RUNNING {
            running.push(ask(n).await.unwrap().export);
        }
        assert_eq!(ask(10).await, Err(CreateExportError::TooMany));
        let again = ask(3).await.unwrap();
        assert_eq!((again.replayed, &again.export), (true, &running[3]));
        let other = created(&exports, request("k3", Format::JsonLines, 1)).await;
        assert_eq!(other, Err(CreateExportError::KeyReused));
        let stranger = Caller { tenant: TenantId::parse("other").unwrap(), ..sample::caller() };
        created(&exports, ExportRequest { caller: stranger, ..request("k", Format::Csv, 1) }).await.unwrap();
        exports.replace(&running[0].succeeded(sample::stamp(2).at)).await.unwrap();
        assert!(!ask(10).await.unwrap().replayed);
        assert_eq!(ask(11).await, Err(CreateExportError::TooMany));
    }

    #[tokio::test]
    async fn exports_that_nobody_can_be_writing_any_more_count_no_longer() {
        let exports = MemoryExports::default();
        let at = |n: usize, at| created(&exports, ExportRequest { at, ..request(&format!("k{n}"), Format::Csv, 1) });
        let first = sample::stamp(1).at;
        for n in 0..MOST_RUNNING {
            at(n, first).await.unwrap();
        }
        let stalled = first.plus(Export::STALLED_AFTER);
        assert_eq!(at(10, stalled).await, Err(CreateExportError::TooMany));
        at(10, stalled.plus(Duration::from_millis(1))).await.unwrap();
    }

    #[tokio::test]
    async fn a_caller_who_is_confined_to_a_customer_exports_nothing() {
        let confined = Caller { customer: Some(CustomerId::parse("cust-1").unwrap()), ..sample::caller() };
        let request = ExportRequest { caller: confined, ..request("k", Format::Csv, 1) };
        let refused = created(&MemoryExports::default(), request).await;
        assert_eq!(refused, Err(CreateExportError::List(ListError::Forbidden(Forbidden::Confined))));
    }
}
