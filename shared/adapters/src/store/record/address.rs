//! Where an order goes and how, within an item.

use domain::address::{Address, Country};
use domain::shipment::{Shipment, TrackingUrl};
use domain::text::Text;
use domain::timestamp::Timestamp;
use serde::{Deserialize, Serialize};

use super::value::owned;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct AddressRecord {
    #[serde(rename = "n", default, skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(rename = "a")]
    line1: String,
    #[serde(rename = "b", default, skip_serializing_if = "Option::is_none")]
    line2: Option<String>,
    #[serde(rename = "c")]
    city: String,
    #[serde(rename = "s", default, skip_serializing_if = "Option::is_none")]
    state: Option<String>,
    #[serde(rename = "z", default, skip_serializing_if = "Option::is_none")]
    postal_code: Option<String>,
    #[serde(rename = "y")]
    country: String,
    #[serde(rename = "p", default, skip_serializing_if = "Option::is_none")]
    phone: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct ShipmentRecord {
    #[serde(rename = "c")]
    carrier: String,
    #[serde(rename = "n")]
    tracking_number: String,
    #[serde(rename = "u", default, skip_serializing_if = "Option::is_none")]
    tracking_url: Option<String>,
    #[serde(rename = "s", default, skip_serializing_if = "Option::is_none")]
    service: Option<String>,
    #[serde(rename = "a", default, skip_serializing_if = "Option::is_none")]
    shipped_at: Option<i64>,
    #[serde(rename = "e", default, skip_serializing_if = "Option::is_none")]
    estimated_delivery: Option<i64>,
}

impl From<AddressRecord> for Address {
    fn from(record: AddressRecord) -> Self {
        let AddressRecord { name, line1, line2, city, state, postal_code, country, phone } = record;
        Self {
            name: name.map(Text::restore),
            line1: Text::restore(line1),
            line2: line2.map(Text::restore),
            city: Text::restore(city),
            state: state.map(Text::restore),
            postal_code: postal_code.map(Text::restore),
            country: Country::restore(country),
            phone: phone.map(Text::restore),
        }
    }
}

impl From<&Address> for AddressRecord {
    fn from(address: &Address) -> Self {
        let Address { name, line1, line2, city, state, postal_code, country, phone } = address;
        Self {
            name: owned(name.as_ref()),
            line1: line1.as_str().to_owned(),
            line2: owned(line2.as_ref()),
            city: city.as_str().to_owned(),
            state: owned(state.as_ref()),
            postal_code: owned(postal_code.as_ref()),
            country: country.as_str().to_owned(),
            phone: owned(phone.as_ref()),
        }
    }
}

impl From<ShipmentRecord> for Shipment {
    fn from(record: ShipmentRecord) -> Self {
        let ShipmentRecord { carrier, tracking_number, tracking_url, service, shipped_at, estimated_delivery } = record;
        Self {
            carrier: Text::restore(carrier),
            tracking_number: Text::restore(tracking_number),
            tracking_url: tracking_url.map(TrackingUrl::restore),
            service: service.map(Text::restore),
            shipped_at: shipped_at.map(Timestamp::from_millis),
            estimated_delivery: estimated_delivery.map(Timestamp::from_millis),
        }
    }
}

impl From<&Shipment> for ShipmentRecord {
    fn from(shipment: &Shipment) -> Self {
        let Shipment { carrier, tracking_number, tracking_url, service, shipped_at, estimated_delivery } = shipment;
        Self {
            carrier: carrier.as_str().to_owned(),
            tracking_number: tracking_number.as_str().to_owned(),
            tracking_url: tracking_url.as_ref().map(|url| url.as_str().to_owned()),
            service: owned(service.as_ref()),
            shipped_at: shipped_at.map(Timestamp::as_millis),
            estimated_delivery: estimated_delivery.map(Timestamp::as_millis),
        }
    }
}
