//! The events that committed changes stand for.

use std::fmt;

use crate::history::{EventKind, HistoryEntry};
use crate::id::OrderId;
use crate::order::Order;

/// The id of an event: the same however often it is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EventId {
    /// The order.
    pub order: OrderId,
    /// The version whose commit the event stands for.
    pub version: u64,
    /// Its place among the events of that version, from 0.
    pub index: usize,
}

impl EventId {
    /// Reads what [`fmt::Display`] writes.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.splitn(3, ':');
        let order = OrderId::parse(parts.next()?).ok()?;
        Some(Self { order, version: parts.next()?.parse().ok()?, index: parts.next()?.parse().ok()? })
    }
}

/// `<order id>:<version>:<n>`
impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.order, self.version, self.index)
    }
}

/// One event: what happened, and the order as it was when the event was first sent.
#[derive(Debug, Clone, Copy)]
pub struct Event<'a> {
    /// Its id.
    pub id: EventId,
    /// What happened.
    pub kind: EventKind,
    /// The committed version it stands for.
    pub entry: &'a HistoryEntry,
    /// The order.
    pub order: &'a Order,
}

/// The events of every version of `new` after `known`, oldest first; version 0 is before the first.
///
/// A stream record holds the version before and the order after one write, so this is what that write has to announce. A
/// write that makes no version announces nothing.
#[must_use]
pub fn new_events(known: u64, new: &Order) -> Vec<Event<'_>> {
    new.history.iter().filter(|entry| entry.version > known).flat_map(|entry| events_of(new, entry)).collect()
}

fn events_of<'a>(order: &'a Order, entry: &'a HistoryEntry) -> impl Iterator<Item = Event<'a>> {
    entry.events.iter().enumerate().map(move |(index, kind)| Event {
        id: EventId { order: order.id, version: entry.version, index },
        kind: *kind,
        entry,
        order,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory::sample;

    #[test]
    fn an_event_id_reads_back_as_it_was_written() {
        let id = EventId { order: sample::order_id(1), version: 12, index: 3 };
        assert_eq!(EventId::parse(&id.to_string()), Some(id));
        for bad in ["", "1:2:3", "0192f0c1-7a3e-7cc0-8000-000000000001:1", "0192f0c1-7a3e-7cc0-8000-000000000001:1:-1"]
        {
            assert_eq!(EventId::parse(bad), None, "{bad}");
        }
    }
}
