//! Which orders changed lately: the one scan of the table, for audits alone (docs/adr/0012-reconciler.md).

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use domain::order::Order;
use domain::ports::{ChangedOrders, ChangedPage, OrderKey, Segment, StoreError};
use domain::timestamp::Timestamp;

use super::failure::store_error;
use super::record::DecodeError;
use super::{DynamoStore, OrderRecord, keys, order_key, parse_key};

/// The most orders that a page reads: of small orders a page of a megabyte holds thousands, and all that changed of them
/// are in memory and on their way at a time.
const PAGE: i32 = 1_000;

impl ChangedOrders for DynamoStore {
    /// Eventually consistent reads cost half and lack seconds at most.
    async fn changed_since(
        &self,
        from: Timestamp,
        segment: Segment,
        page: Option<&OrderKey>,
    ) -> Result<ChangedPage, StoreError> {
        let mut scan = self
            .client
            .scan()
            .table_name(&self.table)
            .segment(number(segment.index))
            .total_segments(number(segment.of))
            .limit(PAGE)
            .filter_expression("#updated >= :from AND #region = :region")
            .expression_attribute_names("#updated", "u")
            .expression_attribute_names("#region", "g")
            .expression_attribute_values(":from", AttributeValue::N(from.as_millis().to_string()))
            .expression_attribute_values(":region", AttributeValue::S(self.region.clone()));
        if let Some(after) = page {
            scan = scan.exclusive_start_key(keys::ORDER, AttributeValue::S(order_key(after)));
        }
        // Boxed, or the compiler gives up on the depth of nested futures.
        let answer = Box::pin(scan.send()).await.map_err(store_error)?;
        let next = answer.last_evaluated_key.as_ref().map(key).transpose()?;
        let orders = answer.items.unwrap_or_default().into_iter().filter_map(order).collect();
        Ok(ChangedPage { orders, next })
    }
}

fn number(n: u32) -> i32 {
    i32::try_from(n).unwrap_or(i32::MAX)
}

fn key(item: &HashMap<String, AttributeValue>) -> Result<OrderKey, DecodeError> {
    parse_key(item.get(keys::ORDER).and_then(|key| key.as_s().ok()).map_or("", String::as_str))
}

/// An item that is no order must not stop the audit of the others; its stream record is a dead letter.
fn order(item: HashMap<String, AttributeValue>) -> Option<Order> {
    match OrderRecord::read(item) {
        Ok(order) => Some(order),
        Err(error) => {
            tracing::error!(cause = %error, "an item of the table is not an order");
            None
        }
    }
}
