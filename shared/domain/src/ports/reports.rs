//! Where it is kept what orders amount to.

use crate::id::TenantId;
use crate::ports::{OrderKey, StoreError, UpdateError};
use crate::report::{self, Day, Rows, Sums};

/// Keeps what all orders of a storefront amount to, and what is counted of each order.
pub trait ReportStore: Send + Sync {
    /// What is counted of each of these orders, strongly consistent, in their order.
    ///
    /// # Errors
    /// [`StoreError`] for each order of which no answer could be had: one that cannot be read holds up no other.
    fn counted(&self, orders: &[OrderKey]) -> impl Future<Output = Vec<Result<Counted, StoreError>>> + Send;

    /// Adds to the rows and replaces what is counted of each order, all of it in one atomic step or nothing.
    ///
    /// # Errors
    /// MUST return [`UpdateError::Conflict`] when other is counted of one of the orders than [`Step::before`]; the store may
    /// also return it when another writer is at work on the same rows. Nothing was counted.
    /// When [`StoreError::may_have_written`], it may have been counted or not.
    fn count(&self, steps: &[Step]) -> impl Future<Output = Result<(), UpdateError>> + Send;

    /// The rows of these days. They may trail the last writes by a moment.
    ///
    /// # Errors
    /// [`RowsError::TooMany`] beyond [`ReportStore::MOST_READ`] rows, or parts of rows in a store that splits them.
    fn rows(&self, query: &RowsQuery) -> impl Future<Output = Result<Rows, RowsError>> + Send;

    /// A bound on what a report is made of: about 15 MB.
    const MOST_READ: usize = 100_000;
}

/// How many orders and rows one [`ReportStore::count`] may change together.
pub const MOST_CHANGED: usize = 100;

/// What is counted of an order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Counted {
    /// How often it was replaced; 0: never, and nothing is counted.
    pub revision: u64,
    /// The version of the order that it is counted as.
    pub version: u64,
    /// The count that it is part of: all orders are counted anew in another.
    pub generation: u64,
    /// The rows that it counts in, and with what.
    pub rows: Rows,
}

/// One order counted anew.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// Which order.
    pub order: OrderKey,
    /// Its version, which it is counted as from now on.
    pub version: u64,
    /// What must be counted of it now.
    pub before: Counted,
    /// What is added to rows.
    pub added: Rows,
}

impl Step {
    /// What is counted of the order after it.
    #[must_use]
    pub fn after(&self) -> Counted {
        let Counted { revision, version: _, generation, mut rows } = self.before.clone();
        for (row, sums) in &self.added {
            report::add(&mut rows, row.clone(), *sums);
        }
        rows.retain(|_, sums| *sums != Sums::default());
        Counted { revision: revision + 1, version: self.version, generation, rows }
    }
}

/// Which rows are asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowsQuery {
    /// Of which storefront.
    pub tenant: TenantId,
    /// Those of products, or those of statuses.
    pub of_products: bool,
    /// The first day.
    pub from: Day,
    /// The last day.
    pub to: Day,
}

/// Why rows could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RowsError {
    /// There are more than a report is made of.
    #[error("the report has too many rows")]
    TooMany,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}
