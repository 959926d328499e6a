//! An order as the service answers it.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;
use time::OffsetDateTime;
use time::serde::rfc3339;
use uuid::Uuid;

use super::{Address, Inventory, Status};

/// One version of an order.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[non_exhaustive]
pub struct Order {
    /// Names the order for ever.
    pub id: Uuid,
    /// Who bought.
    pub customer: Customer,
    /// What was bought.
    #[serde(default, deserialize_with = "or_empty")]
    pub lines: Vec<Line>,
    /// The sum of all lines; none while the order is `pending` without prices.
    pub total: Option<Money>,
    /// Where the order stands.
    pub status: Status,
    /// What the inventory service holds for it.
    pub inventory: Inventory,
    /// Where it goes.
    pub shipping_address: Option<Address>,
    /// How it goes there.
    pub shipping: Option<Shipment>,
    /// Pairs of the storefront's own.
    #[serde(default)]
    pub metadata: BTreeMap<String, String>,
    /// The storefront's own name of the order.
    pub external_reference: Option<String>,
    /// Free text.
    pub notes: Option<String>,
    /// 1, 2, 3 …, one for each change.
    pub version: u64,
    /// When it was placed.
    #[serde(with = "rfc3339")]
    pub created_at: OffsetDateTime,
    /// When this version was made.
    #[serde(with = "rfc3339")]
    pub updated_at: OffsetDateTime,
    /// The statuses it can move to.
    #[serde(default)]
    pub allowed_transitions: Vec<Status>,
    /// What each version changed, the newest 100.
    #[serde(default, deserialize_with = "or_empty")]
    pub history: Vec<HistoryEntry>,
}

/// The customer as known when the order was placed; name and email are empty until the customer service was asked.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
#[allow(missing_docs, reason = "the names say it")]
pub struct Customer {
    pub id: String,
    pub name: Option<String>,
    pub email: Option<String>,
}

/// One product of an order; name and prices are empty until the inventory service was asked.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
#[allow(missing_docs, reason = "the names say it")]
pub struct Line {
    pub line_id: String,
    pub product_id: String,
    pub name: Option<String>,
    pub quantity: u64,
    pub unit_price: Option<Money>,
    pub total: Option<Money>,
}

/// An amount of money.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Money {
    /// In minor units, such as cents.
    pub amount: i64,
    /// ISO 4217, such as `EUR`.
    pub currency: String,
}

/// How an order travels. Also the body of `PUT /orders/{id}/shipping`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[non_exhaustive]
#[allow(missing_docs, reason = "the names say it")]
pub struct Shipment {
    pub carrier: String,
    pub tracking_number: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tracking_url: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none", with = "rfc3339::option")]
    pub shipped_at: Option<OffsetDateTime>,
    #[serde(default, skip_serializing_if = "Option::is_none", with = "rfc3339::option")]
    pub estimated_delivery: Option<OffsetDateTime>,
}

impl Shipment {
    /// A shipment with the fields that every shipment has.
    #[must_use]
    pub fn new(carrier: impl Into<String>, tracking_number: impl Into<String>) -> Self {
        Self { carrier: carrier.into(), tracking_number: tracking_number.into(), ..Self::default() }
    }

    /// As the service keeps it: digits below the millisecond are dropped.
    pub(crate) fn to_the_millisecond(&self) -> Self {
        let kept = |at: Option<OffsetDateTime>| at.map(OffsetDateTime::truncate_to_millisecond);
        let (shipped_at, estimated_delivery) = (kept(self.shipped_at), kept(self.estimated_delivery));
        Self { shipped_at, estimated_delivery, ..self.clone() }
    }
}

/// What one version changed.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[non_exhaustive]
pub struct HistoryEntry {
    /// The version it made.
    pub version: u64,
    /// When.
    #[serde(with = "rfc3339")]
    pub at: OffsetDateTime,
    /// Who: the token's subject, or the service itself.
    pub actor: String,
    /// By which request.
    pub request_id: String,
    /// The types of the events that announce it.
    #[serde(default)]
    pub events: Vec<String>,
    /// What became different, by field.
    #[serde(default)]
    pub changes: BTreeMap<String, Change>,
}

/// What became of one field.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Change {
    /// The value before, where values are told.
    pub from: Option<Value>,
    /// The value after, where values are told.
    pub to: Option<Value>,
    /// Why, when somebody said so.
    pub reason: Option<String>,
    /// Whether the field was replaced by a value that is not repeated.
    pub replaced: bool,
}

fn or_empty<'de, T: Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<T>, D::Error> {
    Option::deserialize(deserializer).map(Option::unwrap_or_default)
}
