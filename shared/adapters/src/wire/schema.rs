//! The parts of the JSON Schemas that the types of the wire do not say by themselves.

#![allow(dead_code, reason = "these types are only described, never made")]

use std::borrow::Cow;

use domain::details::Field;
use domain::export;
use domain::status::{Inventory, Status};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Serialize;
use serde_json::Value;

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

/// Every status of an export, as text.
pub(super) fn export_statuses() -> Vec<&'static str> {
    export::Status::ALL.iter().map(|status| status.as_str()).collect()
}

/// Every format of an export, as text.
pub(super) fn export_formats() -> Vec<&'static str> {
    export::Format::ALL.iter().map(|format| format.as_str()).collect()
}

/// What became different, by field: those whose values are told, and every [`Field`].
pub struct Changes;

impl JsonSchema for Changes {
    fn schema_name() -> Cow<'static, str> {
        "Changes".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let mut schema = ToldChanges::json_schema(generator);
        let replaced = generator.subschema_for::<Option<Replaced>>();
        if let Some(Value::Object(properties)) = schema.get_mut("properties") {
            for field in Field::ALL {
                let mut property = replaced.clone();
                property.insert("description".to_owned(), format!("`{}` was replaced.", field.as_str()).into());
                properties.insert(field.as_str().to_owned(), property.to_value());
            }
        }
        schema
    }
}

#[derive(Serialize, JsonSchema)]
struct ToldChanges {
    /// The status moved.
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<StatusChange>,
    /// The reservation changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    inventory: Option<InventoryChange>,
    /// The total changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    total: Option<TotalChange>,
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
