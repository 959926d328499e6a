//! The body of `PUT /orders/{id}/status`.

use domain::status::Status;
use domain::text::{Reason, Text};
use serde::Deserialize;

use crate::problem::{Fields, Problem};

/// What a client sends to move an order to another status.
#[derive(Debug, Clone, Deserialize)]
#[cfg_attr(feature = "schemas", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct UpdateStatus {
    /// The status to move to; `cancelled` is read as `canceled`.
    #[cfg_attr(feature = "schemas", schemars(with = "super::input_schema::StatusText"))]
    status: String,
    /// Why, for the order's history.
    #[cfg_attr(feature = "schemas", schemars(with = "Option<super::input_schema::Text<255>>"))]
    #[serde(default)]
    reason: Option<String>,
}

impl UpdateStatus {
    /// The status wanted and why, when both keep their rules.
    ///
    /// # Errors
    /// [`crate::problem::Code::ValidationFailed`] naming every field that does not.
    pub fn into_move(self) -> Result<(Status, Option<Reason>), Problem> {
        let mut fields = Fields::default();
        let status = fields.check("/status", Status::parse(&self.status));
        let reason = fields.optional("/reason", self.reason, Text::parse);
        fields.finish(status.map(|status| (status, reason)))
    }
}
