//! The order: read like a struct, changed only by its rules.

mod change;
mod follow_up;
mod place;

use std::ops::Deref;

use crate::details::Details;
use crate::fingerprint::Fingerprint;
use crate::history::HistoryEntry;
use crate::id::{CustomerId, OrderId, TenantId};
use crate::line::Lines;
use crate::reservation::{Reservation, ReservationId};
use crate::shipment::Shipment;
use crate::status::{Inventory, Status};
use crate::text::Text;
use crate::timestamp::Timestamp;
use crate::trace::TraceParent;

pub use change::{NewLines, Refused};
pub use follow_up::{CancelReason, Due, FollowUp, FollowUpKind, HEAD_START};
pub use place::{Placement, Stock};

/// The customer of an order, as the customer service knew it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Customer {
    /// Its id.
    pub id: CustomerId,
    /// Name and address; `None` while unverified.
    pub contact: Option<Contact>,
}

impl Customer {
    /// The customer of an order that was erased: nobody.
    fn erased() -> Self {
        Self { id: CustomerId::restore("erased"), contact: None }
    }
}

/// How a customer is called and reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contact {
    /// The customer's name.
    pub name: Text<255>,
    /// The customer's e-mail address.
    pub email: Text<320>,
}

/// Everything that is stored of an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderData {
    /// The storefront that owns it.
    pub tenant: TenantId,
    /// Its id.
    pub id: OrderId,
    /// The only region that writes and publishes it.
    pub home_region: String,
    /// Whose order it is.
    pub customer: Customer,
    /// What is ordered.
    pub lines: Lines,
    /// The reservation of these lines.
    pub reservation: ReservationId,
    /// Where it is in its life.
    pub status: Status,
    /// The state of its reservation.
    pub inventory: Inventory,
    /// What else the client says of it.
    pub details: Details,
    /// How it travels.
    pub shipping: Option<Shipment>,
    /// 1, 2, 3 …: one per committed change. It is the condition of every write.
    pub version: u64,
    /// When version 1 was made.
    pub created_at: Timestamp,
    /// When this version was made.
    pub updated_at: Timestamp,
    /// One entry per version, oldest first; the newest [`Order::HISTORY_KEPT`].
    pub history: Vec<HistoryEntry>,
    /// What the client asked for, to tell a retry from another request under the same key.
    pub fingerprint: Fingerprint,
    /// What it still needs; no client sees it.
    pub follow_ups: Vec<FollowUp>,
    /// Set once the order is deleted.
    pub deleted_at: Option<Timestamp>,
}

/// An order. It is read through [`OrderData`]; only the methods of this type make another version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order(OrderData);

impl Deref for Order {
    type Target = OrderData;

    fn deref(&self) -> &OrderData {
        &self.0
    }
}

impl Order {
    /// How many history entries an order keeps.
    pub const HISTORY_KEPT: usize = 100;

    /// An order as it was stored.
    #[must_use]
    pub const fn restore(data: OrderData) -> Self {
        Self(data)
    }

    /// The trace of the change that made this version.
    #[must_use]
    pub fn trace(&self) -> Option<TraceParent> {
        self.history.last()?.stamp.trace
    }

    /// Whether the order is the tombstone of one that was deleted ([`Order::erased`]). Its history says nothing of it: stock
    /// that is released late makes a version.
    #[must_use]
    pub fn is_erased(&self) -> bool {
        self.is_deleted() && self.0.lines.as_slice().is_empty()
    }

    /// Whether the order was deleted: it answers no request any more.
    #[must_use]
    pub const fn is_deleted(&self) -> bool {
        self.0.deleted_at.is_some()
    }

    /// The reservation of the order's present lines, in place of the one that they replaced.
    #[must_use]
    pub fn reservation(&self) -> Reservation {
        Reservation {
            id: self.reservation,
            tenant: self.tenant.clone(),
            order: self.id,
            lines: self.lines.requested(),
            replaces: self.unreleased().next(),
        }
    }
}
