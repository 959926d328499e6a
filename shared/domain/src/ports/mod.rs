//! What the rules need from the world, each with its contract of errors.

mod audit;
mod audit_run;
mod channel;
mod clock;
mod customers;
mod exports;
mod ids;
mod inventory;
mod live;
mod publisher;
mod reports;
mod shared;
mod store;

pub use audit::{
    AuditRuns, AuditTrail, ChangedOrders, ChangedPage, EventRecorder, PerChannel, Seen, Segment, TrailError, Window,
};
pub use audit_run::{Findings, Progress, Run, Tally};
pub use channel::{BatchLimits, ChannelEntry, EventChannel, EventForm};
pub use clock::Clock;
pub use customers::CustomerService;
pub use exports::{ExportFiles, ExportStore, FileError, Link, Rows as ExportRows};
pub use ids::Ids;
pub use inventory::{ConfirmError, InventoryService, ReserveError};
pub use live::{
    Connected, Message, Noted, NotedPage, PostError, RecentChanges, Sockets, Subjects, SubscriptionPage, Subscriptions,
};
pub use publisher::{EventPublisher, PublishError};
pub use reports::{Counted, MOST_CHANGED, ReportStore, RowsError, RowsQuery, Step};
pub use store::{Condition, DueOrder, DuePage, Inserted, OrderKey, OrderStore, StoreError, UpdateError};

/// A partner could not be asked: refused, timed out, answered 5xx or something unreadable.
///
/// Whether the call took effect is unknown.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{service} is unavailable: {detail}")]
pub struct Unavailable {
    /// Which partner.
    pub service: &'static str,
    /// Whether it was called.
    pub outage: Outage,
    /// What happened, for the log; never shown to callers.
    pub detail: String,
}

/// Why a partner could not be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outage {
    /// It was called and gave no usable answer, or the time was up.
    NoAnswer,
    /// Its circuit is open: it was not called, and another call of it now would not be made either.
    CircuitOpen,
}
