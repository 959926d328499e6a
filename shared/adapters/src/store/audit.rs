//! Which orders changed lately: the one scan of the table, for audits alone (docs/adr/0012-reconciler.md).

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use domain::order::Order;
use domain::ports::{ChangedOrders, ChangedPage, OrderKey, StoreError};
use domain::timestamp::Timestamp;

use super::failure::store_error;
use super::record::DecodeError;
use super::{DynamoStore, OrderRecord, keys, parse_key};

impl ChangedOrders for DynamoStore {
    async fn changed_since(&self, from: Timestamp, page: Option<&OrderKey>) -> Result<ChangedPage, StoreError> {
        let mut scan = self
            .client
            .scan()
            .table_name(&self.table)
            .consistent_read(true)
            .filter_expression("#updated >= :from AND #region = :region")
            .expression_attribute_names("#updated", "u")
            .expression_attribute_names("#region", "g")
            .expression_attribute_values(":from", AttributeValue::N(from.as_millis().to_string()))
            .expression_attribute_values(":region", AttributeValue::S(self.region.clone()));
        if let Some(after) = page {
            let key = AttributeValue::S(keys::order(&after.tenant, after.id));
            scan = scan.exclusive_start_key(keys::ORDER, key);
        }
        // Boxed, or the compiler gives up on the depth of nested futures.
        let answer = Box::pin(scan.send()).await.map_err(store_error)?;
        let next = answer.last_evaluated_key.as_ref().map(key).transpose()?;
        let orders = answer.items.unwrap_or_default().into_iter().filter_map(order).collect();
        Ok(ChangedPage { orders, next })
    }
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
