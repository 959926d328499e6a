//! Where an order goes and how, within an item.

use domain::address::{Address, Country};
use domain::shipment::{Shipment, TrackingUrl};
use domain::text::Text;
use domain::timestamp::Timestamp;
use serde::{Deserialize, Serialize};

use super::{DecodeError, owned};

/// name, line1, line2, city, state, postal code, country, phone
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct AddressRecord {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    n: Option<String>,
    a: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    b: Option<String>,
    c: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    s: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    z: Option<String>,
    y: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    p: Option<String>,
}

/// carrier, tracking number, tracking url, service, shipped at, estimated delivery
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct ShipmentRecord {
    c: String,
    n: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    u: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    s: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    a: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    e: Option<i64>,
}

impl TryFrom<AddressRecord> for Address {
    type Error = DecodeError;

    fn try_from(record: AddressRecord) -> Result<Self, DecodeError> {
        Ok(Self {
            name: record.n.map(Text::parse).transpose()?,
            line1: Text::parse(record.a)?,
            line2: record.b.map(Text::parse).transpose()?,
            city: Text::parse(record.c)?,
            state: record.s.map(Text::parse).transpose()?,
            postal_code: record.z.map(Text::parse).transpose()?,
            country: Country::parse(record.y)?,
            phone: record.p.map(Text::parse).transpose()?,
        })
    }
}

impl From<&Address> for AddressRecord {
    fn from(address: &Address) -> Self {
        Self {
            n: owned(address.name.as_ref()),
            a: address.line1.as_str().to_owned(),
            b: owned(address.line2.as_ref()),
            c: address.city.as_str().to_owned(),
            s: owned(address.state.as_ref()),
            z: owned(address.postal_code.as_ref()),
            y: address.country.as_str().to_owned(),
            p: owned(address.phone.as_ref()),
        }
    }
}

impl TryFrom<ShipmentRecord> for Shipment {
    type Error = DecodeError;

    fn try_from(record: ShipmentRecord) -> Result<Self, DecodeError> {
        Ok(Self {
            carrier: Text::parse(record.c)?,
            tracking_number: Text::parse(record.n)?,
            tracking_url: record.u.map(TrackingUrl::parse).transpose()?,
            service: record.s.map(Text::parse).transpose()?,
            shipped_at: record.a.map(Timestamp::from_millis),
            estimated_delivery: record.e.map(Timestamp::from_millis),
        })
    }
}

impl From<&Shipment> for ShipmentRecord {
    fn from(shipment: &Shipment) -> Self {
        Self {
            c: shipment.carrier.as_str().to_owned(),
            n: shipment.tracking_number.as_str().to_owned(),
            u: shipment.tracking_url.as_ref().map(|url| url.as_str().to_owned()),
            s: owned(shipment.service.as_ref()),
            a: shipment.shipped_at.map(Timestamp::as_millis),
            e: shipment.estimated_delivery.map(Timestamp::as_millis),
        }
    }
}
