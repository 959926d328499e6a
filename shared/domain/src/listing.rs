//! Pages of orders, newest first.

use std::cmp::Reverse;

use crate::id::{CustomerId, OrderId, TenantId};
use crate::invalid::{Invalid, InvalidCode};
use crate::money::Money;
use crate::order::Order;
use crate::status::{Inventory, Status};
use crate::text::ExternalReference;
use crate::timestamp::Timestamp;

/// Which orders are listed: exactly what an index can answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Filter {
    /// All of the tenant's.
    All,
    /// Those of one status.
    Status(Status),
    /// Those of one customer.
    Customer(CustomerId),
}

impl Filter {
    /// Whether an order belongs in the list.
    #[must_use]
    pub fn matches(&self, order: &Order) -> bool {
        match self {
            Self::All => true,
            Self::Status(status) => order.status == *status,
            Self::Customer(customer) => order.customer.id == *customer,
        }
    }
}

/// How many rows a page has: 1 to 100, 25 when not said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit(u16);

impl Limit {
    /// The most rows of a page.
    pub const MAX: Self = Self(100);

    /// Parses a number of rows.
    ///
    /// # Errors
    /// [`InvalidCode::OutOfRange`] outside 1 to 100, with a sign or a leading zero.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let is_plain = |limit: &u16| limit.to_string() == text;
        let limit = text.parse().ok().filter(|limit| (1..=100).contains(limit) && is_plain(limit));
        limit.map(Self).ok_or_else(|| Invalid::new(InvalidCode::OutOfRange, "must be a number from 1 to 100"))
    }

    /// The number of rows.
    #[must_use]
    pub const fn get(self) -> u16 {
        self.0
    }
}

impl Default for Limit {
    fn default() -> Self {
        Self(25)
    }
}

/// An order's place in every list: by creation, then by id. It never changes, whatever happens to the order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// When the order was created.
    pub created_at: Timestamp,
    /// Its id, to tell apart orders of one millisecond.
    pub id: OrderId,
}

impl Position {
    /// The place of an order.
    #[must_use]
    pub fn of(order: &Order) -> Self {
        Self { created_at: order.created_at, id: order.id }
    }
}

/// A part of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListQuery {
    /// Whose orders.
    pub tenant: TenantId,
    /// Which of them.
    pub filter: Filter,
    /// Only those created later than this.
    pub created_after: Option<Timestamp>,
    /// Only those created earlier than this.
    pub created_before: Option<Timestamp>,
    /// Only those whose place comes after this one, that is, older ones.
    pub after: Option<Position>,
    /// At most so many.
    pub limit: Limit,
}

impl ListQuery {
    /// Whether an order's place lies in the part asked for.
    #[must_use]
    pub fn covers(&self, place: Position) -> bool {
        self.created_after.is_none_or(|after| place.created_at > after)
            && self.created_before.is_none_or(|before| place.created_at < before)
            && self.after.is_none_or(|after| place < after)
    }
}

/// What a list shows of an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderSummary {
    /// Its id.
    pub id: OrderId,
    /// Whose it is.
    pub customer: CustomerId,
    /// Where it is in its life.
    pub status: Status,
    /// What it holds.
    pub inventory: Inventory,
    /// Its total; `None` while not priced.
    pub total: Option<Money>,
    /// The caller's own reference.
    pub external_reference: Option<ExternalReference>,
    /// Its version.
    pub version: u64,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it changed last.
    pub updated_at: Timestamp,
}

impl OrderSummary {
    /// The place of the order in the list.
    #[must_use]
    pub const fn position(&self) -> Position {
        Position { created_at: self.created_at, id: self.id }
    }
}

impl From<&Order> for OrderSummary {
    fn from(order: &Order) -> Self {
        Self {
            id: order.id,
            customer: order.customer.id.clone(),
            status: order.status,
            inventory: order.inventory,
            total: order.lines.total(),
            external_reference: order.details.external_reference.clone(),
            version: order.version,
            created_at: order.created_at,
            updated_at: order.updated_at,
        }
    }
}

/// One page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// The rows, newest first.
    pub orders: Vec<OrderSummary>,
    /// The places of further rows, which cannot be read.
    pub unreadable: Vec<Position>,
    /// Whether there may be more after the last place.
    pub has_more: bool,
}

impl Page {
    /// The places of all its rows, newest first.
    #[must_use]
    pub fn places(&self) -> Vec<Position> {
        let mut places: Vec<_> = self.orders.iter().map(OrderSummary::position).collect();
        places.extend(&self.unreadable);
        places.sort_unstable_by_key(|place| Reverse(*place));
        places
    }

    /// Its last place, which the next page follows.
    #[must_use]
    pub fn end(&self) -> Option<Position> {
        self.places().pop()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_a_number_from_1_to_100_without_sign_and_leading_zero() {
        for (text, rows) in [("1", 1), ("25", 25), ("100", 100)] {
            assert_eq!(Limit::parse(text).map(Limit::get), Ok(rows));
        }
        for bad in ["", "0", "101", "+5", "05", "-1", " 5", "5 ", "5.0", "٥"] {
            assert_eq!(Limit::parse(bad).unwrap_err().code, InvalidCode::OutOfRange, "{bad:?}");
        }
    }
}
