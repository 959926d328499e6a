//! The order that a write is about, and on which condition.

use uuid::Uuid;

use crate::model::{Order, OrderSummary};

/// Names the order to change. Made of an order or a row of a list, the write is on condition that the order still has
/// this version; made of a bare id, it has no condition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Target {
    pub(crate) id: Uuid,
    pub(crate) version: Option<u64>,
}

impl Target {
    /// This version of this order.
    #[must_use]
    pub const fn at_version(id: Uuid, version: u64) -> Self {
        Self { id, version: Some(version) }
    }

    /// The `If-Match` header: an order's entity tag is its version in quotes.
    pub(crate) fn if_match(&self) -> Option<String> {
        self.version.map(entity_tag)
    }
}

pub(crate) fn entity_tag(version: u64) -> String {
    format!("\"{version}\"")
}

impl From<Uuid> for Target {
    fn from(id: Uuid) -> Self {
        Self { id, version: None }
    }
}

impl From<&Order> for Target {
    fn from(order: &Order) -> Self {
        Self::at_version(order.id, order.version)
    }
}

impl From<&OrderSummary> for Target {
    fn from(order: &OrderSummary) -> Self {
        Self::at_version(order.id, order.version)
    }
}
