//! The history within an item: the part that grows, so it is kept the shortest.

use domain::details::Field;
use domain::history::{Change, EventKind, HistoryEntry, Stamp};
use domain::invalid::Invalid;
use domain::money::{Currency, Money};
use domain::status::{Inventory, Status};
use domain::text::Reason;
use domain::timestamp::Timestamp;
use domain::trace::TraceParent;
use serde::{Deserialize, Serialize};

use super::value::{DecodeError, owned};

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
    /// one letter each, `[name]` for those without a letter
    #[serde(rename = "e", default, skip_serializing_if = "String::is_empty")]
    events: String,
    #[serde(rename = "c", default, skip_serializing_if = "Vec::is_empty")]
    changes: Vec<ChangeRecord>,
    /// the trace context
    #[serde(rename = "w", default, skip_serializing_if = "Option::is_none", with = "serde_bytes")]
    trace: Option<Vec<u8>>,
}

/// One of these; none of them in a change that only a newer release knows.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(super) struct ChangeRecord {
    /// from, to, reason
    #[serde(rename = "s", default, skip_serializing_if = "Option::is_none")]
    status: Option<(String, String, Option<String>)>,
    /// from, to
    #[serde(rename = "i", default, skip_serializing_if = "Option::is_none")]
    inventory: Option<(String, String)>,
    /// from, to
    #[serde(rename = "t", default, skip_serializing_if = "Option::is_none")]
    total: Option<(Option<MoneyRecord>, Option<MoneyRecord>)>,
    /// another field
    #[serde(rename = "f", default, skip_serializing_if = "Option::is_none")]
    replaced: Option<String>,
}

/// amount, currency
type MoneyRecord = (i64, String);

impl TryFrom<EntryRecord> for HistoryEntry {
    type Error = DecodeError;

    fn try_from(record: EntryRecord) -> Result<Self, DecodeError> {
        let EntryRecord { version, at, actor, request_id, events, changes, trace } = record;
        // What cannot be read is no reason to lose the order.
        let trace = trace.and_then(|bytes| TraceParent::from_bytes(&bytes));
        let changes = changes.into_iter().filter_map(|change| change.into_change().transpose());
        Ok(Self {
            version,
            stamp: Stamp { at: Timestamp::from_millis(at), actor, request_id, trace },
            events: read_events(&events),
            changes: changes.collect::<Result<_, _>>()?,
        })
    }
}

impl From<&HistoryEntry> for EntryRecord {
    fn from(entry: &HistoryEntry) -> Self {
        let HistoryEntry { version, stamp: Stamp { at, actor, request_id, trace }, events, changes } = entry;
        Self {
            version: *version,
            at: at.as_millis(),
            actor: actor.clone(),
            request_id: request_id.clone(),
            events: events.iter().map(written_event).collect(),
            changes: changes.iter().map(Into::into).collect(),
            trace: trace.map(|trace| trace.to_bytes().to_vec()),
        }
    }
}

impl ChangeRecord {
    /// The change; `None` when only a newer release knows it.
    fn into_change(self) -> Result<Option<Change>, DecodeError> {
        let Self { status, inventory, total, replaced } = self;
        Ok(if let Some((from, to, reason)) = status {
            let (from, to) = (Status::restore(&from), Status::restore(&to));
            Some(Change::Status { from, to, reason: reason.map(Reason::restore) })
        } else if let Some((from, to)) = inventory {
            Some(Change::Inventory { from: Inventory::restore(&from), to: Inventory::restore(&to) })
        } else if let Some((from, to)) = total {
            Some(Change::Total { from: from.map(money).transpose()?, to: to.map(money).transpose()? })
        } else {
            replaced.map(|name| Change::Replaced(Field::restore(&name)))
        })
    }
}

impl From<&Change> for ChangeRecord {
    fn from(change: &Change) -> Self {
        let empty = Self::default();
        match change {
            Change::Status { from, to, reason } => {
                let status = (from.as_str().to_owned(), to.as_str().to_owned(), owned(reason.as_ref()));
                Self { status: Some(status), ..empty }
            }
            Change::Inventory { from, to } => {
                Self { inventory: Some((from.as_str().to_owned(), to.as_str().to_owned())), ..empty }
            }
            Change::Total { from, to } => Self { total: Some((from.map(money_record), to.map(money_record))), ..empty },
            Change::Replaced(field) => Self { replaced: Some(field.as_str().to_owned()), ..empty },
        }
    }
}

fn money((amount, currency): MoneyRecord) -> Result<Money, Invalid> {
    Ok(Money::new(amount, Currency::restore(&currency)?))
}

fn money_record(money: Money) -> MoneyRecord {
    (money.amount(), money.currency().as_str().to_owned())
}

const fn letter_of_event(kind: EventKind) -> Option<char> {
    match kind {
        EventKind::OrderCreated => Some('c'),
        EventKind::OrderUpdated => Some('u'),
        EventKind::OrderConfirmed => Some('f'),
        EventKind::OrderShipped => Some('s'),
        EventKind::OrderDelivered => Some('d'),
        EventKind::OrderCanceled => Some('x'),
        EventKind::OrderDeleted => Some('z'),
        EventKind::InventoryReserved => Some('r'),
        EventKind::InventoryReleased => Some('l'),
        EventKind::Unrecognized(_) => None,
    }
}

/// A letter of a newer release is written as it was read, or that release would take it for a name. An opening bracket
/// alone would take what follows for its name.
fn written_event(kind: &EventKind) -> String {
    match (letter_of_event(*kind), kind.as_str()) {
        (Some(letter), _) => letter.into(),
        (None, name) if name.chars().count() == 1 && name != "[" => name.to_owned(),
        (None, name) => format!("[{name}]"),
    }
}

fn read_events(mut written: &str) -> Vec<EventKind> {
    let mut events = Vec::new();
    while let Some(letter) = written.chars().next() {
        let named = written.strip_prefix('[').and_then(|rest| rest.split_once(']'));
        let known = EventKind::ALL.into_iter().find(|kind| letter_of_event(*kind) == Some(letter));
        let (name, rest) = named.unwrap_or_else(|| written.split_at(letter.len_utf8()));
        events.push(known.unwrap_or_else(|| EventKind::restore(name)));
        written = rest;
    }
    events
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_of_a_newer_release_keep_their_names_and_their_order() {
        let events = read_events("c[order.returned]f?");
        let names: Vec<_> = events.iter().map(EventKind::as_str).collect();
        assert_eq!(names, ["order.created", "order.returned", "order.confirmed", "?"]);
        assert_eq!(events[..3].iter().map(written_event).collect::<String>(), "c[order.returned]f");
    }

    #[test]
    fn letters_of_a_newer_release_are_written_as_they_were_read() {
        for written in ["c?f", "]rf", "z", "c[]"] {
            assert_eq!(read_events(written).iter().map(written_event).collect::<String>(), written);
        }
        let unclosed = read_events("c[");
        assert_eq!(read_events(&unclosed.iter().map(written_event).collect::<String>()), unclosed);
    }

    #[test]
    fn a_change_of_a_newer_release_is_passed_over() {
        let newer = serde_json::json!({"v": 2, "t": 1, "a": "a", "r": "r", "e": "u", "c": [{"q": 1}, {"f": "gift"}]});
        let entry: HistoryEntry = serde_json::from_value::<EntryRecord>(newer).unwrap().try_into().unwrap();
        assert_eq!(entry.changes, [Change::Replaced(Field::restore("gift"))]);
    }
}
