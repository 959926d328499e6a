//! Reports in DynamoDB: rows that orders are added to, and of each order an item that remembers what is counted of it.
//!
//! Rows are spread over shards: those of a product by its id, those of a status by chance, so that writers seldom meet in
//! them; a row is the sum of its parts. How many shards there ever were is noted before one more is written to, so that a
//! release with fewer, or with more, reads them all.

mod items;
mod queue;

use std::collections::BTreeMap;

use aws_config::SdkConfig;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::error::TransactionCanceledException;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnConsumedCapacity, TransactWriteItem};
use domain::ports::{Counted, OrderKey, ReportStore, RowsError, RowsQuery, Step, StoreError, UpdateError};
use domain::report::{self, Rows, Sums};
use futures_util::stream::{self, Stream, StreamExt, TryStreamExt};

use crate::aws;
use crate::config::{self, ConfigError};
use crate::connections::Connection;
use crate::store::{charged, store_error};
use items::{Item, KEY, Layout, SORT};

pub use queue::CountBatch;

/// So many items are read at a time.
const AT_ONCE: usize = 16;

/// Transactions that meet in a row conflict, and one takes milliseconds: a row of a status takes some 100 of them a second in
/// each shard. A transaction counts up to 97 orders.
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

    async fn layout(&self) -> Result<Layout, StoreError> {
        Layout::read(self.item(items::LAYOUT.to_owned(), true).await?)
    }

    /// How rows are kept, for a writer: from here on readers know of its shards.
    async fn layout_to_write(&self) -> Result<Layout, StoreError> {
        let layout = self.layout().await?;
        if layout.shards < self.shards {
            let update = self.client.update_item().table_name(&self.table);
            let update = update.key(KEY, AttributeValue::S(items::LAYOUT.to_owned()));
            let update = update.key(SORT, AttributeValue::S(items::ALONE.to_owned()));
            let update = update.update_expression("SET h = :shards");
            // Whoever has more came first.
            let update = update.condition_expression("attribute_not_exists(h) OR h < :shards");
            let update = update.expression_attribute_values(":shards", items::of_number(self.shards.into()));
            match Box::pin(update.send()).await {
                Ok(_) => {}
                Err(SdkError::ServiceError(error)) if error.err().is_conditional_check_failed_exception() => {}
                Err(error) => return Err(store_error(error)),
            }
        }
        Ok(layout)
    }

    async fn counted_of(&self, order: &OrderKey, generation: u64) -> Result<Counted, StoreError> {
        items::read_counted(self.item(items::order(order), true).await?, generation)
    }

    /// The pages of one shard's parts of the rows.
    fn pages(
        &self,
        query: &RowsQuery,
        generation: u64,
        shard: u32,
    ) -> impl Stream<Item = Result<Vec<Item>, StoreError>> {
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
        stream::try_unfold(Some(None), move |after: Option<Option<Item>>| {
            let call = call.clone();
            async move {
                let Some(after) = after else { return Ok(None) };
                let page = Box::pin(call.set_exclusive_start_key(after).send()).await.map_err(store_error)?;
                charged(page.consumed_capacity());
                let next = page.last_evaluated_key.map(Some);
                Ok(Some((page.items.unwrap_or_default(), next)))
            }
        })
    }

    /// What is written: what is counted of each order, and of each row one part.
    fn writes(&self, steps: &[Step]) -> Result<Vec<TransactWriteItem>, StoreError> {
        let any = fastrand::u32(..self.shards);
        let mut added = BTreeMap::<(String, String), Sums>::new();
        for step in steps {
            for (row, sums) in &step.added {
                let (tenant, generation) = (&step.order.tenant, step.before.generation);
                let partition = items::partition(tenant, generation, &row.subject, self.shards, any);
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
    async fn counted(&self, orders: &[OrderKey]) -> Vec<Result<Counted, StoreError>> {
        let generation = match self.layout_to_write().await {
            Ok(layout) => layout.counting,
            Err(error) => return vec![Err(error); orders.len()],
        };
        // Cloned, or the compiler takes the futures for less general than they are.
        let reads = orders.iter().cloned().map(|order| async move { self.counted_of(&order, generation).await });
        stream::iter(reads).buffered(AT_ONCE).collect().await
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

    async fn rows(&self, query: &RowsQuery) -> Result<Rows, RowsError> {
        let layout = self.layout().await?;
        let shards = 0..self.shards.max(layout.shards);
        let pages = shards.map(|shard| Box::pin(self.pages(query, layout.reading, shard)));
        let mut pages = stream::iter(pages).flatten_unordered(AT_ONCE);
        let (mut rows, mut read) = (Rows::new(), 0);
        while let Some(page) = pages.try_next().await? {
            read += page.len();
            if read > Self::MOST_READ {
                return Err(RowsError::TooMany);
            }
            for item in page {
                let (row, sums) = items::read_row(&item, query.of_products)?;
                report::add(&mut rows, row, sums);
            }
        }
        Ok(rows)
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
