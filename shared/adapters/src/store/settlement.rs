//! What is owed to partners: the sparse index by-settlement holds the orders that are not settled, and no others.

use aws_sdk_dynamodb::types::AttributeValue;
use domain::ports::{OrderKey, StoreError};
use domain::timestamp::Timestamp;
use futures_util::future::try_join_all;

use super::failure::store_error;
use super::record::DecodeError;
use super::{DynamoStore, keys};

/// The index over home region and due time.
const BY_SETTLEMENT: &str = "by-settlement";

impl DynamoStore {
    /// The orders longest overdue, over all shards.
    pub(super) async fn owed(&self, now: Timestamp, limit: u16) -> Result<Vec<OrderKey>, StoreError> {
        let shards = (0..self.shards).map(|shard| self.owed_of_shard(shard, now, limit));
        let mut owed: Vec<(i64, OrderKey)> = try_join_all(shards).await?.into_iter().flatten().collect();
        owed.sort_unstable();
        Ok(owed.into_iter().map(|(_, key)| key).take(limit.into()).collect())
    }

    async fn owed_of_shard(&self, shard: u32, now: Timestamp, limit: u16) -> Result<Vec<(i64, OrderKey)>, StoreError> {
        let answer = self
            .client
            .query()
            .table_name(&self.table)
            .index_name(BY_SETTLEMENT)
            .key_condition_expression("#region = :region AND #due <= :now")
            .expression_attribute_names("#region", keys::SETTLEMENT)
            .expression_attribute_names("#due", keys::DUE)
            .expression_attribute_values(":region", AttributeValue::S(keys::settlement(&self.region, shard)))
            .expression_attribute_values(":now", AttributeValue::N(now.as_millis().to_string()))
            .limit(limit.into())
            .send()
            .await
            .map_err(store_error)?;
        let row = |item: &std::collections::HashMap<String, AttributeValue>| {
            let key = keys::parse_order(item.get(keys::ORDER)?.as_s().ok()?)?;
            Some((item.get(keys::DUE)?.as_n().ok()?.parse().ok()?, key))
        };
        let rows = answer.items().iter().map(|item| row(item).ok_or(DecodeError::Unknown { what: "settlement" }));
        Ok(rows.collect::<Result<_, _>>()?)
    }
}
