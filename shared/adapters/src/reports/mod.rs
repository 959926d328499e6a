//! Reports in DynamoDB: rows that orders are added to, and of each order an item that remembers what is counted of it.
//!
//! A row is spread over shards. A write adds to any one of them, chosen by chance, so that writers seldom meet; a row is the
//! sum of its parts.

mod items;
mod queue;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};

use aws_config::SdkConfig;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::error::TransactionCanceledException;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnConsumedCapacity, TransactWriteItem};
use domain::ports::{Counted, OrderKey, ReportStore, RowsError, RowsQuery, Step, StoreError, UpdateError};
use domain::report::{Row, Sums};
use futures_util::future::try_join_all;
use futures_util::stream::{self, StreamExt, TryStreamExt};

use crate::aws;
use crate::config::{self, ConfigError};
use crate::connections::Connection;
use crate::store::{charged, store_error};
use items::{Generations, Item, KEY, SORT};

pub use queue::CountBatch;

/// So many items are read at a time.
const AT_ONCE: usize = 16;

/// A row takes up to 500 writes a second in each shard: a write in a transaction costs two units, and a partition has 1,000.
const SHARDS: u32 = 8;

/// The table of the reports.
#[derive(Debug, Clone)]
pub struct ReportsTable {
    client: Client,
    table: String,
    shards: u32,
}

impl ReportsTable {
    /// The table named by `REPORTS_TABLE`, its rows spread over `REPORT_SHARDS` (8) partitions.
    ///
    /// # Errors
    /// [`ConfigError`] when a variable is missing or not valid.
    pub fn from_env(aws: &SdkConfig) -> Result<Self, ConfigError> {
        let shards = config::optional("REPORT_SHARDS").map(|_| config::parsed("REPORT_SHARDS")).transpose()?;
        Ok(Self::new(Client::new(aws), config::required("REPORTS_TABLE")?, shards.unwrap_or(SHARDS)))
    }

    /// This table, with rows in so many parts.
    #[must_use]
    pub fn new(client: Client, table: impl Into<String>, shards: u32) -> Self {
        Self { client, table: table.into(), shards: shards.max(1) }
    }

    /// Makes a connection to `DynamoDB` before it is needed.
    pub fn connection(&self) -> Connection {
        aws::connection(&self.client, &self.table)
    }

    async fn item(&self, key: String, is_consistent: bool) -> Result<Option<Item>, StoreError> {
        let get = self.client.get_item().table_name(&self.table).consistent_read(is_consistent);
        let get = get.key(KEY, AttributeValue::S(key)).key(SORT, AttributeValue::S(items::ALONE.to_owned()));
        let get = get.return_consumed_capacity(ReturnConsumedCapacity::Total);
        // Boxed, or the compiler gives up on the depth of nested futures.
        let output = Box::pin(get.send()).await.map_err(store_error)?;
        charged(output.consumed_capacity());
        Ok(output.item)
    }

    async fn generations(&self) -> Result<Generations, StoreError> {
        Generations::read(self.item(items::GENERATIONS.to_owned(), true).await?)
    }

    async fn counted_of(&self, order: &OrderKey, generation: u64) -> Result<Counted, StoreError> {
        items::read_counted(self.item(items::order(order), true).await?, generation)
    }

    /// The parts of the rows in one shard; `read` counts those of all.
    async fn part(
        &self,
        query: &RowsQuery,
        generation: u64,
        shard: u32,
        read: &AtomicUsize,
    ) -> Result<Vec<(Row, Sums)>, RowsError> {
        let (first, last) = items::range(query);
        let call = self
            .client
            .query()
            .table_name(&self.table)
            .key_condition_expression("pk = :pk AND sk BETWEEN :first AND :last")
            .expression_attribute_values(":pk", AttributeValue::S(items::partition_of(query, generation, shard)))
            .expression_attribute_values(":first", AttributeValue::S(first))
            .expression_attribute_values(":last", AttributeValue::S(last))
            .return_consumed_capacity(ReturnConsumedCapacity::Total);
        let (mut rows, mut after) = (Vec::new(), None);
        loop {
            let page = Box::pin(call.clone().set_exclusive_start_key(after).send()).await.map_err(store_error)?;
            charged(page.consumed_capacity());
            let found = page.items.unwrap_or_default();
            if read.fetch_add(found.len(), Ordering::Relaxed) + found.len() > Self::MOST_READ {
                return Err(RowsError::TooMany);
            }
            for item in found {
                rows.push(items::read_row(&item, query.of_products)?);
            }
            after = page.last_evaluated_key;
            if after.is_none() {
                return Ok(rows);
            }
        }
    }

    /// What is written: what is counted of each order, and of each row one part.
    fn writes(&self, steps: &[Step]) -> Result<Vec<TransactWriteItem>, StoreError> {
        let shard = fastrand::u32(..self.shards);
        let mut added = BTreeMap::<(String, String), Sums>::new();
        for step in steps {
            for (row, sums) in &step.added {
                let partition = items::partition(&step.order.tenant, step.before.generation, &row.subject, shard);
                let present = added.entry((partition, items::sort(row))).or_default();
                *present = present.plus(*sums);
            }
        }
        let notes = steps.iter().map(|step| items::put_counted(&self.table, step));
        let rows = added.into_iter().filter(|(_, sums)| *sums != Sums::default());
        let rows = rows.map(|((partition, sort), sums)| items::add(&self.table, partition, sort, sums));
        notes.chain(rows).collect()
    }
}

impl ReportStore for ReportsTable {
    async fn counted(&self, orders: &[OrderKey]) -> Result<Vec<Counted>, StoreError> {
        let generation = self.generations().await?.counting;
        // Cloned, or the compiler takes the futures for less general than they are.
        let reads = orders.iter().cloned().map(|order| async move { self.counted_of(&order, generation).await });
        stream::iter(reads).buffered(AT_ONCE).try_collect().await
    }

    async fn count(&self, steps: &[Step]) -> Result<(), UpdateError> {
        let call = self.client.transact_write_items().set_transact_items(Some(self.writes(steps)?));
        let call = call.return_consumed_capacity(ReturnConsumedCapacity::Total);
        match Box::pin(call.send()).await {
            Ok(output) => {
                output.consumed_capacity().iter().for_each(|capacity| charged(Some(capacity)));
                Ok(())
            }
            Err(SdkError::ServiceError(error)) => match error.into_err() {
                TransactWriteItemsError::TransactionCanceledException(canceled) => Err(why(&canceled)),
                other => Err(store_error(SdkError::<_, ()>::service_error(other, ())).into()),
            },
            Err(error) => Err(store_error(error).into()),
        }
    }

    async fn rows(&self, query: &RowsQuery) -> Result<Vec<(Row, Sums)>, RowsError> {
        let generation = self.generations().await?.reading;
        let read = AtomicUsize::new(0);
        let parts = (0..self.shards).map(|shard| self.part(query, generation, shard, &read));
        Ok(try_join_all(parts).await?.concat())
    }
}

/// Why nothing of a transaction was written.
fn why(canceled: &TransactionCanceledException) -> UpdateError {
    let is = |codes: &[&str]| {
        let mut reasons = canceled.cancellation_reasons().iter();
        reasons.any(|reason| reason.code().is_some_and(|code| codes.contains(&code)))
    };
    if is(&["ConditionalCheckFailed", "TransactionConflict"]) {
        UpdateError::Conflict
    } else if is(&["ThrottlingError", "ProvisionedThroughputExceeded"]) {
        StoreError::Throttled(canceled.to_string()).into()
    } else {
        StoreError::Rejected(canceled.to_string()).into()
    }
}
