//! How far each run has come, as one item: its revision, and the rest as JSON.

use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::types::AttributeValue;
use domain::event::EventId;
use domain::ports::{AuditRuns, Findings, PerChannel, Progress, Run, Tally, TrailError, Window};
use domain::timestamp::Timestamp;
use serde::{Deserialize, Serialize};

use super::{AuditTable, EXPIRES, KEY, expiry, unavailable, unreadable};
use crate::store::{order_key, parse_key};

const REVISION: &str = "rv";
const RUN: &str = "run";

/// A run but for its name and revision. Times are in milliseconds.
#[derive(Serialize, Deserialize)]
struct RunRecord {
    from: i64,
    to: i64,
    republish: bool,
    began_at: i64,
    scheduled_at: i64,
    next_from: i64,
    segments: Vec<ProgressRecord>,
    orders: u64,
    events: u64,
    missing_on_bus: FindingsRecord,
    missing_on_feed: FindingsRecord,
    unknown: FindingsRecord,
    republished: u64,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum ProgressRecord {
    NotBegun,
    /// `<tenant>#<order id>`
    After(String),
    Done,
}

#[derive(Serialize, Deserialize)]
struct FindingsRecord {
    count: u64,
    ids: Vec<String>,
}

impl<Q: Send + Sync> AuditRuns for AuditTable<Q> {
    async fn load(&self, name: &str) -> Result<Option<Run>, TrailError> {
        let Some(item) = self.item(run_key(name)).await? else { return Ok(None) };
        let revision = item.get(REVISION).and_then(|revision| revision.as_n().ok()?.parse().ok());
        let record = item.get(RUN).and_then(|run| serde_json::from_str::<RunRecord>(run.as_s().ok()?).ok());
        let run = record.zip(revision).and_then(|(record, revision)| record.restore(name, revision));
        run.map(Some).ok_or_else(|| unreadable(run_key(name)))
    }

    async fn save(&self, run: &Run) -> Result<(), TrailError> {
        let record = serde_json::to_string(&RunRecord::from(run)).map_err(unavailable)?;
        let number = |n: u64| AttributeValue::N(n.to_string());
        let put = self
            .client
            .put_item()
            .table_name(&self.table)
            .item(KEY, AttributeValue::S(run_key(&run.name)))
            .item(REVISION, number(run.revision))
            .item(RUN, AttributeValue::S(record))
            .item(EXPIRES, expiry(run.scheduled_at))
            .expression_attribute_names("#revision", REVISION);
        let put = match run.revision {
            0 | 1 => put.condition_expression("attribute_not_exists(#revision)"),
            next => {
                put.condition_expression("#revision = :before").expression_attribute_values(":before", number(next - 1))
            }
        };
        // Boxed, or the compiler gives up on the depth of nested futures.
        match Box::pin(put.send()).await {
            Ok(_) => Ok(()),
            Err(SdkError::ServiceError(error)) => match error.into_err() {
                PutItemError::ConditionalCheckFailedException(_) => Err(TrailError::Taken),
                other => Err(unavailable(other)),
            },
            Err(error) => Err(unavailable(error)),
        }
    }
}

fn run_key(name: &str) -> String {
    format!("run#{name}")
}

impl From<&Run> for RunRecord {
    fn from(run: &Run) -> Self {
        Self {
            from: run.window.from.as_millis(),
            to: run.window.to.as_millis(),
            republish: run.republish,
            began_at: run.began_at.as_millis(),
            scheduled_at: run.scheduled_at.as_millis(),
            next_from: run.next_from.as_millis(),
            segments: run.segments.iter().map(ProgressRecord::from).collect(),
            orders: run.tally.orders,
            events: run.tally.events,
            missing_on_bus: (&run.tally.missing.bus).into(),
            missing_on_feed: (&run.tally.missing.feed).into(),
            unknown: (&run.tally.unknown).into(),
            republished: run.tally.republished,
        }
    }
}

impl RunRecord {
    fn restore(self, name: &str, revision: u64) -> Option<Run> {
        let missing = PerChannel { bus: self.missing_on_bus.restore()?, feed: self.missing_on_feed.restore()? };
        Some(Run {
            name: name.to_owned(),
            window: Window { from: Timestamp::from_millis(self.from), to: Timestamp::from_millis(self.to) },
            republish: self.republish,
            began_at: Timestamp::from_millis(self.began_at),
            scheduled_at: Timestamp::from_millis(self.scheduled_at),
            next_from: Timestamp::from_millis(self.next_from),
            segments: self.segments.into_iter().map(ProgressRecord::restore).collect::<Option<_>>()?,
            tally: Tally {
                orders: self.orders,
                events: self.events,
                missing,
                unknown: self.unknown.restore()?,
                republished: self.republished,
            },
            revision,
        })
    }
}

impl From<&Progress> for ProgressRecord {
    fn from(progress: &Progress) -> Self {
        match progress {
            Progress::NotBegun => Self::NotBegun,
            Progress::After(key) => Self::After(order_key(key)),
            Progress::Done => Self::Done,
        }
    }
}

impl ProgressRecord {
    fn restore(self) -> Option<Progress> {
        Some(match self {
            Self::NotBegun => Progress::NotBegun,
            Self::After(key) => Progress::After(parse_key(&key).ok()?),
            Self::Done => Progress::Done,
        })
    }
}

impl From<&Findings> for FindingsRecord {
    fn from(findings: &Findings) -> Self {
        Self { count: findings.count, ids: findings.ids.iter().map(ToString::to_string).collect() }
    }
}

impl FindingsRecord {
    fn restore(self) -> Option<Findings> {
        let ids = self.ids.iter().map(|id| EventId::parse(id)).collect::<Option<_>>()?;
        Some(Findings { count: self.count, ids })
    }
}
