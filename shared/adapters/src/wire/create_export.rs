//! The body of `POST /exports`.

use domain::export::Format;
use domain::id::CustomerId;
use domain::status::Status;
use domain::timestamp::Timestamp;
use domain::use_cases::ListRequest;
use serde::Deserialize;

use crate::problem::{Fields, Problem};

/// What a client sends to have orders exported.
#[derive(Debug, Clone, Deserialize)]
#[cfg_attr(feature = "schemas", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct CreateExport {
    /// `jsonl`: one order a line, as JSON. `csv`: a table, one row an order.
    #[cfg_attr(feature = "schemas", schemars(extend("enum" = super::schema::export_formats())))]
    format: String,
    /// Which orders; all of them without filters.
    #[serde(default)]
    filters: Option<ExportFilters>,
}

/// The orders to be exported, as in a list: `status` and `customer_id` cannot be combined.
#[derive(Debug, Clone, Default, Deserialize)]
#[cfg_attr(feature = "schemas", derive(schemars::JsonSchema), schemars(rename = "NewExportFilters"))]
#[serde(deny_unknown_fields)]
struct ExportFilters {
    /// Only orders of this status.
    #[cfg_attr(feature = "schemas", schemars(with = "Option<super::input_schema::StatusText>"))]
    #[serde(default)]
    status: Option<String>,
    /// Only orders of this customer.
    #[cfg_attr(feature = "schemas", schemars(with = "Option<super::input_schema::IdentifierText>"))]
    #[serde(default)]
    customer_id: Option<String>,
    /// Only orders created later than this.
    #[cfg_attr(feature = "schemas", schemars(with = "Option<super::input_schema::InstantText>"))]
    #[serde(default)]
    created_after: Option<String>,
    /// Only orders created earlier than this.
    #[cfg_attr(feature = "schemas", schemars(with = "Option<super::input_schema::InstantText>"))]
    #[serde(default)]
    created_before: Option<String>,
}

impl CreateExport {
    /// Format and orders, when every field keeps its rule.
    ///
    /// # Errors
    /// [`crate::problem::Code::ValidationFailed`] naming every field that does not.
    pub fn into_request(self) -> Result<(Format, ListRequest), Problem> {
        let mut fields = Fields::default();
        let format = fields.check("/format", Format::parse(&self.format));
        let filters = self.filters.unwrap_or_default();
        let instant = |text: String| Timestamp::parse(&text);
        let orders = ListRequest {
            status: fields.optional("/filters/status", filters.status, |text| Status::parse(&text)),
            customer: fields.optional("/filters/customer_id", filters.customer_id, CustomerId::parse),
            created_after: fields.optional("/filters/created_after", filters.created_after, instant),
            created_before: fields.optional("/filters/created_before", filters.created_before, instant),
            ..ListRequest::default()
        };
        fields.finish(format.map(|format| (format, orders)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(json: &str) -> Result<(Format, ListRequest), Problem> {
        serde_json::from_str::<CreateExport>(json).unwrap().into_request()
    }

    #[test]
    fn every_wrong_field_is_named_at_once() {
        let filters = r##"{"status":"lost","customer_id":"a#b","created_after":"soon","created_before":"2026-01-01"}"##;
        let problem = parse(&format!(r#"{{"format":"xml","filters":{filters}}}"#)).unwrap_err();
        let pointers: Vec<_> = problem.field_errors().iter().map(|error| error.pointer.as_str()).collect();
        let expected =
            ["/format", "/filters/status", "/filters/customer_id", "/filters/created_after", "/filters/created_before"];
        assert_eq!(pointers, expected);
    }

    #[test]
    fn without_filters_all_orders_are_meant() {
        for body in [r#"{"format":"csv"}"#, r#"{"format":"csv","filters":null}"#, r#"{"format":"csv","filters":{}}"#] {
            assert_eq!(parse(body).unwrap(), (Format::Csv, ListRequest::default()));
        }
    }
}
