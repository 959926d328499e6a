//! The bodies that a client sends, and whether an order already has what they ask for.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{Address, Order, Patch, Shipment, Status};

/// An order to be placed.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[non_exhaustive]
#[allow(missing_docs, reason = "the same as of an order")]
pub struct NewOrder {
    pub customer_id: String,
    pub lines: Vec<LineRequest>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shipping_address: Option<Address>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub metadata: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub external_reference: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub notes: Option<String>,
}

/// A product and how many of it; its price is the inventory service's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[allow(missing_docs, reason = "the names say it")]
pub struct LineRequest {
    pub product_id: String,
    pub quantity: u32,
}

/// An edit: fields that are given are replaced.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[allow(missing_docs, reason = "the same as of an order")]
pub struct Edit {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lines: Option<Vec<LineRequest>>,
    #[serde(skip_serializing_if = "Patch::is_keep")]
    pub shipping_address: Patch<Address>,
    #[serde(skip_serializing_if = "Patch::is_keep")]
    pub metadata: Patch<BTreeMap<String, String>>,
    #[serde(skip_serializing_if = "Patch::is_keep")]
    pub external_reference: Patch<String>,
    #[serde(skip_serializing_if = "Patch::is_keep")]
    pub notes: Patch<String>,
}

/// A move to another status.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[allow(missing_docs, reason = "the names say it")]
pub struct Move {
    pub status: Status,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

impl NewOrder {
    /// An order of this customer, without lines yet.
    #[must_use]
    pub fn new(customer_id: impl Into<String>) -> Self {
        Self { customer_id: customer_id.into(), ..Self::default() }
    }

    /// Adds a line.
    #[must_use]
    pub fn line(mut self, product_id: impl Into<String>, quantity: u32) -> Self {
        self.lines.push(LineRequest::new(product_id, quantity));
        self
    }

    /// Sets the address.
    #[must_use]
    pub fn ship_to(self, address: Address) -> Self {
        Self { shipping_address: Some(address), ..self }
    }

    /// Adds a pair of the storefront's own.
    #[must_use]
    pub fn metadata(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.metadata.insert(key.into(), value.into());
        self
    }

    /// Sets the storefront's own name of the order.
    #[must_use]
    pub fn external_reference(self, reference: impl Into<String>) -> Self {
        Self { external_reference: Some(reference.into()), ..self }
    }

    /// Sets the free text.
    #[must_use]
    pub fn notes(self, notes: impl Into<String>) -> Self {
        Self { notes: Some(notes.into()), ..self }
    }
}

impl LineRequest {
    /// So many units of a product.
    #[must_use]
    pub fn new(product_id: impl Into<String>, quantity: u32) -> Self {
        Self { product_id: product_id.into(), quantity }
    }
}

impl From<Status> for Move {
    fn from(status: Status) -> Self {
        Self { status, reason: None }
    }
}

/// A body of which can be told whether an order already has what it asks for.
pub(crate) trait Wish: Serialize {
    /// Whether nothing would change. When that cannot be told, `false`.
    fn is_fulfilled_by(&self, order: &Order) -> bool;
}

impl Wish for Move {
    fn is_fulfilled_by(&self, order: &Order) -> bool {
        self.status == order.status
    }
}

impl Wish for Shipment {
    fn is_fulfilled_by(&self, order: &Order) -> bool {
        order.shipping.as_ref() == Some(&self.to_the_millisecond())
    }
}

impl Wish for Edit {
    fn is_fulfilled_by(&self, order: &Order) -> bool {
        let Self { lines, shipping_address, metadata, external_reference, notes } = self;
        lines.as_ref().is_none_or(|lines| units(lines) == ordered_units(order))
            && is_in(shipping_address, order.shipping_address.as_ref())
            && has_pairs(metadata, &order.metadata)
            && is_in(external_reference, order.external_reference.as_ref())
            && is_in(notes, order.notes.as_ref())
    }
}

fn is_in<T: PartialEq>(patch: &Patch<T>, present: Option<&T>) -> bool {
    match patch {
        Patch::Keep => true,
        Patch::Clear => present.is_none(),
        Patch::Set(value) => present == Some(value),
    }
}

/// Without a pair and empty is the same.
fn has_pairs(patch: &Patch<BTreeMap<String, String>>, present: &BTreeMap<String, String>) -> bool {
    match patch {
        Patch::Keep => true,
        Patch::Clear => present.is_empty(),
        Patch::Set(pairs) => pairs == present,
    }
}

/// Units by product: the service sums lines of one product.
fn units(lines: &[LineRequest]) -> BTreeMap<&str, u64> {
    sum(lines.iter().map(|line| (line.product_id.as_str(), u64::from(line.quantity))))
}

fn ordered_units(order: &Order) -> BTreeMap<&str, u64> {
    sum(order.lines.iter().map(|line| (line.product_id.as_str(), line.quantity)))
}

fn sum<'a>(lines: impl Iterator<Item = (&'a str, u64)>) -> BTreeMap<&'a str, u64> {
    lines.fold(BTreeMap::new(), |mut units, (product, quantity)| {
        *units.entry(product).or_default() += quantity;
        units
    })
}
