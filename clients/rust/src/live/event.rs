//! What is told of orders.

use serde::Deserialize;
use serde_json::Value;
use time::OffsetDateTime;
use time::serde::rfc3339;
use uuid::Uuid;

use crate::model::Order;

/// Something to be told of.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Update {
    /// An order has changed.
    Event(Box<Event>),
    /// Changes were made of which the service knows no more: read the order, or list all.
    Missed(Missed),
}

/// One event of one version of an order.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[non_exhaustive]
pub struct Event {
    /// `<order>:<version>:<n>`, the same however often it is sent.
    pub id: String,
    /// What happened, such as `order.shipped`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The order.
    #[serde(rename = "subject")]
    pub order_id: Uuid,
    /// The order's version.
    #[serde(rename = "sequence", deserialize_with = "number")]
    pub version: u64,
    /// When it was made.
    #[serde(with = "rfc3339")]
    pub time: OffsetDateTime,
    /// The order, and what became different, as docs/events.md says.
    pub data: Value,
}

impl Event {
    /// The order as it was when the event was sent; none when it was left out because of its size.
    #[must_use]
    pub fn order(&self) -> Option<Order> {
        Order::deserialize(self.data.get("order")?).ok()
    }
}

/// Versions of which the service knows no more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct Missed {
    /// The order; none: too many orders to be named.
    pub order_id: Option<Uuid>,
    /// The first version that is missing.
    pub from: Option<u64>,
    /// The last one.
    pub to: Option<u64>,
}

/// Digits.
fn number<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    let text = String::deserialize(deserializer)?;
    text.parse().map_err(serde::de::Error::custom)
}
