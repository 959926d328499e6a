//! Lists: one query for an index partition, or a merge of the partitions of every status and shard.

use std::cmp::Reverse;
use std::collections::HashMap;

use aws_sdk_dynamodb::types::{AttributeValue, ReturnConsumedCapacity};
use domain::id::CustomerId;
use domain::listing::{Filter, ListQuery, OrderSummary, Page};
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

/// The index over tenant, status and shard.
const BY_STATUS: &str = "by-status";
/// The index over tenant and customer.
const BY_CUSTOMER: &str = "by-customer";

/// What the indexes project of an item: see `OrderRecord` for the names.
#[derive(Deserialize)]
struct SummaryRecord {
    #[serde(rename = "k")]
    place: String,
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

/// The rows of one index partition.
struct Rows {
    rows: Vec<OrderSummary>,
    has_more: bool,
}

impl DynamoStore {
    /// One page.
    pub(super) async fn page(&self, query: &ListQuery) -> Result<Page, StoreError> {
        let partitions = match &query.filter {
            Filter::Customer(customer) => {
                let partition = keys::customer(&query.tenant, customer);
                vec![self.rows(BY_CUSTOMER, keys::CUSTOMER, partition, query).await?]
            }
            Filter::Status(status) => self.rows_of_status(*status, query).await?,
            Filter::All => self.rows_of_every_status(query).await?,
        };
        Ok(merge(partitions, usize::from(query.limit.get())))
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
        let shards = 0..self.shards.status;
        let partitions = shards.map(|shard| keys::status(&query.tenant, status, shard));
        try_join_all(partitions.map(|partition| self.rows(BY_STATUS, keys::STATUS, partition, query))).await
    }

    async fn rows(&self, index: &str, key: &str, partition: String, query: &ListQuery) -> Result<Rows, StoreError> {
        let Some((first, last)) = keys::range(query) else { return Ok(Rows { rows: Vec::new(), has_more: false }) };
        let answer = self
            .client
            .query()
            .table_name(&self.table)
            .index_name(index)
            .key_condition_expression("#partition = :partition AND #place BETWEEN :first AND :last")
            .expression_attribute_names("#partition", key)
            .expression_attribute_names("#place", keys::PLACE)
            .expression_attribute_values(":partition", AttributeValue::S(partition))
            .expression_attribute_values(":first", AttributeValue::S(first))
            .expression_attribute_values(":last", AttributeValue::S(last))
            .scan_index_forward(false)
            .limit(query.limit.get().into())
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .send()
            .await
            .map_err(store_error)?;
        charged(answer.consumed_capacity());
        let rows = answer.items.unwrap_or_default().into_iter().map(summary).collect::<Result<_, _>>()?;
        Ok(Rows { rows, has_more: answer.last_evaluated_key.is_some() })
    }
}

/// The newest rows of all partitions. An order seen in two statuses counts once, as it was seen last.
fn merge(partitions: Vec<Rows>, limit: usize) -> Page {
    let mut has_more = partitions.iter().any(|partition| partition.has_more);
    let rows = partitions.into_iter().flat_map(|partition| partition.rows);
    let by_id: HashMap<_, _> = rows.map(|row| (row.id, row)).collect();
    let mut orders: Vec<OrderSummary> = by_id.into_values().collect();
    orders.sort_unstable_by_key(|row| Reverse(row.position()));
    has_more |= orders.len() > limit;
    orders.truncate(limit);
    Page { orders, has_more }
}

fn summary(item: HashMap<String, AttributeValue>) -> Result<OrderSummary, DecodeError> {
    let record: SummaryRecord = serde_dynamo::from_item(item)?;
    let place = keys::parse_place(&record.place).ok_or(DecodeError::NotA("place"))?;
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
