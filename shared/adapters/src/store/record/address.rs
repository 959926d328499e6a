//! Where an order goes and how, within an item.

use domain::address::{Address, Country};
use domain::shipment::{Shipment, TrackingUrl};
use domain::text::Text;
use domain::timestamp::Timestamp;
use serde::{Deserialize, Serialize};

use super::value::{DecodeError, owned};

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

impl TryFrom<AddressRecord> for Address {
    type Error = DecodeError;

    fn try_from(record: AddressRecord) -> Result<Self, DecodeError> {
        Ok(Self {
            name: record.name.map(Text::parse).transpose()?,
            line1: Text::parse(record.line1)?,
            line2: record.line2.map(Text::parse).transpose()?,
            city: Text::parse(record.city)?,
            state: record.state.map(Text::parse).transpose()?,
            postal_code: record.postal_code.map(Text::parse).transpose()?,
            country: Country::parse(record.country)?,
            phone: record.phone.map(Text::parse).transpose()?,
        })
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

impl TryFrom<ShipmentRecord> for Shipment {
    type Error = DecodeError;

    fn try_from(record: ShipmentRecord) -> Result<Self, DecodeError> {
        Ok(Self {
            carrier: Text::parse(record.carrier)?,
            tracking_number: Text::parse(record.tracking_number)?,
            tracking_url: record.tracking_url.map(TrackingUrl::parse).transpose()?,
            service: record.service.map(Text::parse).transpose()?,
            shipped_at: record.shipped_at.map(Timestamp::from_millis),
            estimated_delivery: record.estimated_delivery.map(Timestamp::from_millis),
        })
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
