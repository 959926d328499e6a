//! An order as a DynamoDB item: attribute names are short, because every kilobyte written is paid for.

mod address;
mod history;
mod line;

use std::collections::{BTreeMap, HashMap};

use aws_sdk_dynamodb::types::AttributeValue;
use domain::fingerprint::Fingerprint;
use domain::id::{CustomerId, OrderId, TenantId};
use domain::invalid::Invalid;
use domain::line::Lines;
use domain::metadata::Metadata;
use domain::money::{Currency, Money, MoneyError};
use domain::order::{Contact, Customer, Deletion, Order, OrderData, Settlement};
use domain::ports::StoreError;
use domain::reservation::ReservationId;
use domain::status::{Inventory, Status};
use domain::text::Text;
use domain::timestamp::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::keys;
use address::{AddressRecord, ShipmentRecord};
use history::EntryRecord;
use line::LineRecord;

/// What one item holds. Every value is optional that may be absent; what is computed (line totals) is not stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderRecord {
    /// `<tenant>#<order id>`
    pk: String,
    /// version
    v: u64,
    /// status
    s: String,
    /// inventory
    i: String,
    /// created_at, milliseconds
    c: i64,
    /// updated_at, milliseconds
    u: i64,
    /// home_region
    g: String,
    /// fingerprint
    #[serde(with = "serde_bytes")]
    f: Vec<u8>,
    /// customer.id
    cu: String,
    /// customer.name
    #[serde(default, skip_serializing_if = "Option::is_none")]
    cn: Option<String>,
    /// customer.email
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ce: Option<String>,
    /// currency of every amount
    #[serde(default, skip_serializing_if = "Option::is_none")]
    cy: Option<String>,
    /// total, shown in lists
    #[serde(default, skip_serializing_if = "Option::is_none")]
    t: Option<i64>,
    /// lines
    l: Vec<LineRecord>,
    /// shipping_address
    #[serde(default, skip_serializing_if = "Option::is_none")]
    a: Option<AddressRecord>,
    /// shipping
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sh: Option<ShipmentRecord>,
    /// metadata
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    m: BTreeMap<String, String>,
    /// external_reference
    #[serde(default, skip_serializing_if = "Option::is_none")]
    x: Option<String>,
    /// notes
    #[serde(default, skip_serializing_if = "Option::is_none")]
    o: Option<String>,
    /// history
    h: Vec<EntryRecord>,
    /// lines_version, when it is not 1
    #[serde(default, skip_serializing_if = "Option::is_none")]
    lv: Option<u64>,
    /// revision
    r: u64,
    /// reservations to release
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    sr: Vec<String>,
    /// everything is settled but for a second release
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    ra: bool,
    /// settlement due, milliseconds: with the home region the key of the index by-settlement
    #[serde(default, skip_serializing_if = "Option::is_none")]
    d: Option<i64>,
    /// deleted at, milliseconds
    #[serde(default, skip_serializing_if = "Option::is_none")]
    z: Option<i64>,
    /// when the item expires, seconds: the table's TTL attribute
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ttl: Option<i64>,
}

/// An item that is not an order.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    /// The attributes are not those of an order.
    #[error("the item's attributes do not fit: {0}")]
    Shape(#[from] serde_dynamo::Error),
    /// A value breaks its rule.
    #[error("a value is not valid: {0}")]
    Value(#[from] Invalid),
    /// Amounts do not add up.
    #[error("amounts do not add up: {0}")]
    Money(#[from] MoneyError),
    /// A value is not one this version knows.
    #[error("unknown {what}")]
    Unknown {
        /// The kind of value.
        what: &'static str,
    },
}

impl From<DecodeError> for StoreError {
    fn from(error: DecodeError) -> Self {
        Self::Corrupt(error.to_string())
    }
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
        let currency = self.cy.as_deref().map(Currency::parse).transpose()?;
        let lines = self.l.into_iter().map(|line| line.into_line(currency)).collect::<Result<_, _>>()?;
        let contact = match (self.cn, self.ce) {
            (Some(name), Some(email)) => Some(Contact { name: Text::parse(name)?, email: Text::parse(email)? }),
            _ => None,
        };
        Ok(Order::restore(OrderData {
            tenant: TenantId::parse(tenant)?,
            id: OrderId::parse(id)?,
            home_region: self.g,
            customer: Customer { id: CustomerId::parse(self.cu)?, contact },
            lines: Lines::restore(lines)?,
            lines_version: self.lv.unwrap_or(1),
            status: Status::parse(&self.s)?,
            inventory: inventory(&self.i)?,
            shipping_address: self.a.map(TryInto::try_into).transpose()?,
            shipping: self.sh.map(TryInto::try_into).transpose()?,
            metadata: Metadata::parse(self.m)?,
            external_reference: self.x.map(Text::parse).transpose()?,
            notes: self.o.map(Text::parse).transpose()?,
            version: self.v,
            created_at: Timestamp::from_millis(self.c),
            updated_at: Timestamp::from_millis(self.u),
            history: self.h.into_iter().map(TryInto::try_into).collect::<Result<_, _>>()?,
            fingerprint: Fingerprint(self.f.try_into().map_err(|_| DecodeError::Unknown { what: "fingerprint" })?),
            revision: self.r,
            settlement: Settlement {
                due: self.d.map(Timestamp::from_millis),
                release_again: self.ra,
                superseded: self.sr.iter().map(|id| reservation(id)).collect::<Result<_, _>>()?,
            },
            deletion: self.z.zip(self.ttl).map(|(at, expires)| Deletion {
                at: Timestamp::from_millis(at),
                expires_at: Timestamp::from_secs(expires),
            }),
        }))
    }
}

impl From<&Order> for OrderRecord {
    fn from(order: &Order) -> Self {
        let total = order.lines.total();
        let contact = order.customer.contact.as_ref();
        Self {
            pk: keys::order(&order.tenant, order.id),
            v: order.version,
            s: order.status.as_str().to_owned(),
            i: order.inventory.as_str().to_owned(),
            c: order.created_at.as_millis(),
            u: order.updated_at.as_millis(),
            g: order.home_region.clone(),
            f: order.fingerprint.0.to_vec(),
            cu: order.customer.id.as_str().to_owned(),
            cn: contact.map(|contact| contact.name.as_str().to_owned()),
            ce: contact.map(|contact| contact.email.as_str().to_owned()),
            cy: total.map(|total| total.currency().as_str().to_owned()),
            t: total.map(Money::amount),
            l: order.lines.as_slice().iter().map(Into::into).collect(),
            a: order.shipping_address.as_ref().map(Into::into),
            sh: order.shipping.as_ref().map(Into::into),
            m: order.metadata.as_map().clone(),
            x: owned(order.external_reference.as_ref()),
            o: owned(order.notes.as_ref()),
            h: order.history.iter().map(Into::into).collect(),
            lv: Some(order.lines_version).filter(|version| *version != 1),
            r: order.revision,
            sr: order.settlement.superseded.iter().map(ToString::to_string).collect(),
            ra: order.settlement.release_again,
            d: order.settlement.due.map(Timestamp::as_millis),
            z: order.deletion.map(|deletion| deletion.at.as_millis()),
            ttl: order.deletion.map(|deletion| deletion.expires_at.as_secs()),
        }
    }
}

fn reservation(text: &str) -> Result<ReservationId, DecodeError> {
    let id = Uuid::try_parse(text).map_err(|_| DecodeError::Unknown { what: "reservation" })?;
    Ok(ReservationId::from_uuid(id))
}

/// Text to store.
fn owned<const MAX: usize>(text: Option<&Text<MAX>>) -> Option<String> {
    text.map(|text| text.as_str().to_owned())
}

pub(super) fn inventory(text: &str) -> Result<Inventory, DecodeError> {
    let known = Inventory::ALL.into_iter().find(|state| state.as_str() == text);
    known.ok_or(DecodeError::Unknown { what: "inventory state" })
}
