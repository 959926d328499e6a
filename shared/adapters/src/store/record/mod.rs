//! An order as a DynamoDB item: attribute names are short, because every kilobyte written is paid for.

mod address;
mod history;
mod line;
mod value;

use std::collections::{BTreeMap, HashMap};

use aws_sdk_dynamodb::types::AttributeValue;
use domain::fingerprint::Fingerprint;
use domain::id::{CustomerId, OrderId, TenantId};
use domain::line::Lines;
use domain::metadata::Metadata;
use domain::money::{Currency, Money};
use domain::order::{Contact, Customer, Deletion, Order, OrderData, Settlement};
use domain::ports::StoreError;
use domain::reservation::ReservationId;
use domain::status::Status;
use domain::text::Text;
use domain::timestamp::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::keys;
use address::{AddressRecord, ShipmentRecord};
use history::EntryRecord;
use line::LineRecord;
use value::owned;

pub use value::DecodeError;
pub(super) use value::inventory;

/// What one item holds. Every value is optional that may be absent; what is computed (line totals) is not stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderRecord {
    /// `<tenant>#<order id>`
    pk: String,
    #[serde(rename = "v")]
    version: u64,
    #[serde(rename = "s")]
    status: String,
    #[serde(rename = "i")]
    inventory: String,
    /// milliseconds
    #[serde(rename = "c")]
    created_at: i64,
    /// milliseconds
    #[serde(rename = "u")]
    updated_at: i64,
    #[serde(rename = "g")]
    home_region: String,
    #[serde(rename = "f", with = "serde_bytes")]
    fingerprint: Vec<u8>,
    #[serde(rename = "cu")]
    customer_id: String,
    #[serde(rename = "cn", default, skip_serializing_if = "Option::is_none")]
    customer_name: Option<String>,
    #[serde(rename = "ce", default, skip_serializing_if = "Option::is_none")]
    customer_email: Option<String>,
    /// of every amount
    #[serde(rename = "cy", default, skip_serializing_if = "Option::is_none")]
    currency: Option<String>,
    /// shown in lists
    #[serde(rename = "t", default, skip_serializing_if = "Option::is_none")]
    total: Option<i64>,
    #[serde(rename = "l")]
    lines: Vec<LineRecord>,
    #[serde(rename = "a", default, skip_serializing_if = "Option::is_none")]
    shipping_address: Option<AddressRecord>,
    #[serde(rename = "sh", default, skip_serializing_if = "Option::is_none")]
    shipping: Option<ShipmentRecord>,
    #[serde(rename = "m", default, skip_serializing_if = "BTreeMap::is_empty")]
    metadata: BTreeMap<String, String>,
    #[serde(rename = "x", default, skip_serializing_if = "Option::is_none")]
    external_reference: Option<String>,
    #[serde(rename = "o", default, skip_serializing_if = "Option::is_none")]
    notes: Option<String>,
    #[serde(rename = "h")]
    history: Vec<EntryRecord>,
    /// when it is not 1
    #[serde(rename = "lv", default, skip_serializing_if = "Option::is_none")]
    lines_version: Option<u64>,
    #[serde(rename = "r")]
    revision: u64,
    /// reservations to release
    #[serde(rename = "sr", default, skip_serializing_if = "Vec::is_empty")]
    superseded: Vec<String>,
    /// everything is settled but for a second release
    #[serde(rename = "ra", default, skip_serializing_if = "std::ops::Not::not")]
    release_again: bool,
    /// milliseconds: with the home region the key of the index by-settlement
    #[serde(rename = "d", default, skip_serializing_if = "Option::is_none")]
    settlement_due: Option<i64>,
    /// milliseconds
    #[serde(rename = "z", default, skip_serializing_if = "Option::is_none")]
    deleted_at: Option<i64>,
    /// seconds: the table's TTL attribute
    #[serde(rename = "ttl", default, skip_serializing_if = "Option::is_none")]
    expires_at: Option<i64>,
}

impl OrderRecord {
    /// The record as an SDK item.
    pub(super) fn into_item(self) -> Result<HashMap<String, AttributeValue>, StoreError> {
        serde_dynamo::to_item(self).map_err(|error| StoreError::Rejected(error.to_string()))
    }

    /// Reads an item of the SDK or of a stream event.
    ///
    /// # Errors
    /// [`DecodeError::Shape`].
    pub fn from_item(item: impl Into<serde_dynamo::Item>) -> Result<Self, DecodeError> {
        Ok(serde_dynamo::from_item(item.into())?)
    }

    /// The order that the record holds.
    ///
    /// # Errors
    /// [`DecodeError`] when a value breaks a rule.
    pub fn into_order(self) -> Result<Order, DecodeError> {
        let (tenant, id) = self.pk.split_once('#').ok_or(DecodeError::Unknown { what: "key" })?;
        let currency = self.currency.as_deref().map(Currency::parse).transpose()?;
        let lines = self.lines.into_iter().map(|line| line.into_line(currency)).collect::<Result<_, _>>()?;
        let contact = match (self.customer_name, self.customer_email) {
            (Some(name), Some(email)) => Some(Contact { name: Text::parse(name)?, email: Text::parse(email)? }),
            _ => None,
        };
        let fingerprint = self.fingerprint.try_into().map_err(|_| DecodeError::Unknown { what: "fingerprint" })?;
        Ok(Order::restore(OrderData {
            tenant: TenantId::parse(tenant)?,
            id: OrderId::parse(id)?,
            home_region: self.home_region,
            customer: Customer { id: CustomerId::parse(self.customer_id)?, contact },
            lines: Lines::restore(lines)?,
            lines_version: self.lines_version.unwrap_or(1),
            status: Status::parse(&self.status)?,
            inventory: inventory(&self.inventory)?,
            shipping_address: self.shipping_address.map(TryInto::try_into).transpose()?,
            shipping: self.shipping.map(TryInto::try_into).transpose()?,
            metadata: Metadata::parse(self.metadata)?,
            external_reference: self.external_reference.map(Text::parse).transpose()?,
            notes: self.notes.map(Text::parse).transpose()?,
            version: self.version,
            created_at: Timestamp::from_millis(self.created_at),
            updated_at: Timestamp::from_millis(self.updated_at),
            history: self.history.into_iter().map(TryInto::try_into).collect::<Result<_, _>>()?,
            fingerprint: Fingerprint(fingerprint),
            revision: self.revision,
            settlement: Settlement {
                due: self.settlement_due.map(Timestamp::from_millis),
                release_again: self.release_again,
                superseded: self.superseded.iter().map(|id| reservation(id)).collect::<Result<_, _>>()?,
            },
            deletion: self.deleted_at.zip(self.expires_at).map(|(at, expires)| Deletion {
                at: Timestamp::from_millis(at),
                expires_at: Timestamp::from_secs(expires),
            }),
        }))
    }
}

impl From<&Order> for OrderRecord {
    /// Takes the order apart, so that a field that is not stored does not compile.
    fn from(order: &Order) -> Self {
        let OrderData {
            tenant,
            id,
            home_region,
            customer: Customer { id: customer_id, contact },
            lines,
            lines_version,
            status,
            inventory,
            shipping_address,
            shipping,
            metadata,
            external_reference,
            notes,
            version,
            revision,
            created_at,
            updated_at,
            history,
            fingerprint: Fingerprint(fingerprint),
            settlement: Settlement { due, release_again, superseded },
            deletion,
        } = &**order;
        let total = lines.total();
        Self {
            pk: keys::order(tenant, *id),
            version: *version,
            status: status.as_str().to_owned(),
            inventory: inventory.as_str().to_owned(),
            created_at: created_at.as_millis(),
            updated_at: updated_at.as_millis(),
            home_region: home_region.clone(),
            fingerprint: fingerprint.to_vec(),
            customer_id: customer_id.as_str().to_owned(),
            customer_name: contact.as_ref().map(|contact| contact.name.as_str().to_owned()),
            customer_email: contact.as_ref().map(|contact| contact.email.as_str().to_owned()),
            currency: total.map(|total| total.currency().as_str().to_owned()),
            total: total.map(Money::amount),
            lines: lines.as_slice().iter().map(Into::into).collect(),
            shipping_address: shipping_address.as_ref().map(Into::into),
            shipping: shipping.as_ref().map(Into::into),
            metadata: metadata.as_map().clone(),
            external_reference: owned(external_reference.as_ref()),
            notes: owned(notes.as_ref()),
            history: history.iter().map(Into::into).collect(),
            lines_version: Some(*lines_version).filter(|version| *version != 1),
            revision: *revision,
            superseded: superseded.iter().map(ToString::to_string).collect(),
            release_again: *release_again,
            settlement_due: due.map(Timestamp::as_millis),
            deleted_at: deletion.map(|deletion| deletion.at.as_millis()),
            expires_at: deletion.map(|deletion| deletion.expires_at.as_secs()),
        }
    }
}

fn reservation(text: &str) -> Result<ReservationId, DecodeError> {
    let id = Uuid::try_parse(text).map_err(|_| DecodeError::Unknown { what: "reservation" })?;
    Ok(ReservationId::from_uuid(id))
}
