//! The table's stream: records in, committed changes out, and the answer that moves Lambda's checkpoint.

use aws_lambda_events::dynamodb::{Event, EventRecord};
use aws_lambda_events::streams::{DynamoDbBatchItemFailure, DynamoDbEventResponse};
use domain::use_cases::CommittedChange;

use crate::store::{DecodeError, OrderRecord};

/// One batch of stream records.
#[derive(Debug)]
pub struct StreamBatch {
    /// Sequence number of every change, in stream order.
    sequence_numbers: Vec<String>,
    /// The changes.
    changes: Vec<CommittedChange>,
    /// Sequence number of the first record that is not an order.
    undecodable: Option<String>,
}

impl StreamBatch {
    /// Reads a batch. Records of orders at home in another region are left to that region; removals (an expired
    /// order) announce nothing. Reading stops at the first record that is not an order.
    #[must_use]
    pub fn read(event: Event, home_region: &str) -> Self {
        let mut batch = Self { sequence_numbers: Vec::new(), changes: Vec::new(), undecodable: None };
        for record in event.records {
            let sequence_number = record.change.sequence_number.clone().unwrap_or_default();
            match committed_change(record) {
                Ok(Some(change)) if change.new.home_region == home_region => {
                    batch.sequence_numbers.push(sequence_number);
                    batch.changes.push(change);
                }
                Ok(_) => {}
                Err(error) => {
                    tracing::error!(sequence_number, cause = %error, "a stream record is not an order");
                    batch.undecodable = Some(sequence_number);
                    break;
                }
            }
        }
        batch
    }

    /// The changes, in stream order.
    #[must_use]
    pub fn changes(&self) -> &[CommittedChange] {
        &self.changes
    }

    /// Reports the first record that must come again. Lambda resumes from the lowest sequence number reported, so
    /// naming a later one would lose what failed before it.
    #[must_use]
    pub fn report(self, published: &[bool]) -> DynamoDbEventResponse {
        let failed = self.sequence_numbers.into_iter().zip(published).find(|(_, is_out)| !**is_out);
        let first = failed.map(|(sequence_number, _)| sequence_number).or(self.undecodable);
        let mut response = DynamoDbEventResponse::default();
        response.batch_item_failures.extend(first.map(|sequence_number| {
            let mut failure = DynamoDbBatchItemFailure::default();
            failure.item_identifier = Some(sequence_number);
            failure
        }));
        response
    }
}

fn committed_change(record: EventRecord) -> Result<Option<CommittedChange>, DecodeError> {
    if record.change.new_image.is_empty() {
        return Ok(None);
    }
    let new = OrderRecord::from_item(record.change.new_image)?.into_order()?;
    let old = match record.change.old_image {
        image if image.is_empty() => None,
        image => Some(OrderRecord::from_item(image)?.into_order()?),
    };
    Ok(Some(CommittedChange { old, new }))
}
