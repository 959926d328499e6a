//! The table's stream: records in, committed changes out, and the answer that moves Lambda's checkpoint.

use aws_lambda_events::dynamodb::{Event, EventRecord};
use aws_lambda_events::streams::{DynamoDbBatchItemFailure, DynamoDbEventResponse};
use domain::order::Order;
use domain::ports::EventPublisher;
use domain::use_cases::{CommittedChange, first_unpublished, publish_changes};

use crate::dead_letters::{DeadLetters, Unreadable};
use crate::moves;
use crate::store::{DecodeError, OrderRecord};
use crate::telemetry::{self, metrics};

/// One batch of stream records, in stream order.
#[derive(Debug)]
pub struct StreamBatch {
    records: Vec<Record>,
}

/// One record that is this region's to deal with.
#[derive(Debug)]
enum Record {
    Change {
        sequence_number: String,
        change: Box<CommittedChange>,
    },
    Unreadable(Unreadable),
    /// Only a newer release can read it.
    Newer {
        sequence_number: String,
    },
}

impl StreamBatch {
    /// Reads a batch. Records of orders at home in another region are left to that region; removals announce nothing.
    #[must_use]
    pub fn read(event: Event, home_region: &str) -> Self {
        let records = event.records.into_iter().filter_map(|record| read(record, home_region)).collect();
        Self { records }
    }

    /// The orders as they are after these commits. A record that cannot be read is left to the sweep.
    #[must_use]
    pub fn orders(self) -> Vec<Order> {
        let order = |record| match record {
            Record::Change { change, .. } => Some(change.new),
            Record::Unreadable(_) | Record::Newer { .. } => None,
        };
        self.records.into_iter().filter_map(order).collect()
    }

    /// Publishes every change, and sets records that are no orders aside, so that they stop nobody. The answer names
    /// the first record that must be retried: one that failed, or one that only a newer release can read, whose function
    /// takes it up.
    pub async fn publish(
        self,
        publisher: &impl EventPublisher,
        dead_letters: &impl DeadLetters,
    ) -> DynamoDbEventResponse {
        let (mut numbers, mut changes, mut unread) = (Vec::new(), Vec::new(), None);
        for record in self.records {
            match record {
                Record::Change { sequence_number, change } => {
                    numbers.push(sequence_number);
                    changes.push(*change);
                }
                Record::Unreadable(record) => {
                    telemetry::failed(format_args!("a stream record is not an order: {}", record.cause));
                    if let Err(error) = dead_letters.bury(&record).await {
                        telemetry::failed(format_args!("a dead letter was not taken: {error}"));
                        // What follows is retried with it.
                        unread = Some(record.sequence_number);
                        break;
                    }
                    telemetry::count(&metrics::DEAD_LETTERS, 1);
                }
                Record::Newer { sequence_number } => {
                    unread = Some(sequence_number);
                    break;
                }
            }
        }
        let published = publish_changes(publisher, &changes).await;
        let first = first_unpublished(&published);
        // What comes from the first failure on is in the next batch again.
        changes.iter().take(first.unwrap_or(changes.len())).for_each(moves::count);
        let resumed = first.and_then(|first| numbers.into_iter().nth(first)).or(unread);
        if let Some(number) = &resumed {
            telemetry::member("resumes_at", number.as_str());
        }
        resume_at(resumed)
    }
}

fn read(record: EventRecord, home_region: &str) -> Option<Record> {
    let sequence_number = record.change.sequence_number.clone().unwrap_or_default();
    let key = record.change.keys.get("pk").and_then(|key| serde_dynamo::from_attribute_value(key.clone()).ok());
    match committed_change(record) {
        Ok(Some(change)) if change.new.home_region == home_region => {
            Some(Record::Change { sequence_number, change: Box::new(change) })
        }
        Ok(_) => None,
        Err(error @ DecodeError::Newer(_)) => {
            tracing::warn!(sequence_number, cause = %error, "a stream record waits for a newer release");
            Some(Record::Newer { sequence_number })
        }
        Err(error) => {
            tracing::error!(sequence_number, cause = %error, "a stream record is not an order");
            Some(Record::Unreadable(Unreadable { sequence_number, key, cause: error.to_string() }))
        }
    }
}

/// The change that a record tells of; `None`: a removal, or a write that made no version and is nobody's concern, not even
/// when the order cannot be read. Of the image before, nothing else is looked at.
fn committed_change(record: EventRecord) -> Result<Option<CommittedChange>, DecodeError> {
    let (old, new) = (record.change.old_image, record.change.new_image);
    let known = OrderRecord::version(&old);
    if new.is_empty() || (!old.is_empty() && known == OrderRecord::version(&new)) {
        return Ok(None);
    }
    Ok(Some(CommittedChange { known: known.unwrap_or_default(), new: OrderRecord::read(new)? }))
}

/// Lambda takes up the stream again from this record.
fn resume_at(sequence_number: Option<String>) -> DynamoDbEventResponse {
    let mut response = DynamoDbEventResponse::default();
    response.batch_item_failures.extend(sequence_number.map(|sequence_number| {
        let mut failure = DynamoDbBatchItemFailure::default();
        failure.item_identifier = Some(sequence_number);
        failure
    }));
    response
}
