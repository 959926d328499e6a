//! An order as clients and event consumers see it.

use std::collections::BTreeMap;

use domain::address::Address;
use domain::details::Details;
use domain::history::{Change, HistoryEntry};
use domain::line::Line;
use domain::order::Order;
use domain::shipment::Shipment;
use domain::status::Status;
use domain::text::Text;
use serde::Serialize;
use serde_json::{Value, json};

use super::money_view::MoneyView;

/// The JSON form of an order.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schemas", derive(schemars::JsonSchema), schemars(rename = "Order"))]
pub struct OrderView<'a> {
    #[cfg_attr(feature = "schemas", schemars(extend("format" = "uuid")))]
    id: String,
    customer: CustomerView<'a>,
    /// Absent in an event that would be too large with them.
    #[serde(skip_serializing_if = "Option::is_none")]
    lines: Option<Vec<LineView<'a>>>,
    /// The sum of the lines; `null` until the inventory service has priced them.
    total: Option<MoneyView>,
    /// The order's stage. Releases to come may add some.
    #[cfg_attr(feature = "schemas", schemars(extend("enum" = super::schema::statuses())))]
    status: &'a str,
    /// The state of the reservation of the lines. Releases to come may add some.
    #[cfg_attr(feature = "schemas", schemars(extend("enum" = super::schema::inventories())))]
    inventory: &'a str,
    shipping_address: Option<AddressView<'a>>,
    shipping: Option<ShipmentView<'a>>,
    /// The client's own pairs.
    metadata: &'a BTreeMap<String, String>,
    /// The client's own reference.
    external_reference: Option<&'a str>,
    notes: Option<&'a str>,
    /// 1, 2, 3 … one per change; the `ETag` is this number in quotes.
    #[cfg_attr(feature = "schemas", schemars(range(min = 1)))]
    version: u64,
    #[cfg_attr(feature = "schemas", schemars(extend("format" = "date-time")))]
    created_at: String,
    #[cfg_attr(feature = "schemas", schemars(extend("format" = "date-time")))]
    updated_at: String,
    /// The statuses that the order may move to now.
    #[cfg_attr(feature = "schemas", schemars(with = "Vec<super::schema::StatusName>"))]
    allowed_transitions: Vec<&'a str>,
    /// The newest 100 versions, oldest first. Absent in an event that would be too large with it.
    #[serde(skip_serializing_if = "Option::is_none")]
    history: Option<Vec<EntryView<'a>>>,
}

/// Who ordered, as the customer service knew them then.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schemas", derive(schemars::JsonSchema), schemars(rename = "Customer"))]
struct CustomerView<'a> {
    id: &'a str,
    /// `null`, like the address, until the customer service has answered.
    name: Option<&'a str>,
    email: Option<&'a str>,
}

/// A line of an order. Name and prices are `null` until the inventory service has priced it.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schemas", derive(schemars::JsonSchema), schemars(rename = "Line"))]
struct LineView<'a> {
    /// Names the line within its order.
    line_id: String,
    product_id: &'a str,
    name: Option<&'a str>,
    quantity: u32,
    unit_price: Option<MoneyView>,
    total: Option<MoneyView>,
}

/// A postal address.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schemas", derive(schemars::JsonSchema), schemars(rename = "Address"))]
struct AddressView<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    line1: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    line2: Option<&'a str>,
    city: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    state: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    postal_code: Option<&'a str>,
    country: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    phone: Option<&'a str>,
}

/// Who carries the order, and where it can be followed.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schemas", derive(schemars::JsonSchema), schemars(rename = "Shipping"))]
struct ShipmentView<'a> {
    carrier: &'a str,
    tracking_number: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    tracking_url: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    service: Option<&'a str>,
    #[cfg_attr(feature = "schemas", schemars(extend("format" = "date-time")))]
    #[serde(skip_serializing_if = "Option::is_none")]
    shipped_at: Option<String>,
    #[cfg_attr(feature = "schemas", schemars(extend("format" = "date-time")))]
    #[serde(skip_serializing_if = "Option::is_none")]
    estimated_delivery: Option<String>,
}

/// One version of an order.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schemas", derive(schemars::JsonSchema), schemars(rename = "HistoryEntry"))]
struct EntryView<'a> {
    #[cfg_attr(feature = "schemas", schemars(range(min = 1)))]
    version: u64,
    #[cfg_attr(feature = "schemas", schemars(extend("format" = "date-time")))]
    at: String,
    /// The `sub` of the token, or the part of the service that made the change.
    actor: &'a str,
    request_id: &'a str,
    /// The types of the events that announce this version.
    events: Vec<&'a str>,
    changes: ChangesView<'a>,
}

/// What became different, by field: `{"status": {"from": …, "to": …}}`, and `{"replaced": true}` for fields whose
/// values are not repeated.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schemas", derive(schemars::JsonSchema), schemars(with = "super::schema::Changes"))]
#[serde(transparent)]
pub struct ChangesView<'a>(BTreeMap<&'a str, Value>);

impl<'a> From<&'a Order> for OrderView<'a> {
    /// Takes the details apart, so that a field that is not shown does not compile.
    fn from(order: &'a Order) -> Self {
        let Details { shipping_address, metadata, external_reference, notes } = &order.details;
        let contact = order.customer.contact.as_ref();
        Self {
            id: order.id.to_string(),
            customer: CustomerView {
                id: order.customer.id.as_str(),
                name: contact.map(|contact| contact.name.as_str()),
                email: contact.map(|contact| contact.email.as_str()),
            },
            lines: Some(order.lines.as_slice().iter().map(Into::into).collect()),
            total: order.lines.total().map(Into::into),
            status: order.status.as_str(),
            inventory: order.inventory.as_str(),
            shipping_address: shipping_address.as_ref().map(Into::into),
            shipping: order.shipping.as_ref().map(Into::into),
            metadata: metadata.as_map(),
            external_reference: text(external_reference.as_ref()),
            notes: text(notes.as_ref()),
            version: order.version,
            created_at: order.created_at.to_string(),
            updated_at: order.updated_at.to_string(),
            allowed_transitions: order.status.allowed().iter().map(Status::as_str).collect(),
            history: Some(order.history.iter().map(Into::into).collect()),
        }
    }
}

impl OrderView<'_> {
    /// The order without what has no small bound: for an event that would be too large with it.
    #[must_use]
    pub fn without_history_and_lines(self) -> Self {
        Self { lines: None, history: None, ..self }
    }

    /// The order without its history: for a file that holds many.
    #[must_use]
    pub fn without_history(self) -> Self {
        Self { history: None, ..self }
    }

    /// The order with the newest entry of its history alone: for an answer that holds many.
    #[must_use]
    pub fn with_newest_entry(mut self) -> Self {
        self.history = self.history.map(|mut entries| entries.split_off(entries.len().saturating_sub(1)));
        self
    }
}

impl<'a> From<&'a Line> for LineView<'a> {
    fn from(line: &'a Line) -> Self {
        let price = line.price.as_ref();
        Self {
            line_id: line.id.to_string(),
            product_id: line.product.as_str(),
            name: price.map(|price| price.name.as_str()),
            quantity: line.quantity.get(),
            unit_price: price.map(|price| price.unit_price.into()),
            total: price.map(|price| price.total.into()),
        }
    }
}

impl<'a> From<&'a Address> for AddressView<'a> {
    fn from(address: &'a Address) -> Self {
        Self {
            name: text(address.name.as_ref()),
            line1: address.line1.as_str(),
            line2: text(address.line2.as_ref()),
            city: address.city.as_str(),
            state: text(address.state.as_ref()),
            postal_code: text(address.postal_code.as_ref()),
            country: address.country.as_str(),
            phone: text(address.phone.as_ref()),
        }
    }
}

impl<'a> From<&'a Shipment> for ShipmentView<'a> {
    fn from(shipment: &'a Shipment) -> Self {
        Self {
            carrier: shipment.carrier.as_str(),
            tracking_number: shipment.tracking_number.as_str(),
            tracking_url: shipment.tracking_url.as_ref().map(|url| url.as_str()),
            service: text(shipment.service.as_ref()),
            shipped_at: shipment.shipped_at.map(|at| at.to_string()),
            estimated_delivery: shipment.estimated_delivery.map(|at| at.to_string()),
        }
    }
}

impl<'a> From<&'a HistoryEntry> for EntryView<'a> {
    fn from(entry: &'a HistoryEntry) -> Self {
        Self {
            version: entry.version,
            at: entry.stamp.at.to_string(),
            actor: &entry.stamp.actor,
            request_id: &entry.stamp.request_id,
            events: entry.events.iter().map(|kind| kind.as_str()).collect(),
            changes: ChangesView::from(entry.changes.as_slice()),
        }
    }
}

impl<'a> From<&'a [Change]> for ChangesView<'a> {
    fn from(changes: &'a [Change]) -> Self {
        Self(changes.iter().map(change).collect())
    }
}

fn change(change: &Change) -> (&str, Value) {
    match change {
        Change::Status { from, to, reason: None } => ("status", json!({"from": from.as_str(), "to": to.as_str()})),
        Change::Status { from, to, reason: Some(reason) } => {
            ("status", json!({"from": from.as_str(), "to": to.as_str(), "reason": reason.as_str()}))
        }
        Change::Inventory { from, to } => ("inventory", json!({"from": from.as_str(), "to": to.as_str()})),
        Change::Total { from, to } => {
            ("total", json!({"from": from.map(MoneyView::from), "to": to.map(MoneyView::from)}))
        }
        Change::Replaced(field) => (field.as_str(), json!({"replaced": true})),
    }
}

fn text<const MAX: usize>(text: Option<&Text<MAX>>) -> Option<&str> {
    text.map(Text::as_str)
}
