//! What an order reserves with the inventory service.

use std::fmt;

use uuid::Uuid;

use crate::id::{OrderId, ProductId, TenantId, hash_to_uuid};
use crate::line::RequestedLines;

/// The id of a reservation. A reservation is final once it is released, so an id is never used for other lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ReservationId(Uuid);

impl ReservationId {
    /// The reservation of a new order, derived from its lines: a retry repeats the same reservation, and another body
    /// under the same idempotency key cannot touch it.
    #[must_use]
    pub fn of_new_order(order: OrderId, lines: &RequestedLines) -> Self {
        let order = order.to_string();
        let quantities: Vec<String> = lines.iter().map(|(_, quantity)| quantity.get().to_string()).collect();
        let mut parts = vec!["reservation", order.as_str()];
        for ((product, _), quantity) in lines.iter().zip(&quantities) {
            parts.extend([product.as_str(), quantity.as_str()]);
        }
        Self(hash_to_uuid(&parts))
    }

    /// The reservation of one attempt to change an order's lines: no other attempt has it, so releasing it hurts nobody.
    #[must_use]
    pub fn of_attempt(order: OrderId, request_id: &str, attempt: usize) -> Self {
        Self(hash_to_uuid(&["attempt", &order.to_string(), request_id, &attempt.to_string()]))
    }

    /// The UUID.
    #[must_use]
    pub const fn as_uuid(&self) -> &Uuid {
        &self.0
    }

    /// Takes a UUID as a reservation id.
    #[must_use]
    pub const fn from_uuid(uuid: Uuid) -> Self {
        Self(uuid)
    }
}

impl fmt::Display for ReservationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.as_hyphenated().fmt(f)
    }
}

/// Stock reserved for one order: all lines or none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reservation {
    /// Its id.
    pub id: ReservationId,
    /// The storefront.
    pub tenant: TenantId,
    /// The order it is for.
    pub order: OrderId,
    /// What is reserved.
    pub lines: RequestedLines,
    /// The order's present reservation, whose units count as available for this one.
    pub replaces: Option<ReservationId>,
}

/// A product of which fewer units are free than asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shortage {
    /// The product.
    pub product: ProductId,
    /// Units asked for.
    pub requested: u32,
    /// Units free.
    pub available: u32,
}
