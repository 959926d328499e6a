//! Where orders are kept.

use crate::id::{OrderId, TenantId};
use crate::listing::{ListQuery, Page};
use crate::order::Order;
use crate::timestamp::Timestamp;

/// Keeps orders, one item each, with conditional writes.
pub trait OrderStore: Send + Sync {
    /// Stores a new order unless its id is taken, in one atomic step.
    ///
    /// # Errors
    /// MUST NOT answer an error when the id is taken: that is [`Inserted::Existing`].
    /// When [`StoreError::may_have_written`], the order may be stored or not; otherwise it is not.
    fn insert(&self, order: &Order) -> impl Future<Output = Result<Inserted, StoreError>> + Send;

    /// Reads an order with strong consistency. `None`: this tenant has no order of this id.
    ///
    /// # Errors
    /// [`StoreError`] when no answer could be had.
    fn get(&self, tenant: &TenantId, id: OrderId) -> impl Future<Output = Result<Option<Order>, StoreError>> + Send;

    /// Replaces what differs between `before` and `after`, on condition that the stored order is still `before` in what
    /// `condition` names, in one atomic step. Follow-ups that are the same in both stay as they are stored.
    ///
    /// # Errors
    /// MUST return [`UpdateError::Conflict`] when the condition does not hold, or the order is gone; nothing was written.
    /// When [`StoreError::may_have_written`], the change may be stored or not; otherwise it is not.
    fn update(
        &self,
        before: &Order,
        after: &Order,
        condition: Condition,
    ) -> impl Future<Output = Result<(), UpdateError>> + Send;

    /// Orders at home in this store's region that the sweep takes up by `now` ([`Order::swept_at`]), of one shard of the
    /// index, the longest due first, those that follow `after`, at most `limit`. It may trail the last writes by a moment.
    ///
    /// MUST NOT miss an order that was due all the time when each page starts where the page before says.
    ///
    /// # Errors
    /// [`StoreError`] when no answer could be had.
    fn due(
        &self,
        shard: u32,
        now: Timestamp,
        after: Option<&DueOrder>,
        limit: u16,
    ) -> impl Future<Output = Result<DuePage, StoreError>> + Send;

    /// How many shards [`OrderStore::due`] has.
    fn shards(&self) -> u32;

    /// Has an order that this release cannot work on come up in [`OrderStore::due`] later, without reading it; the log
    /// says why. MUST NOT have an order come up that needs nothing, nor earlier than it would.
    ///
    /// # Errors
    /// [`StoreError`]; it may come up at once again.
    fn put_off(
        &self,
        key: &OrderKey,
        until: Timestamp,
        cause: &str,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// One page of a tenant's orders, newest first, without the deleted ones. It may trail the last writes by a moment.
    ///
    /// MUST NOT miss an order that matched all the time, nor show one twice, when each page starts after the last place
    /// ([`Page::end`]) of the page before. A row that cannot be read fails no page: it takes one of the places.
    ///
    /// # Errors
    /// [`StoreError`] when no answer could be had.
    fn list(&self, query: &ListQuery) -> impl Future<Output = Result<Page, StoreError>> + Send;
}

/// What names an order.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OrderKey {
    /// The storefront.
    pub tenant: TenantId,
    /// The order.
    pub id: OrderId,
}

/// An order of the index of what is due.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct DueOrder {
    /// Since when the sweep may take it up.
    pub at: Timestamp,
    /// Which order.
    pub key: OrderKey,
}

/// A page of what is due.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DuePage {
    /// The longest due first.
    pub orders: Vec<DueOrder>,
    /// What the next page follows; `None`: this is the last.
    pub next: Option<DueOrder>,
}

/// What must be as it was read for a change to be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Condition {
    /// The version: a client's change, which leaves follow-ups that it does not know of as they are.
    Version,
    /// The version and the follow-ups: what was done for an order is noted by one of those who did it.
    VersionAndFollowUps,
}

/// Why an order was not replaced.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UpdateError {
    /// Another writer came first.
    #[error("the order has another version")]
    Conflict,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What became of an insertion.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Inserted {
    /// The order is stored.
    New,
    /// The id was taken by this order; nothing was written.
    Existing(Box<Order>),
}

/// Why the store did not do as asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// Too many requests. A write may have happened: client libraries try again, and report the last attempt.
    #[error("the store is throttling: {0}")]
    Throttled(String),
    /// No answer, so a write may have happened or not.
    #[error("the store is unavailable: {0}")]
    Unavailable(String),
    /// The store refused the request as such. An earlier attempt of the client library may have been written.
    #[error("the store refused the request: {0}")]
    Rejected(String),
    /// The order is larger than the store takes; nothing was written.
    #[error("the order is too large to be stored")]
    TooLarge,
    /// What is stored cannot be read as an order by this release.
    #[error("a stored order cannot be read: {0}")]
    Corrupt(String),
}

impl StoreError {
    /// Whether a write that ended so may have happened.
    #[must_use]
    pub const fn may_have_written(&self) -> bool {
        match self {
            Self::Throttled(_) | Self::Unavailable(_) | Self::Rejected(_) => true,
            Self::TooLarge | Self::Corrupt(_) => false,
        }
    }
}
