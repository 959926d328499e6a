//! Exports: their table, whose stream calls a writer for each that waits for a turn, and their files in S3.

mod csv;
mod files;
mod item;
mod rows;
mod turns;

use std::collections::HashMap;
use std::time::Duration;

use aws_config::SdkConfig;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnConsumedCapacity, ReturnValuesOnConditionCheckFailure, Select};
use domain::export::Export;
use domain::id::{ExportId, TenantId};
use domain::ports::{ExportStore, StoreError, UpdateError};
use domain::timestamp::Timestamp;

use crate::aws;
use crate::config::{self, ConfigError};
use crate::connections::Connection;
use crate::store::{charged, store_error};

pub use files::ExportBucket;
pub use rows::FileRows;
pub use turns::take_turns;

/// The index of the exports that run.
const BY_STOREFRONT: &str = "by-storefront";

/// The pause before the first repetition of a step, which doubles, up to the longest. After the longest step the function has
/// so much time left.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(15);

/// The table of the exports.
#[derive(Debug, Clone)]
pub struct ExportsTable {
    client: Client,
    table: String,
}

impl ExportsTable {
    /// The table named by `EXPORTS_TABLE`.
    ///
    /// # Errors
    /// [`ConfigError::Missing`].
    pub fn from_env(aws: &SdkConfig) -> Result<Self, ConfigError> {
        Ok(Self::new(Client::new(aws), config::required("EXPORTS_TABLE")?))
    }

    /// This table.
    #[must_use]
    pub fn new(client: Client, table: impl Into<String>) -> Self {
        Self { client, table: table.into() }
    }

    /// Makes a connection to `DynamoDB` before it is needed.
    pub fn connection(&self) -> Connection {
        aws::connection(&self.client, &self.table)
    }

    /// Puts the export on a condition; `Err`: it does not hold, of this item.
    async fn put(
        &self,
        export: &Export,
        condition: &str,
        value: (&str, i64),
    ) -> Result<Result<(), Option<HashMap<String, AttributeValue>>>, StoreError> {
        let put = self
            .client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(item::of(export)?))
            .condition_expression(condition)
            .expression_attribute_values(value.0, AttributeValue::N(value.1.to_string()))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .return_consumed_capacity(ReturnConsumedCapacity::Total);
        match put.send().await {
            Ok(output) => {
                charged(output.consumed_capacity());
                Ok(Ok(()))
            }
            Err(SdkError::ServiceError(error)) => match error.into_err() {
                PutItemError::ConditionalCheckFailedException(failed) => Ok(Err(failed.item)),
                other => Err(store_error(SdkError::<_, ()>::service_error(other, ()))),
            },
            Err(error) => Err(store_error(error)),
        }
    }
}

impl ExportStore for ExportsTable {
    async fn insert(&self, export: &Export) -> Result<Option<Export>, StoreError> {
        // Expired ones are deleted in the course of days.
        let kept_since = export.created_at.minus(Export::KEPT).as_millis();
        let condition = "attribute_not_exists(pk) OR c <= :kept_since";
        match self.put(export, condition, (":kept_since", kept_since)).await? {
            Ok(()) => Ok(None),
            Err(taken) => {
                let taken =
                    taken.ok_or_else(|| StoreError::Corrupt("a taken id came back without its item".to_owned()))?;
                item::read(taken).map(Some)
            }
        }
    }

    async fn load(&self, tenant: &TenantId, id: ExportId) -> Result<Option<Export>, StoreError> {
        let key = AttributeValue::S(item::key(tenant, id));
        let get = self.client.get_item().table_name(&self.table).key(item::KEY, key).consistent_read(true);
        let output = get.return_consumed_capacity(ReturnConsumedCapacity::Total).send().await.map_err(store_error)?;
        charged(output.consumed_capacity());
        output.item.map(item::read).transpose()
    }

    async fn pause(&self, attempt: u32) {
        let doubled = FIRST_PAUSE.saturating_mul(2_u32.saturating_pow(attempt.saturating_sub(1)));
        tokio::time::sleep(doubled.min(LONGEST_PAUSE)).await;
    }

    async fn running(&self, tenant: &TenantId, since: Timestamp, most: usize) -> Result<usize, StoreError> {
        let query = self
            .client
            .query()
            .table_name(&self.table)
            .index_name(BY_STOREFRONT)
            .key_condition_expression("g = :tenant AND c >= :since")
            .expression_attribute_values(":tenant", AttributeValue::S(tenant.to_string()))
            .expression_attribute_values(":since", AttributeValue::N(since.as_millis().to_string()))
            .select(Select::Count)
            .limit(i32::try_from(most).unwrap_or(i32::MAX))
            .return_consumed_capacity(ReturnConsumedCapacity::Total);
        let output = query.send().await.map_err(store_error)?;
        charged(output.consumed_capacity());
        Ok(usize::try_from(output.count()).unwrap_or_default())
    }

    async fn replace(&self, export: &Export) -> Result<(), UpdateError> {
        let before = i64::try_from(export.revision).unwrap_or(i64::MAX) - 1;
        match self.put(export, "n = :before", (":before", before)).await? {
            Ok(()) => Ok(()),
            Err(_) => Err(UpdateError::Conflict),
        }
    }
}
