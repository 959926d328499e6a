//! What happened to an order: one entry per committed version, with the events that it stands for.

use crate::details::Field;
use crate::money::Money;
use crate::status::{Inventory, Status};
use crate::text::Reason;
use crate::timestamp::Timestamp;
use crate::trace::TraceParent;
use crate::unrecognized::Unrecognized;

/// Who makes a change, when, and on behalf of which request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stamp {
    /// The time of the change.
    pub at: Timestamp,
    /// The caller's subject, or the name of the function that acts on its own.
    pub actor: String,
    /// Lambda's id of the invocation, which no client can choose: it also tells one's own write from another's.
    pub request_id: String,
    /// The trace that the change is part of.
    pub trace: Option<TraceParent>,
}

impl Stamp {
    /// The stamp of work that an earlier change asked for: it goes on in the trace of that change.
    #[must_use]
    pub fn continuing(&self, earlier: Option<TraceParent>) -> Self {
        let trace = earlier.map(|earlier| self.trace.map_or(earlier, |own| earlier.continued_by(own)));
        Self { trace: trace.or(self.trace), ..self.clone() }
    }
}

/// One committed version of an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistoryEntry {
    /// The version it made, from 1.
    pub version: u64,
    /// Who made it, and when.
    pub stamp: Stamp,
    /// The events it stands for, in order.
    pub events: Vec<EventKind>,
    /// What became different.
    pub changes: Vec<Change>,
}

/// One thing that became different; large or personal values are named, not repeated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// The status moved.
    Status {
        /// The status before.
        from: Status,
        /// The status after.
        to: Status,
        /// Why, when the caller said so.
        reason: Option<Reason>,
    },
    /// The reservation changed.
    Inventory {
        /// The state before.
        from: Inventory,
        /// The state after.
        to: Inventory,
    },
    /// The total changed.
    Total {
        /// The total before.
        from: Option<Money>,
        /// The total after.
        to: Option<Money>,
    },
    /// Another field was replaced.
    Replaced(Field),
}

/// What an event says happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EventKind {
    /// The order exists.
    OrderCreated,
    /// Fields of the order were replaced.
    OrderUpdated,
    /// The order became confirmed.
    OrderConfirmed,
    /// The order became shipped.
    OrderShipped,
    /// The order became delivered.
    OrderDelivered,
    /// The order became canceled.
    OrderCanceled,
    /// The order was deleted.
    OrderDeleted,
    /// Its lines are reserved with the inventory service.
    InventoryReserved,
    /// Nothing is reserved for it any more.
    InventoryReleased,
    /// An event of a newer release.
    Unrecognized(Unrecognized),
}

impl EventKind {
    /// Every kind of this release.
    pub const ALL: [Self; 9] = [
        Self::OrderCreated,
        Self::OrderUpdated,
        Self::OrderConfirmed,
        Self::OrderShipped,
        Self::OrderDelivered,
        Self::OrderCanceled,
        Self::OrderDeleted,
        Self::InventoryReserved,
        Self::InventoryReleased,
    ];

    /// The CloudEvents `type`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::OrderCreated => "order.created",
            Self::OrderUpdated => "order.updated",
            Self::OrderConfirmed => "order.confirmed",
            Self::OrderShipped => "order.shipped",
            Self::OrderDelivered => "order.delivered",
            Self::OrderCanceled => "order.canceled",
            Self::OrderDeleted => "order.deleted",
            Self::InventoryReserved => "inventory.reserved",
            Self::InventoryReleased => "inventory.released",
            Self::Unrecognized(name) => name.as_str(),
        }
    }

    /// The kind that was stored under this name.
    #[must_use]
    pub fn restore(name: &str) -> Self {
        let known = Self::ALL.into_iter().find(|kind| kind.as_str() == name);
        known.unwrap_or_else(|| Self::Unrecognized(Unrecognized::new(name)))
    }
}
