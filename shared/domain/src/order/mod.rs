//! The order: read like a struct, changed only by its rules.

mod change;
mod place;
mod settle;

use std::ops::Deref;

use crate::address::Address;
use crate::fingerprint::Fingerprint;
use crate::history::Entry;
use crate::id::{CustomerId, OrderId, TenantId};
use crate::line::{Lines, RequestedLines};
use crate::metadata::Metadata;
use crate::reservation::Reservation;
use crate::shipment::Shipment;
use crate::status::{Inventory, Status};
use crate::text::{ExternalReference, Notes, Text};
use crate::timestamp::Timestamp;

pub use change::{Edit, Patch, Refused};
pub use place::{Placement, Stock};
pub use settle::{CancelReason, RELEASE_AGAIN_AFTER, SETTLE_WITHIN, Settlement, Step};

/// What a client asks for: everything of an order that comes from outside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderDraft {
    /// Whose order it is.
    pub customer: CustomerId,
    /// What is ordered.
    pub lines: RequestedLines,
    /// Where it goes.
    pub shipping_address: Option<Address>,
    /// The caller's own pairs.
    pub metadata: Metadata,
    /// The caller's own reference.
    pub external_reference: Option<ExternalReference>,
    /// Free text.
    pub notes: Option<Notes>,
}

/// The customer of an order, as the customer service knew it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Customer {
    /// Its id.
    pub id: CustomerId,
    /// Name and address; `None` while unverified.
    pub contact: Option<Contact>,
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
    /// The version that brought these lines; it is part of the reservation's id.
    pub lines_version: u64,
    /// Where it is in its life.
    pub status: Status,
    /// What it holds with the inventory service.
    pub inventory: Inventory,
    /// Where it goes.
    pub shipping_address: Option<Address>,
    /// How it travels.
    pub shipping: Option<Shipment>,
    /// The caller's own pairs.
    pub metadata: Metadata,
    /// The caller's own reference.
    pub external_reference: Option<ExternalReference>,
    /// Free text.
    pub notes: Option<Notes>,
    /// 1, 2, 3 …: one per committed change.
    pub version: u64,
    /// One per write: changes, and notes on settlement that no client sees. It is the condition of every write.
    pub revision: u64,
    /// When version 1 was made.
    pub created_at: Timestamp,
    /// When this version was made.
    pub updated_at: Timestamp,
    /// One entry per version, oldest first; the newest [`Order::HISTORY_KEPT`].
    pub history: Vec<Entry>,
    /// What the client asked for, to tell a retry from another request under the same key.
    pub fingerprint: Fingerprint,
    /// What is still owed to the partners.
    pub settlement: Settlement,
    /// Set once the order is deleted.
    pub deletion: Option<Deletion>,
}

/// When an order was deleted, and when its item may leave the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deletion {
    /// When it was deleted.
    pub at: Timestamp,
    /// When the item expires.
    pub expires_at: Timestamp,
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

    /// Whether the order was deleted: it answers no request any more.
    #[must_use]
    pub const fn is_deleted(&self) -> bool {
        self.0.deletion.is_some()
    }

    /// The reservation that holds the order's present lines.
    #[must_use]
    pub fn reservation(&self) -> Reservation {
        Reservation::of(self.tenant.clone(), self.id, self.lines_version, self.lines.requested())
    }
}
