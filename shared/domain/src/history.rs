//! What happened to an order: one entry per committed version.

use crate::event::EventKind;
use crate::money::Money;
use crate::status::{Inventory, Status};
use crate::text::Reason;
use crate::timestamp::Timestamp;

/// Who makes a change, when, and on behalf of which request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stamp {
    /// The time of the change.
    pub at: Timestamp,
    /// The caller's subject, or the name of the function that acts on its own.
    pub actor: String,
    /// The request id, unique per request: it also tells one's own write from another's.
    pub request_id: String,
}

/// One committed version of an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
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
    /// The hold on stock changed.
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

/// A field whose values are not repeated in the history.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Field {
    /// `customer`
    Customer,
    /// `lines`
    Lines,
    /// `shipping_address`
    ShippingAddress,
    /// `shipping`
    Shipping,
    /// `metadata`
    Metadata,
    /// `external_reference`
    ExternalReference,
    /// `notes`
    Notes,
}

impl Field {
    /// Every field.
    pub const ALL: [Self; 7] = [
        Self::Customer,
        Self::Lines,
        Self::ShippingAddress,
        Self::Shipping,
        Self::Metadata,
        Self::ExternalReference,
        Self::Notes,
    ];

    /// The field's name on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Customer => "customer",
            Self::Lines => "lines",
            Self::ShippingAddress => "shipping_address",
            Self::Shipping => "shipping",
            Self::Metadata => "metadata",
            Self::ExternalReference => "external_reference",
            Self::Notes => "notes",
        }
    }
}
