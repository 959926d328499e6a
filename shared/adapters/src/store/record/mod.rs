//! An order as a DynamoDB item: attribute names are short, because every kilobyte written is paid for.

mod address;
mod follow_up;
mod history;
mod line;
mod value;

use std::collections::{BTreeMap, HashMap};

use aws_sdk_dynamodb::types::AttributeValue;
use domain::details::Details;
use domain::fingerprint::Fingerprint;
use domain::id::{CustomerId, OrderId, TenantId};
use domain::line::Lines;
use domain::metadata::Metadata;
use domain::money::{Currency, Money};
use domain::order::{Contact, Customer, Order, OrderData};
use domain::ports::StoreError;
use domain::status::{Inventory, Status};
use domain::text::Text;
use domain::timestamp::Timestamp;
use serde::{Deserialize, Serialize};
use serde_dynamo::Item;

use super::keys;
use address::{AddressRecord, ShipmentRecord};
use follow_up::{FollowUpRecord, ReservationRecord};
use history::EntryRecord;
use line::LineRecord;
use value::owned;

pub use value::DecodeError;

/// The format that this release writes. One that a release of the format before cannot read has the next number.
const FORMAT: u64 = 1;

/// Where an item has its format.
const FORMAT_NAME: &str = "fm";

/// Where an item of any format has its version.
pub(super) const VERSION: &str = "v";

/// Where an item has its history.
pub(super) const HISTORY: &str = "h";

/// Where an item has its follow-ups.
pub(super) const FOLLOW_UPS: &str = "fu";

/// What one item holds. Every value is optional that may be absent; what is computed (line totals) is not stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderRecord {
    /// `<tenant>#<order id>`
    pk: String,
    #[serde(rename = "fm")]
    format: u64,
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
    #[serde(rename = "rs")]
    reservation: ReservationRecord,
    #[serde(rename = "fu", default, skip_serializing_if = "Vec::is_empty")]
    follow_ups: Vec<FollowUpRecord>,
    /// milliseconds
    #[serde(rename = "z", default, skip_serializing_if = "Option::is_none")]
    deleted_at: Option<i64>,
}

impl OrderRecord {
    /// The record as an SDK item, with what only a newer release knows of its follow-ups.
    ///
    /// # Errors
    /// [`StoreError::Rejected`] when it cannot be written as an item.
    pub fn into_item(self) -> Result<HashMap<String, AttributeValue>, StoreError> {
        let item = serde_dynamo::to_item::<_, Item>(&self).map_err(|error| StoreError::Rejected(error.to_string()))?;
        let mut item = item.into_inner();
        follow_up::merge(&self.follow_ups, item.get_mut(FOLLOW_UPS));
        Ok(Item::from(item).into())
    }

    /// The order of an item of the SDK or of a stream event, by the shape in which it was written: the rules for requests
    /// do not apply, and what only a newer release knows does not make an order unreadable.
    ///
    /// # Errors
    /// [`DecodeError`]; [`DecodeError::Newer`] when a newer release wrote it in another format.
    pub fn read(item: impl Into<serde_dynamo::Item>) -> Result<Order, DecodeError> {
        let item = item.into();
        let format = item.get(FORMAT_NAME).cloned().map(serde_dynamo::from_attribute_value::<_, u64>);
        let follow_ups = item.get(FOLLOW_UPS).cloned();
        let record = serde_dynamo::from_item::<_, Self>(item).map_err(DecodeError::from);
        record.and_then(|record| record.into_order(follow_ups)).map_err(|error| match format {
            Some(Ok(format)) if format > FORMAT => DecodeError::Newer(format),
            _ => error,
        })
    }

    /// The version of an item, whatever else it holds.
    pub(crate) fn version(item: &serde_dynamo::Item) -> Option<u64> {
        serde_dynamo::from_attribute_value(item.get(VERSION)?.clone()).ok()
    }

    fn into_order(self, follow_ups: Option<serde_dynamo::AttributeValue>) -> Result<Order, DecodeError> {
        let (tenant, id) = self.pk.split_once('#').ok_or(DecodeError::NotA("key"))?;
        let currency = self.currency.as_deref().map(Currency::restore).transpose()?;
        let lines = self.lines.into_iter().map(|line| line.into_line(currency)).collect::<Result<_, _>>()?;
        let contact = self.customer_name.zip(self.customer_email);
        let contact = contact.map(|(name, email)| Contact { name: Text::restore(name), email: Text::restore(email) });
        let fingerprint = self.fingerprint.try_into().map_err(|_| DecodeError::NotA("fingerprint"))?;
        Ok(Order::restore(OrderData {
            tenant: TenantId::restore(tenant),
            id: OrderId::parse(id)?,
            home_region: self.home_region,
            customer: Customer { id: CustomerId::restore(self.customer_id), contact },
            lines: Lines::restore(lines)?,
            reservation: self.reservation.try_into()?,
            status: Status::restore(&self.status),
            inventory: Inventory::restore(&self.inventory),
            details: Details {
                shipping_address: self.shipping_address.map(Into::into),
                metadata: Metadata::restore(self.metadata),
                external_reference: self.external_reference.map(Text::restore),
                notes: self.notes.map(Text::restore),
            },
            shipping: self.shipping.map(Into::into),
            version: self.version,
            created_at: Timestamp::from_millis(self.created_at),
            updated_at: Timestamp::from_millis(self.updated_at),
            history: self.history.into_iter().map(TryInto::try_into).collect::<Result<_, _>>()?,
            fingerprint: Fingerprint(fingerprint),
            follow_ups: follow_up::read_from(self.follow_ups, follow_ups)?
                .into_iter()
                .map(TryInto::try_into)
                .collect::<Result<_, _>>()?,
            deleted_at: self.deleted_at.map(Timestamp::from_millis),
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
            reservation,
            status,
            inventory,
            details: Details { shipping_address, metadata, external_reference, notes },
            shipping,
            version,
            created_at,
            updated_at,
            history,
            fingerprint: Fingerprint(fingerprint),
            follow_ups,
            deleted_at,
        } = &**order;
        let total = lines.total();
        // Also of lines without a total: the prices of an item that lacks one of them stay as they are.
        let currency = lines.as_slice().iter().find_map(|line| Some(line.price.as_ref()?.unit_price.currency()));
        Self {
            pk: keys::order(tenant, *id),
            format: FORMAT,
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
            currency: currency.map(|currency| currency.as_str().to_owned()),
            total: total.map(Money::amount),
            lines: lines.as_slice().iter().map(Into::into).collect(),
            shipping_address: shipping_address.as_ref().map(Into::into),
            shipping: shipping.as_ref().map(Into::into),
            metadata: metadata.as_map().clone(),
            external_reference: owned(external_reference.as_ref()),
            notes: owned(notes.as_ref()),
            history: history.iter().map(Into::into).collect(),
            reservation: reservation.into(),
            follow_ups: follow_ups.iter().map(Into::into).collect(),
            deleted_at: deleted_at.map(Timestamp::as_millis),
        }
    }
}
