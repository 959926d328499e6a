//! What a history names against what came out.

use std::collections::BTreeSet;

use crate::event::{Event, EventId, new_events};
use crate::order::Order;
use crate::ports::{Findings, Window};

/// The events of the versions that were committed within the window.
pub(super) fn events_within(order: &Order, window: Window) -> Vec<Event<'_>> {
    new_events(0, order).into_iter().filter(|event| window.contains(event.entry.stamp.at)).collect()
}

/// Those of the events that did not come out, which are noted.
pub(super) fn missing<'a>(events: &[Event<'a>], seen: &BTreeSet<EventId>, found: &mut Findings) -> Vec<Event<'a>> {
    let missing: Vec<Event<'a>> = events.iter().filter(|event| !seen.contains(&event.id)).copied().collect();
    missing.iter().for_each(|event| found.push(event.id));
    missing
}

/// Whether the event is of a later version than the order's.
pub(super) fn is_beyond(order: &Order, id: EventId) -> bool {
    id.version > order.version
}

/// Whether the history proves that there is no such event. It proves nothing of versions that have left it.
pub(super) fn is_unknown(order: &Order, id: EventId) -> bool {
    let entry = order.history.iter().find(|entry| entry.version == id.version);
    is_beyond(order, id) || entry.is_some_and(|entry| id.index >= entry.events.len())
}
