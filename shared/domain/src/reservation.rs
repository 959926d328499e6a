//! What an order holds with the inventory service.

use std::fmt;

use uuid::Uuid;

use crate::id::{OrderId, ProductId, TenantId, hash_to_uuid};
use crate::line::RequestedLines;

/// The id of a reservation, derived from the order, its lines and the version that brings them: a retry repeats the same reservation, and another
/// body under the same idempotency key cannot touch it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ReservationId(Uuid);

impl ReservationId {
    /// The id of the reservation of the lines that this version of the order brings.
    #[must_use]
    pub fn derive(order: OrderId, version: u64, lines: &RequestedLines) -> Self {
        let (order, version) = (order.to_string(), version.to_string());
        let quantities: Vec<String> = lines.iter().map(|(_, quantity)| quantity.get().to_string()).collect();
        let mut parts = vec!["reservation", order.as_str(), version.as_str()];
        for ((product, _), quantity) in lines.iter().zip(&quantities) {
            parts.extend([product.as_str(), quantity.as_str()]);
        }
        Self(hash_to_uuid(&parts))
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

/// A hold on stock for one order: all lines or none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reservation {
    /// Its id.
    pub id: ReservationId,
    /// The storefront.
    pub tenant: TenantId,
    /// The order it is for.
    pub order: OrderId,
    /// What is held.
    pub lines: RequestedLines,
}

impl Reservation {
    /// The reservation of the lines that this version of the order brings.
    #[must_use]
    pub fn of(tenant: TenantId, order: OrderId, version: u64, lines: RequestedLines) -> Self {
        Self { id: ReservationId::derive(order, version, &lines), tenant, order, lines }
    }
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
