//! What is needed to compare histories with what came out of bus and feed.

use std::collections::{BTreeMap, BTreeSet};

use crate::event::EventId;
use crate::id::OrderId;
use crate::order::Order;
use crate::ports::{OrderKey, Run, StoreError};
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

/// One thing for each channel of events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PerChannel<T> {
    /// For the bus, which routes and filters.
    pub bus: T,
    /// For the feed, which keeps each order's events in order.
    pub feed: T,
}

/// The events of one order that came out.
pub type Seen = PerChannel<BTreeSet<EventId>>;

/// One of the equal parts that a table is read in, side by side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Segment {
    /// Which, from 0.
    pub index: u32,
    /// Of how many.
    pub of: u32,
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
    /// One page of the orders of this segment that are at home in this region and changed at `from` or later, deleted ones
    /// as well. A page may be empty and not the last.
    ///
    /// MUST NOT miss an order that changed a minute before the page was asked for; what is younger it may miss.
    ///
    /// # Errors
    /// [`StoreError`] when no answer could be had.
    fn changed_since(
        &self,
        from: Timestamp,
        segment: Segment,
        page: Option<&OrderKey>,
    ) -> impl Future<Output = Result<ChangedPage, StoreError>> + Send;
}

/// Takes down which events came out.
pub trait EventRecorder: Send + Sync {
    /// Adds to what came out of the events of one order. Recording an event twice changes nothing.
    ///
    /// # Errors
    /// [`TrailError::Unavailable`] when it may not have been recorded.
    fn record(
        &self,
        order: OrderId,
        seen: &Seen,
        now: Timestamp,
    ) -> impl Future<Output = Result<(), TrailError>> + Send;

    /// Notes that everything up to this marker was recorded, see [`AuditTrail::has_passed`].
    ///
    /// # Errors
    /// [`TrailError::Unavailable`] when it may not have been noted.
    fn pass(&self, marker: &str, now: Timestamp) -> impl Future<Output = Result<(), TrailError>> + Send;
}

/// Remembers which events came out, by order. What came out more than two weeks ago may be forgotten.
pub trait AuditTrail: Send + Sync {
    /// What came out of the events of these orders; an order that is left out had none.
    ///
    /// # Errors
    /// [`TrailError::Unavailable`] when no answer could be had.
    fn seen(&self, orders: &[OrderId]) -> impl Future<Output = Result<BTreeMap<OrderId, Seen>, TrailError>> + Send;

    /// Whether the trail has recorded what came out before this was first asked for the marker, what had to be retried as
    /// well. It may wait some seconds for that. Without it, what the trail lacks may only be late.
    ///
    /// # Errors
    /// [`TrailError::Unavailable`] when no answer could be had.
    fn has_passed(&self, marker: &str, now: Timestamp) -> impl Future<Output = Result<bool, TrailError>> + Send;
}

/// Keeps how far a comparison has come.
pub trait AuditRuns: Send + Sync {
    /// The run of this name, as it was saved last.
    ///
    /// # Errors
    /// [`TrailError::Unavailable`] when no answer could be had.
    fn load(&self, name: &str) -> impl Future<Output = Result<Option<Run>, TrailError>> + Send;

    /// Saves a run in the place of the one with the revision before it; revision 1 has none before it.
    ///
    /// # Errors
    /// [`TrailError::Taken`] when another revision is there; [`TrailError::Unavailable`] when no answer could be had.
    fn save(&self, run: &Run) -> impl Future<Output = Result<(), TrailError>> + Send;
}

/// Why the audit trail was of no use.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TrailError {
    /// It gave no usable answer.
    #[error("the audit trail cannot be used: {0}")]
    Unavailable(String),
    /// Another invocation works on the same run.
    #[error("another invocation works on this run")]
    Taken,
}
