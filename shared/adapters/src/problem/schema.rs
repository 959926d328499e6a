//! A problem as the JSON Schemas describe it: the members of every problem, and those of single codes.

#![allow(dead_code, reason = "this type is only described, never made")]

use schemars::JsonSchema;
use serde::Serialize;

use super::FieldError;

/// The codes in `errors`.
pub const FIELD_CODES: [&str; 12] = [
    "required",
    "unknown_field",
    "duplicate_field",
    "invalid_type",
    "empty",
    "too_long",
    "too_many",
    "out_of_range",
    "malformed",
    "unknown_value",
    "unknown_parameter",
    "duplicate_parameter",
];

/// An RFC 9457 problem. Programs should look at `code` alone; members beyond those of RFC 9457 depend on it.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Problem")]
pub struct ProblemView {
    /// Names the kind of problem: `urn:problem-type:orders:` and the code.
    #[schemars(extend("format" = "uri"))]
    r#type: String,
    /// The same sentence for every problem of the code.
    title: String,
    /// The HTTP status. Absent only with `request_refused`, which stands for several.
    #[schemars(range(min = 400, max = 599))]
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
    /// What is particular to this occurrence.
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
    /// The path of the request.
    instance: String,
    /// The stable code.
    code: String,
    /// Names the request in the service's logs.
    request_id: String,
    /// With `validation_failed` and `invalid_parameter`: every field or parameter that is wrong.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<FieldError>,
    /// With `insufficient_scope`: the scope that the token lacks.
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<String>,
    /// With `precondition_failed`: the version of the order now.
    #[schemars(range(min = 1))]
    #[serde(skip_serializing_if = "Option::is_none")]
    current_version: Option<u64>,
    /// With `illegal_transition`: the status of the order.
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<String>,
    /// With `illegal_transition`: the status asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    to: Option<String>,
    /// With `illegal_transition`: the statuses that the order may move to.
    #[serde(skip_serializing_if = "Option::is_none")]
    allowed: Option<Vec<String>>,
    /// With `lines_closed`: the status of the order.
    #[serde(skip_serializing_if = "Option::is_none")]
    order_status: Option<String>,
    /// With `unknown_product`: the products that do not exist.
    #[serde(skip_serializing_if = "Option::is_none")]
    products: Option<Vec<String>>,
    /// With `out_of_stock`: the products of which there are too few.
    #[serde(skip_serializing_if = "Option::is_none")]
    unavailable: Option<Vec<ShortageView>>,
    /// With `request_refused`: API Gateway's name of the reason.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

/// A product of which there are too few units.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Shortage")]
struct ShortageView {
    product_id: String,
    /// The units asked for, in all lines of the product.
    requested: u64,
    available: u64,
}
