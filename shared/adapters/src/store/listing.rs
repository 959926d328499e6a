//! Lists: one query for an index partition, or a merge of the partitions of every status and shard.

use std::cmp::Reverse;
use std::collections::HashMap;

use aws_sdk_dynamodb::types::{AttributeValue, ReturnConsumedCapacity};
use domain::id::CustomerId;
use domain::listing::{Filter, ListQuery, OrderSummary, Page, Position};
use domain::money::{Currency, Money};
use domain::ports::StoreError;
use domain::status::{Inventory, Status};
use domain::text::ExternalReference;
use domain::timestamp::Timestamp;
use futures_util::future::try_join_all;
use serde::Deserialize;

use super::failure::store_error;
use super::record::DecodeError;
use super::{DynamoStore, charged, keys};
use crate::telemetry::{self, metrics};

/// The index over tenant, status and shard.
const BY_STATUS: &str = "by-status";
/// The index over tenant and customer.
const BY_CUSTOMER: &str = "by-customer";

/// What the indexes project of an item: see `OrderRecord` for the names.
#[derive(Deserialize)]
struct SummaryRecord {
    #[serde(rename = "cu")]
    customer_id: String,
    #[serde(rename = "s")]
    status: String,
    #[serde(rename = "i")]
    inventory: String,
    #[serde(rename = "v")]
    version: u64,
    #[serde(rename = "u")]
    updated_at: i64,
    #[serde(rename = "cy", default)]
    currency: Option<String>,
    #[serde(rename = "t", default)]
    total: Option<i64>,
    #[serde(rename = "x", default)]
    external_reference: Option<String>,
}

/// A row of an index.
struct Row {
    place: Position,
    order: Result<OrderSummary, DecodeError>,
}

/// The rows of one index partition.
struct Rows {
    rows: Vec<Row>,
    has_more: bool,
}

/// A partition of an index, by the name and the value of its key.
struct Partition {
    index: &'static str,
    key: &'static str,
    value: String,
}

impl DynamoStore {
    /// One page.
    pub(super) async fn page(&self, query: &ListQuery) -> Result<Page, StoreError> {
        let partitions = match &query.filter {
            Filter::Customer(customer) => {
                let value = keys::customer(&query.tenant, customer);
                vec![self.rows(Partition { index: BY_CUSTOMER, key: keys::CUSTOMER, value }, query).await?]
            }
            Filter::Status(status) => self.rows_of_status(*status, query).await?,
            Filter::All => self.rows_of_every_status(query).await?,
        };
        Ok(page_of(partitions, usize::from(query.limit.get())))
    }

    /// Statuses one after another, in the order of an order's life: an order that moves on meanwhile moves to a status
    /// that is read later, so it may be seen twice but never missed.
    async fn rows_of_every_status(&self, query: &ListQuery) -> Result<Vec<Rows>, StoreError> {
        let mut partitions = Vec::new();
        for status in Status::ALL {
            partitions.extend(self.rows_of_status(status, query).await?);
        }
        Ok(partitions)
    }

    async fn rows_of_status(&self, status: Status, query: &ListQuery) -> Result<Vec<Rows>, StoreError> {
        let shards = (0..self.shards.status).map(|shard| {
            let value = keys::status(&query.tenant, status, shard);
            self.rows(Partition { index: BY_STATUS, key: keys::STATUS, value }, query)
        });
        try_join_all(shards).await
    }

    /// The first rows of a partition. No page can end at a row that has no place, so DynamoDB's own key passes it by.
    async fn rows(&self, partition: Partition, query: &ListQuery) -> Result<Rows, StoreError> {
        let Some((first, last)) = keys::range(query) else { return Ok(Rows { rows: Vec::new(), has_more: false }) };
        let limit = usize::from(query.limit.get());
        let (mut rows, mut after) = (Vec::new(), None);
        loop {
            let answer = self
                .client
                .query()
                .table_name(&self.table)
                .index_name(partition.index)
                .key_condition_expression("#partition = :partition AND #place BETWEEN :first AND :last")
                .expression_attribute_names("#partition", partition.key)
                .expression_attribute_names("#place", keys::PLACE)
                .expression_attribute_values(":partition", AttributeValue::S(partition.value.clone()))
                .expression_attribute_values(":first", AttributeValue::S(first.clone()))
                .expression_attribute_values(":last", AttributeValue::S(last.clone()))
                .scan_index_forward(false)
                .limit(i32::try_from(limit - rows.len()).unwrap_or(i32::MAX))
                .set_exclusive_start_key(after)
                .return_consumed_capacity(ReturnConsumedCapacity::Total)
                .send()
                .await
                .map_err(store_error)?;
            charged(answer.consumed_capacity());
            rows.extend(answer.items.unwrap_or_default().into_iter().filter_map(placed));
            after = answer.last_evaluated_key;
            if after.is_none() || rows.len() >= limit {
                return Ok(Rows { rows, has_more: after.is_some() });
            }
        }
    }
}

/// The newest rows of all partitions. An order seen in two statuses counts once, as it was seen last.
fn page_of(partitions: Vec<Rows>, limit: usize) -> Page {
    let mut has_more = partitions.iter().any(|partition| partition.has_more);
    let rows = partitions.into_iter().flat_map(|partition| partition.rows);
    let by_id: HashMap<_, _> = rows.map(|row| (row.place.id, row)).collect();
    let mut rows: Vec<Row> = by_id.into_values().collect();
    rows.sort_unstable_by_key(|row| Reverse(row.place));
    has_more |= rows.len() > limit;
    rows.truncate(limit);
    let mut page = Page { orders: Vec::new(), unreadable: Vec::new(), has_more };
    for Row { place, order } in rows {
        match order {
            Ok(order) => page.orders.push(order),
            Err(cause) => {
                left_out(&place.id.to_string(), &cause);
                page.unreadable.push(place);
            }
        }
    }
    page
}

/// The row of an item; `None`: it does not even say where it is.
fn placed(item: HashMap<String, AttributeValue>) -> Option<Row> {
    let text = |name| item.get(name).and_then(|value| value.as_s().ok());
    let Some(place) = text(keys::PLACE).and_then(|place| keys::parse_place(place)) else {
        left_out(text(keys::ORDER).map_or("", String::as_str), &DecodeError::NotA("place"));
        return None;
    };
    Some(Row { place, order: summary(place, item) })
}

/// Tells of an order that a page is without.
fn left_out(order: &str, cause: &DecodeError) {
    telemetry::count(&metrics::ORDERS_UNLISTED, 1);
    telemetry::failed(format_args!("the row of the order {order} cannot be read: {cause}"));
}

fn summary(place: Position, item: HashMap<String, AttributeValue>) -> Result<OrderSummary, DecodeError> {
    let record: SummaryRecord = serde_dynamo::from_item(item)?;
    let currency = record.currency.as_deref().map(Currency::restore).transpose()?;
    Ok(OrderSummary {
        id: place.id,
        customer: CustomerId::restore(record.customer_id),
        status: Status::restore(&record.status),
        inventory: Inventory::restore(&record.inventory),
        total: record.total.zip(currency).map(|(amount, currency)| Money::new(amount, currency)),
        external_reference: record.external_reference.map(ExternalReference::restore),
        version: record.version,
        created_at: place.created_at,
        updated_at: Timestamp::from_millis(record.updated_at),
    })
}
