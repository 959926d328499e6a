//! An order as a DynamoDB item: attribute names are short, because every kilobyte written is paid for.

use std::collections::{BTreeMap, HashMap};

use aws_sdk_dynamodb::types::AttributeValue;
use domain::address::{Address, Country};
use domain::event::EventKind;
use domain::fingerprint::Fingerprint;
use domain::history::{Change, Entry, Field, Stamp};
use domain::id::{CustomerId, OrderId, ProductId, TenantId};
use domain::invalid::Invalid;
use domain::line::{Line, LineId, Lines, Price, ProductName, Quantity};
use domain::metadata::Metadata;
use domain::money::{Currency, Money, MoneyError};
use domain::order::{Contact, Customer, Deletion, Order, OrderData, Settlement};
use domain::ports::StoreError;
use domain::reservation::ReservationId;
use domain::shipment::{Shipment, TrackingUrl};
use domain::status::{Inventory, Status};
use domain::text::{Reason, Text};
use domain::timestamp::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::keys;

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

/// line_id, product_id, quantity, name, unit price
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct LineRecord {
    i: u32,
    p: String,
    q: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    n: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    u: Option<i64>,
}

/// name, line1, line2, city, state, postal code, country, phone
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct AddressRecord {
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
struct ShipmentRecord {
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

/// version, at, actor, request id, events (one letter each), changes
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct EntryRecord {
    v: u64,
    t: i64,
    a: String,
    r: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    e: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    c: Vec<ChangeRecord>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
enum ChangeRecord {
    /// status: from, to, reason
    #[serde(rename = "s")]
    Status(String, String, Option<String>),
    /// inventory: from, to
    #[serde(rename = "i")]
    Inventory(String, String),
    /// total: amounts and currencies
    #[serde(rename = "t")]
    Total(Option<MoneyRecord>, Option<MoneyRecord>),
    /// another field
    #[serde(rename = "f")]
    Replaced(String),
}

/// amount, currency
type MoneyRecord = (i64, String);

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
            d: order.settlement.due.map(Timestamp::as_millis),
            z: order.deletion.map(|deletion| deletion.at.as_millis()),
            ttl: order.deletion.map(|deletion| deletion.expires_at.as_secs()),
        }
    }
}

impl LineRecord {
    fn into_line(self, currency: Option<Currency>) -> Result<Line, DecodeError> {
        let quantity = Quantity::new(self.q)?;
        let price = match (self.n, self.u, currency) {
            (Some(name), Some(amount), Some(currency)) => {
                let unit_price = Money::new(amount, currency);
                Some(Price { name: ProductName::parse(name)?, unit_price, total: unit_price.times(quantity)? })
            }
            _ => None,
        };
        Ok(Line { id: LineId(self.i), product: ProductId::parse(self.p)?, quantity, price })
    }
}

impl From<&Line> for LineRecord {
    fn from(line: &Line) -> Self {
        let price = line.price.as_ref();
        Self {
            i: line.id.0,
            p: line.product.as_str().to_owned(),
            q: line.quantity.get(),
            n: price.map(|price| price.name.as_str().to_owned()),
            u: price.map(|price| price.unit_price.amount()),
        }
    }
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

impl TryFrom<EntryRecord> for Entry {
    type Error = DecodeError;

    fn try_from(record: EntryRecord) -> Result<Self, DecodeError> {
        Ok(Self {
            version: record.v,
            stamp: Stamp { at: Timestamp::from_millis(record.t), actor: record.a, request_id: record.r },
            events: record.e.chars().map(event_of_letter).collect::<Result<_, _>>()?,
            changes: record.c.into_iter().map(TryInto::try_into).collect::<Result<_, _>>()?,
        })
    }
}

impl From<&Entry> for EntryRecord {
    fn from(entry: &Entry) -> Self {
        Self {
            v: entry.version,
            t: entry.stamp.at.as_millis(),
            a: entry.stamp.actor.clone(),
            r: entry.stamp.request_id.clone(),
            e: entry.events.iter().map(|kind| letter_of_event(*kind)).collect(),
            c: entry.changes.iter().map(Into::into).collect(),
        }
    }
}

impl TryFrom<ChangeRecord> for Change {
    type Error = DecodeError;

    fn try_from(record: ChangeRecord) -> Result<Self, DecodeError> {
        Ok(match record {
            ChangeRecord::Status(from, to, reason) => Self::Status {
                from: Status::parse(&from)?,
                to: Status::parse(&to)?,
                reason: reason.map(Reason::parse).transpose()?,
            },
            ChangeRecord::Inventory(from, to) => Self::Inventory { from: inventory(&from)?, to: inventory(&to)? },
            ChangeRecord::Total(from, to) => {
                Self::Total { from: from.map(money).transpose()?, to: to.map(money).transpose()? }
            }
            ChangeRecord::Replaced(name) => Self::Replaced(
                Field::ALL
                    .into_iter()
                    .find(|field| field.as_str() == name)
                    .ok_or(DecodeError::Unknown { what: "field" })?,
            ),
        })
    }
}

impl From<&Change> for ChangeRecord {
    fn from(change: &Change) -> Self {
        match change {
            Change::Status { from, to, reason } => {
                Self::Status(from.as_str().to_owned(), to.as_str().to_owned(), owned(reason.as_ref()))
            }
            Change::Inventory { from, to } => Self::Inventory(from.as_str().to_owned(), to.as_str().to_owned()),
            Change::Total { from, to } => Self::Total(from.map(money_record), to.map(money_record)),
            Change::Replaced(field) => Self::Replaced(field.as_str().to_owned()),
        }
    }
}

fn reservation(text: &str) -> Result<ReservationId, DecodeError> {
    let id = Uuid::try_parse(text).map_err(|_| DecodeError::Unknown { what: "reservation" })?;
    Ok(ReservationId::from_uuid(id))
}

fn owned<const MAX: usize>(text: Option<&Text<MAX>>) -> Option<String> {
    text.map(|text| text.as_str().to_owned())
}

fn money((amount, currency): MoneyRecord) -> Result<Money, Invalid> {
    Ok(Money::new(amount, Currency::parse(&currency)?))
}

fn money_record(money: Money) -> MoneyRecord {
    (money.amount(), money.currency().as_str().to_owned())
}

pub(super) fn inventory(text: &str) -> Result<Inventory, DecodeError> {
    let known = Inventory::ALL.into_iter().find(|state| state.as_str() == text);
    known.ok_or(DecodeError::Unknown { what: "inventory state" })
}

const fn letter_of_event(kind: EventKind) -> char {
    match kind {
        EventKind::OrderCreated => 'c',
        EventKind::OrderUpdated => 'u',
        EventKind::OrderConfirmed => 'f',
        EventKind::OrderShipped => 's',
        EventKind::OrderDelivered => 'd',
        EventKind::OrderCanceled => 'x',
        EventKind::OrderDeleted => 'z',
        EventKind::InventoryReserved => 'r',
        EventKind::InventoryReleased => 'l',
    }
}

fn event_of_letter(letter: char) -> Result<EventKind, DecodeError> {
    let known = EventKind::ALL.into_iter().find(|kind| letter_of_event(*kind) == letter);
    known.ok_or(DecodeError::Unknown { what: "event" })
}
