//! What is needed to compare histories with what came out of the bus.

use crate::event::EventId;
use crate::order::Order;
use crate::ports::{OrderKey, StoreError};
use crate::timestamp::Timestamp;

/// A span of time, without its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// The first instant.
    pub from: Timestamp,
    /// The first instant after it.
    pub to: Timestamp,
}

impl Window {
    /// Whether the instant lies in it.
    #[must_use]
    pub fn contains(&self, at: Timestamp) -> bool {
        (self.from..self.to).contains(&at)
    }
}

/// Some of the orders that changed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ChangedPage {
    /// The orders, in no order.
    pub orders: Vec<Order>,
    /// Where the next page begins; `None`: this is the last.
    pub next: Option<OrderKey>,
}

/// Finds orders by when they changed. It may read every order there is: it is for audits, not for requests.
pub trait ChangedOrders: Send + Sync {
    /// One page of the orders at home in this region that changed at `from` or later, deleted ones as well.
    ///
    /// MUST NOT miss an order that changed before the first page was asked for.
    ///
    /// # Errors
    /// [`StoreError`] when no answer could be had.
    fn changed_since(
        &self,
        from: Timestamp,
        page: Option<&OrderKey>,
    ) -> impl Future<Output = Result<ChangedPage, StoreError>> + Send;
}

/// An event that came out of the bus.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Seen {
    /// Its id.
    pub id: EventId,
    /// When its version was committed.
    pub at: Timestamp,
}

/// Remembers what came out of the bus.
pub trait AuditTrail: Send + Sync {
    /// Everything that came out for versions committed at `from` or later. What is older may be forgotten.
    ///
    /// # Errors
    /// [`TrailError`] when no answer could be had.
    fn seen_since(&self, from: Timestamp) -> impl Future<Output = Result<Vec<Seen>, TrailError>> + Send;
}

/// The audit trail could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the audit trail cannot be read: {0}")]
pub struct TrailError(pub String);
