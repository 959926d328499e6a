//! Orders in DynamoDB: one item each, one call per operation.

mod failure;
mod record;

use aws_config::SdkConfig;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValuesOnConditionCheckFailure};
use domain::id::{OrderId, TenantId};
use domain::order::Order;
use domain::ports::{Inserted, OrderStore, StoreError};

use crate::config::{self, ConfigError};
use failure::store_error;

pub use record::{DecodeError, OrderRecord};

/// The attribute of the table's key: `<tenant>#<order id>`.
const KEY: &str = "pk";

/// Orders in one DynamoDB table.
#[derive(Debug, Clone)]
pub struct DynamoStore {
    client: Client,
    table: String,
}

impl DynamoStore {
    /// Orders in the table named by `ORDERS_TABLE`.
    ///
    /// # Errors
    /// [`ConfigError::Missing`].
    pub fn from_env(aws: &SdkConfig) -> Result<Self, ConfigError> {
        Ok(Self::new(Client::new(aws), config::required("ORDERS_TABLE")?))
    }

    /// Orders in this table.
    #[must_use]
    pub fn new(client: Client, table: impl Into<String>) -> Self {
        Self { client, table: table.into() }
    }
}

impl OrderStore for DynamoStore {
    async fn insert(&self, order: &Order) -> Result<Inserted, StoreError> {
        let item = OrderRecord::from(order).into_item()?;
        let put = self
            .client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(item))
            .condition_expression("attribute_not_exists(pk)")
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        match put.send().await {
            Ok(_) => Ok(Inserted::New),
            Err(SdkError::ServiceError(error)) => match error.into_err() {
                PutItemError::ConditionalCheckFailedException(taken) => existing(taken.item),
                other => Err(store_error(SdkError::<_, ()>::service_error(other, ()))),
            },
            Err(error) => Err(store_error(error)),
        }
    }

    async fn get(&self, tenant: &TenantId, id: OrderId) -> Result<Option<Order>, StoreError> {
        let key = AttributeValue::S(record::key(tenant, id));
        let get = self.client.get_item().table_name(&self.table).key(KEY, key).consistent_read(true);
        let found = get.send().await.map_err(store_error)?.item;
        found.map(|item| Ok(OrderRecord::from_item(item)?.into_order()?)).transpose()
    }
}

fn existing(item: Option<std::collections::HashMap<String, AttributeValue>>) -> Result<Inserted, StoreError> {
    let item = item.ok_or_else(|| StoreError::Corrupt("a taken id came back without its item".to_owned()))?;
    Ok(Inserted::Existing(Box::new(OrderRecord::from_item(item)?.into_order()?)))
}
