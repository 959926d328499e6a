//! What orders still need: the sparse index by-follow-up holds the orders that need something, and no others.

use std::collections::HashMap;

use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnConsumedCapacity};
use domain::ports::{DueOrder, DuePage, OrderKey, StoreError};
use domain::timestamp::Timestamp;

use super::failure::store_error;
use super::{DynamoStore, charged, keys};

/// The index over home region, shard and due time.
const BY_FOLLOW_UP: &str = "by-follow-up";

impl DynamoStore {
    /// The orders of one shard that have something due, the longest due first.
    pub(super) async fn due_in(
        &self,
        shard: u32,
        now: Timestamp,
        after: Option<&DueOrder>,
        limit: u16,
    ) -> Result<DuePage, StoreError> {
        let partition = AttributeValue::S(keys::follow_up(&self.region, shard));
        let start = after.map(|after| place(partition.clone(), after));
        let answer = self
            .client
            .query()
            .table_name(&self.table)
            .index_name(BY_FOLLOW_UP)
            .key_condition_expression("#partition = :partition AND #due <= :now")
            .expression_attribute_names("#partition", keys::FOLLOW_UP)
            .expression_attribute_names("#due", keys::DUE)
            .expression_attribute_values(":partition", partition)
            .expression_attribute_values(":now", millis(now))
            .set_exclusive_start_key(start)
            .limit(limit.into())
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .send()
            .await
            .map_err(store_error)?;
        charged(answer.consumed_capacity());
        let orders: Vec<_> = answer.items().iter().filter_map(due_order).collect();
        let next = answer.last_evaluated_key().and_then(|last| due_order(last).or_else(|| orders.last().cloned()));
        Ok(DuePage { orders, next })
    }

    /// Moves an order within the index; its follow-ups stay as they are.
    pub(super) async fn put_off_until(&self, key: &OrderKey, until: Timestamp, cause: &str) -> Result<(), StoreError> {
        tracing::error!(tenant = %key.tenant, order_id = %key.id, cause, "the follow-ups of an order are put off");
        let update = self
            .client
            .update_item()
            .table_name(&self.table)
            .key(keys::ORDER, AttributeValue::S(keys::order(&key.tenant, key.id)))
            .update_expression("SET #due = :until")
            .condition_expression("#due < :until")
            .expression_attribute_names("#due", keys::DUE)
            .expression_attribute_values(":until", millis(until))
            .return_consumed_capacity(ReturnConsumedCapacity::Total);
        match update.send().await {
            Ok(output) => {
                charged(output.consumed_capacity());
                Ok(())
            }
            Err(SdkError::ServiceError(error)) => match error.into_err() {
                // It is not in the index any more, or due later.
                UpdateItemError::ConditionalCheckFailedException(_) => Ok(()),
                other => Err(store_error(SdkError::<_, ()>::service_error(other, ()))),
            },
            Err(error) => Err(store_error(error)),
        }
    }
}

fn millis(at: Timestamp) -> AttributeValue {
    AttributeValue::N(at.as_millis().to_string())
}

/// The key of an order's row in the index.
fn place(partition: AttributeValue, DueOrder { at, key }: &DueOrder) -> HashMap<String, AttributeValue> {
    let order = AttributeValue::S(keys::order(&key.tenant, key.id));
    [(keys::ORDER, order), (keys::FOLLOW_UP, partition), (keys::DUE, millis(*at))]
        .map(|(name, value)| (name.to_owned(), value))
        .into()
}

/// The order of a row. A row that names none stops nobody: its stream record was reported.
fn due_order(row: &HashMap<String, AttributeValue>) -> Option<DueOrder> {
    let key = row.get(keys::ORDER).and_then(|key| keys::parse_order(key.as_s().ok()?));
    let at = row.get(keys::DUE).and_then(|at| at.as_n().ok()?.parse().ok());
    let due = key.zip(at).map(|(key, at)| DueOrder { at: Timestamp::from_millis(at), key });
    if due.is_none() {
        tracing::error!("an item of the index by-follow-up is not an order");
    }
    due
}
