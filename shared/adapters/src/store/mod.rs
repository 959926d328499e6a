//! Orders in DynamoDB: one item each, one call per operation.

mod audit;
mod change;
mod failure;
mod follow_ups;
mod keys;
mod listing;
mod record;
mod size;

use std::collections::HashMap;

use aws_config::SdkConfig;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::{
    AttributeValue, ConsumedCapacity, ReturnConsumedCapacity, ReturnValuesOnConditionCheckFailure,
};
use domain::id::{OrderId, TenantId};
use domain::listing::{ListQuery, Page};
use domain::order::Order;
use domain::ports::{Condition, DueOrder, DuePage, Inserted, OrderKey, OrderStore, StoreError, UpdateError};
use domain::timestamp::Timestamp;

use crate::aws;
use crate::config::{self, ConfigError};
use crate::connections::Connection;
use crate::telemetry;
pub(crate) use failure::store_error;

pub use keys::Shards;
pub(crate) use keys::{parse_place, place};
pub use record::{DecodeError, OrderRecord};

/// The index by-follow-up takes a write of every order, whatever storefront it is of.
const FOLLOW_UP_SHARDS: u32 = 32;

/// Orders in one DynamoDB table.
#[derive(Debug, Clone)]
pub struct DynamoStore {
    client: Client,
    table: String,
    shards: Shards,
    region: String,
    is_consistent: bool,
}

impl DynamoStore {
    /// Orders in the table named by `ORDERS_TABLE`, its indexes spread over `INDEX_SHARDS` (1) and `FOLLOW_UP_SHARDS` (32)
    /// partitions.
    ///
    /// # Errors
    /// [`ConfigError`] when a variable is missing or not valid.
    pub fn from_env(aws: &SdkConfig) -> Result<Self, ConfigError> {
        let shards =
            Shards { status: shards("INDEX_SHARDS", 1)?, follow_up: shards("FOLLOW_UP_SHARDS", FOLLOW_UP_SHARDS)? };
        let region = config::required("AWS_REGION")?;
        Ok(Self::new(Client::new(aws), config::required("ORDERS_TABLE")?, shards, region))
    }

    /// Orders in this table, of which this function does the follow-ups of those at home in `region`.
    #[must_use]
    pub fn new(client: Client, table: impl Into<String>, shards: Shards, region: impl Into<String>) -> Self {
        Self { client, table: table.into(), shards, region: region.into(), is_consistent: true }
    }

    /// The same orders, read one by one at half the price: perhaps not yet with what was written a moment ago.
    #[must_use]
    pub fn eventually_consistent(&self) -> Self {
        Self { is_consistent: false, ..self.clone() }
    }

    /// Makes a connection to `DynamoDB` before it is needed.
    pub fn connection(&self) -> Connection {
        aws::connection(&self.client, &self.table)
    }

    async fn erase(&self, before: &Order, after: &Order, condition: Condition) -> Result<(), UpdateError> {
        let request = self.client.put_item().table_name(&self.table);
        let request = request.return_consumed_capacity(ReturnConsumedCapacity::Total);
        match change::replacement(request, &self.item(before)?, self.item(after)?, condition).send().await {
            Ok(output) => {
                charged(output.consumed_capacity());
                Ok(())
            }
            Err(SdkError::ServiceError(error)) => match error.into_err() {
                PutItemError::ConditionalCheckFailedException(_) => Err(UpdateError::Conflict),
                other => Err(store_error(SdkError::<_, ()>::service_error(other, ())).into()),
            },
            Err(error) => Err(store_error(error).into()),
        }
    }

    /// The whole item of an order: the record and what the indexes need.
    fn item(&self, order: &Order) -> Result<HashMap<String, AttributeValue>, StoreError> {
        let mut item = OrderRecord::from(order).into_item()?;
        item.extend(keys::of_indexes(order, self.shards));
        if size::of_item(&item) > size::MAX_ITEM { Err(StoreError::TooLarge) } else { Ok(item) }
    }
}

fn shards(name: &'static str, default: u32) -> Result<u32, ConfigError> {
    let shards = config::optional(name).map(|_| config::parsed(name)).transpose()?;
    Ok(shards.unwrap_or(default).max(1))
}

impl OrderStore for DynamoStore {
    async fn insert(&self, order: &Order) -> Result<Inserted, StoreError> {
        let put = self
            .client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(self.item(order)?))
            .condition_expression("attribute_not_exists(pk)")
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .return_consumed_capacity(ReturnConsumedCapacity::Total);
        match put.send().await {
            Ok(output) => {
                charged(output.consumed_capacity());
                Ok(Inserted::New)
            }
            Err(SdkError::ServiceError(error)) => match error.into_err() {
                PutItemError::ConditionalCheckFailedException(taken) => existing(taken.item),
                other => Err(store_error(SdkError::<_, ()>::service_error(other, ()))),
            },
            Err(error) => Err(store_error(error)),
        }
    }

    async fn get(&self, tenant: &TenantId, id: OrderId) -> Result<Option<Order>, StoreError> {
        let key = AttributeValue::S(keys::order(tenant, id));
        let get = self.client.get_item().table_name(&self.table).key(keys::ORDER, key);
        let get = get.consistent_read(self.is_consistent);
        let get = get.return_consumed_capacity(ReturnConsumedCapacity::Total);
        let output = get.send().await.map_err(store_error)?;
        charged(output.consumed_capacity());
        output.item.map(|item| Ok(OrderRecord::read(item)?)).transpose()
    }

    async fn update(&self, before: &Order, after: &Order, condition: Condition) -> Result<(), UpdateError> {
        if after.is_erased() && !before.is_erased() {
            return self.erase(before, after, condition).await;
        }
        let key = AttributeValue::S(keys::order(&before.tenant, before.id));
        let request = self.client.update_item().table_name(&self.table).key(keys::ORDER, key);
        let request = request.return_consumed_capacity(ReturnConsumedCapacity::Total);
        match change::update(request, &self.item(before)?, self.item(after)?, condition).send().await {
            Ok(output) => {
                charged(output.consumed_capacity());
                Ok(())
            }
            Err(SdkError::ServiceError(error)) => match error.into_err() {
                UpdateItemError::ConditionalCheckFailedException(_) => Err(UpdateError::Conflict),
                other => Err(store_error(SdkError::<_, ()>::service_error(other, ())).into()),
            },
            Err(error) => Err(store_error(error).into()),
        }
    }

    async fn due(
        &self,
        shard: u32,
        now: Timestamp,
        after: Option<&DueOrder>,
        limit: u16,
    ) -> Result<DuePage, StoreError> {
        self.due_in(shard, now, after, limit).await
    }

    fn shards(&self) -> u32 {
        self.shards.follow_up
    }

    async fn put_off(&self, key: &OrderKey, until: Timestamp, cause: &str) -> Result<(), StoreError> {
        self.put_off_until(key, until, cause).await
    }

    async fn list(&self, query: &ListQuery) -> Result<Page, StoreError> {
        self.page(query).await
    }
}

/// The key of the table that names an order: `<tenant>#<order id>`.
#[must_use]
pub fn order_key(key: &OrderKey) -> String {
    keys::order(&key.tenant, key.id)
}

/// The order that a key of the table names: `<tenant>#<order id>`.
///
/// # Errors
/// [`DecodeError::NotA`].
pub fn parse_key(key: &str) -> Result<OrderKey, DecodeError> {
    keys::parse_order(key).ok_or(DecodeError::NotA("key"))
}

/// Notes what DynamoDB charges for a call.
pub(crate) fn charged(capacity: Option<&ConsumedCapacity>) {
    telemetry::consumed(capacity.and_then(ConsumedCapacity::capacity_units));
}

fn existing(item: Option<HashMap<String, AttributeValue>>) -> Result<Inserted, StoreError> {
    let item = item.ok_or_else(|| StoreError::Corrupt("a taken id came back without its item".to_owned()))?;
    Ok(Inserted::Existing(Box::new(OrderRecord::read(item)?)))
}
