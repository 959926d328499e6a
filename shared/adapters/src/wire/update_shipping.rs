//! The body of `PUT /orders/{id}/shipping`.

use domain::invalid::Invalid;
use domain::shipment::{Shipment, TrackingUrl};
use domain::text::Text;
use domain::timestamp::Timestamp;
use serde::Deserialize;

use crate::problem::{Fields, Problem};

/// What a client sends to set the shipping information.
#[derive(Debug, Clone, Deserialize)]
#[cfg_attr(feature = "schemas", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct UpdateShipping {
    #[cfg_attr(feature = "schemas", schemars(with = "super::input_schema::Text<255>"))]
    carrier: String,
    /// The carrier's number for the parcel.
    #[cfg_attr(feature = "schemas", schemars(with = "super::input_schema::Text<255>"))]
    tracking_number: String,
    /// An `http` or `https` URL where the parcel can be followed.
    #[cfg_attr(feature = "schemas", schemars(with = "Option<super::input_schema::TrackingUrlText>"))]
    #[serde(default)]
    tracking_url: Option<String>,
    /// The carrier's product, for instance `express`.
    #[cfg_attr(feature = "schemas", schemars(with = "Option<super::input_schema::Text<255>>"))]
    #[serde(default)]
    service: Option<String>,
    /// When the parcel was handed over, from 1970 on. A date is read as its first instant in UTC.
    #[cfg_attr(feature = "schemas", schemars(with = "Option<super::input_schema::DateOrTime>"))]
    #[serde(default)]
    shipped_at: Option<String>,
    /// When the parcel should arrive, from 1970 on. A date is read as its first instant in UTC.
    #[cfg_attr(feature = "schemas", schemars(with = "Option<super::input_schema::DateOrTime>"))]
    #[serde(default)]
    estimated_delivery: Option<String>,
}

impl UpdateShipping {
    /// The shipment, when every field keeps its rule.
    ///
    /// # Errors
    /// [`crate::problem::Code::ValidationFailed`] naming every field that does not.
    pub fn into_shipment(self) -> Result<Shipment, Problem> {
        let mut fields = Fields::default();
        let carrier = fields.check("/carrier", Text::parse(self.carrier));
        let tracking_number = fields.check("/tracking_number", Text::parse(self.tracking_number));
        let tracking_url = fields.optional("/tracking_url", self.tracking_url, TrackingUrl::parse);
        let service = fields.optional("/service", self.service, Text::parse);
        let shipped_at = fields.optional("/shipped_at", self.shipped_at, date_or_time);
        let estimated_delivery = fields.optional("/estimated_delivery", self.estimated_delivery, date_or_time);
        let shipment = carrier.zip(tracking_number).map(|(carrier, tracking_number)| Shipment {
            carrier,
            tracking_number,
            tracking_url,
            service,
            shipped_at,
            estimated_delivery,
        });
        fields.finish(shipment)
    }
}

/// Carriers often promise a day: `2026-01-31` is read as its first instant in UTC.
fn date_or_time(text: String) -> Result<Timestamp, Invalid> {
    Timestamp::parse(&text).or_else(|invalid| Timestamp::parse(&format!("{text}T00:00:00Z")).map_err(|_| invalid))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(json: &str) -> Result<Shipment, Problem> {
        serde_json::from_str::<UpdateShipping>(json).unwrap().into_shipment()
    }

    #[test]
    fn a_promised_day_is_read_as_its_first_instant() {
        let body = r#"{"carrier":"c","tracking_number":"n","estimated_delivery":"2026-01-31"}"#;
        let at = parse(body).unwrap().estimated_delivery.unwrap();
        assert_eq!(at.to_string(), "2026-01-31T00:00:00.000Z");
    }

    #[test]
    fn every_wrong_field_is_named() {
        let body = r#"{"carrier":"","tracking_number":"n","tracking_url":"ftp://x","shipped_at":"soon"}"#;
        let problem = parse(body).unwrap_err();
        let pointers: Vec<_> = problem.field_errors().iter().map(|error| error.pointer.as_str()).collect();
        assert_eq!(pointers, ["/carrier", "/tracking_url", "/shipped_at"]);
    }
}
