//! The parts of the JSON Schemas that the types of the wire do not say by themselves.

#![allow(dead_code, reason = "these types are only described, never made")]

use domain::status::{Inventory, Status};
use schemars::JsonSchema;
use serde::Serialize;

use super::money_view::MoneyView;

/// A pattern of the dates and times that are accepted: none before 1970.
pub const SINCE_1970: &str = "^(19[7-9][0-9]|[2-9][0-9]{3})-";

/// Every status, as text.
pub(super) fn statuses() -> Vec<&'static str> {
    Status::ALL.iter().map(|status| status.as_str()).collect()
}

/// A status.
#[derive(Serialize, JsonSchema)]
#[schemars(inline, extend("enum" = statuses()))]
#[serde(transparent)]
pub(super) struct StatusName(String);

/// Every state of the reservation, as text.
pub(super) fn inventories() -> Vec<&'static str> {
    Inventory::ALL.iter().map(|state| state.as_str()).collect()
}

/// What became different, by field.
#[derive(Serialize, JsonSchema)]
pub struct Changes {
    /// The status moved.
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<StatusChange>,
    /// The reservation changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    inventory: Option<InventoryChange>,
    /// The total changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    total: Option<TotalChange>,
    /// The customer became known.
    #[serde(skip_serializing_if = "Option::is_none")]
    customer: Option<Replaced>,
    /// The lines were replaced.
    #[serde(skip_serializing_if = "Option::is_none")]
    lines: Option<Replaced>,
    /// The shipping address was replaced.
    #[serde(skip_serializing_if = "Option::is_none")]
    shipping_address: Option<Replaced>,
    /// The shipping information was replaced.
    #[serde(skip_serializing_if = "Option::is_none")]
    shipping: Option<Replaced>,
    /// The metadata were replaced.
    #[serde(skip_serializing_if = "Option::is_none")]
    metadata: Option<Replaced>,
    /// The external reference was replaced.
    #[serde(skip_serializing_if = "Option::is_none")]
    external_reference: Option<Replaced>,
    /// The notes were replaced.
    #[serde(skip_serializing_if = "Option::is_none")]
    notes: Option<Replaced>,
}

#[derive(Serialize, JsonSchema)]
struct StatusChange {
    #[schemars(extend("enum" = statuses()))]
    from: String,
    #[schemars(extend("enum" = statuses()))]
    to: String,
    /// Why, when somebody said so.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

#[derive(Serialize, JsonSchema)]
struct InventoryChange {
    #[schemars(extend("enum" = inventories()))]
    from: String,
    #[schemars(extend("enum" = inventories()))]
    to: String,
}

#[derive(Serialize, JsonSchema)]
struct TotalChange {
    from: Option<MoneyView>,
    to: Option<MoneyView>,
}

/// A field whose values are not repeated.
#[derive(Serialize, JsonSchema)]
struct Replaced {
    /// Always `true`.
    replaced: bool,
}
