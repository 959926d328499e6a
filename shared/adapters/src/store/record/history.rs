//! The history within an item: the part that grows, so it is kept the shortest.

use domain::event::EventKind;
use domain::history::{Change, Entry, Field, Stamp};
use domain::invalid::Invalid;
use domain::money::{Currency, Money};
use domain::status::Status;
use domain::text::Reason;
use domain::timestamp::Timestamp;
use serde::{Deserialize, Serialize};

use super::value::{DecodeError, inventory, owned};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct EntryRecord {
    #[serde(rename = "v")]
    version: u64,
    /// milliseconds
    #[serde(rename = "t")]
    at: i64,
    #[serde(rename = "a")]
    actor: String,
    #[serde(rename = "r")]
    request_id: String,
    /// one letter each
    #[serde(rename = "e", default, skip_serializing_if = "String::is_empty")]
    events: String,
    #[serde(rename = "c", default, skip_serializing_if = "Vec::is_empty")]
    changes: Vec<ChangeRecord>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum ChangeRecord {
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

impl TryFrom<EntryRecord> for Entry {
    type Error = DecodeError;

    fn try_from(record: EntryRecord) -> Result<Self, DecodeError> {
        Ok(Self {
            version: record.version,
            stamp: Stamp { at: Timestamp::from_millis(record.at), actor: record.actor, request_id: record.request_id },
            events: record.events.chars().map(event_of_letter).collect::<Result<_, _>>()?,
            changes: record.changes.into_iter().map(TryInto::try_into).collect::<Result<_, _>>()?,
        })
    }
}

impl From<&Entry> for EntryRecord {
    fn from(entry: &Entry) -> Self {
        let Entry { version, stamp: Stamp { at, actor, request_id }, events, changes } = entry;
        Self {
            version: *version,
            at: at.as_millis(),
            actor: actor.clone(),
            request_id: request_id.clone(),
            events: events.iter().map(|kind| letter_of_event(*kind)).collect(),
            changes: changes.iter().map(Into::into).collect(),
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

fn money((amount, currency): MoneyRecord) -> Result<Money, Invalid> {
    Ok(Money::new(amount, Currency::parse(&currency)?))
}

fn money_record(money: Money) -> MoneyRecord {
    (money.amount(), money.currency().as_str().to_owned())
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
