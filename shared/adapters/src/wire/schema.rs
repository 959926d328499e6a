//! The parts of the JSON Schemas that the types of the wire do not say by themselves.

#![allow(dead_code, reason = "these types are only described, never made")]

use domain::status::{Inventory, Status};
use schemars::JsonSchema;
use serde::Serialize;

use super::order_view::MoneyView;

/// Every status, as text.
pub(super) fn statuses() -> Vec<&'static str> {
    Status::ALL.iter().map(|status| status.as_str()).collect()
}

/// Every state of the hold on stock, as text.
pub(super) fn inventories() -> Vec<&'static str> {
    Inventory::ALL.iter().map(|state| state.as_str()).collect()
}

/// What became different, by field.
#[derive(Default, Serialize, JsonSchema)]
#[serde(default)]
pub struct Changes {
    /// The status moved.
    status: Option<StatusChange>,
    /// The hold on stock changed.
    inventory: Option<InventoryChange>,
    /// The total changed.
    total: Option<TotalChange>,
    /// The customer became known.
    customer: Option<Replaced>,
    /// The lines were replaced.
    lines: Option<Replaced>,
    /// The shipping address was replaced.
    shipping_address: Option<Replaced>,
    /// The shipping information was replaced.
    shipping: Option<Replaced>,
    /// The metadata were replaced.
    metadata: Option<Replaced>,
    /// The external reference was replaced.
    external_reference: Option<Replaced>,
    /// The notes were replaced.
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
