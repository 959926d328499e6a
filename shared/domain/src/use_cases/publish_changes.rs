//! Announce committed changes, in version order per order, and say which must be sent again.

use std::collections::{HashMap, VecDeque};

use crate::event::{Event, new_events};
use crate::id::OrderId;
use crate::order::Order;
use crate::ports::EventPublisher;

/// One write, as the table's stream tells it.
#[derive(Debug, Clone)]
pub struct CommittedChange {
    /// The version before; 0 for a new order.
    pub known: u64,
    /// The order after.
    pub new: Order,
}

/// The events of one order that wait for their turn, each with what it belongs to.
pub(super) type Lane<'a, T> = VecDeque<(T, Event<'a>)>;

/// Publishes the events of changes given in stream order. Returns, for each change, whether all its events are out.
///
/// Orders go side by side. Within an order nothing overtakes: an event is sent when the one before it is out, and after
/// one that failed the rest is held back.
pub async fn publish_changes(publisher: &impl EventPublisher, changes: &[CommittedChange]) -> Vec<bool> {
    let mut published = vec![true; changes.len()];
    for change in publish_in_order(publisher, lanes(changes)).await {
        if let Some(is_out) = published.get_mut(change) {
            *is_out = false;
        }
    }
    published
}

/// Publishes each lane in its order, all lanes at once. Returns what was not published.
pub(super) async fn publish_in_order<T>(publisher: &impl EventPublisher, mut lanes: Vec<Lane<'_, T>>) -> Vec<T> {
    let mut held_back = Vec::new();
    while !lanes.is_empty() {
        let wave: Vec<Event<'_>> = lanes.iter().filter_map(|lane| Some(lane.front()?.1)).collect();
        let results = publisher.publish(&wave).await;
        for (n, lane) in lanes.iter_mut().enumerate() {
            match results.get(n) {
                Some(Ok(())) => drop(lane.pop_front()),
                Some(Err(_)) | None => held_back.extend(lane.drain(..).map(|(owner, _)| owner)),
            }
        }
        lanes.retain(|lane| !lane.is_empty());
    }
    held_back
}

/// The first change that must be retried: the stream resumes there, so naming a later one would lose it.
#[must_use]
pub fn first_unpublished(published: &[bool]) -> Option<usize> {
    published.iter().position(|is_out| !is_out)
}

/// One lane for each order that has something to announce.
fn lanes(changes: &[CommittedChange]) -> Vec<Lane<'_, usize>> {
    let mut lanes: Vec<Lane<'_, usize>> = Vec::new();
    let mut lane_of = HashMap::<OrderId, usize>::new();
    for (index, change) in changes.iter().enumerate() {
        for event in new_events(change.known, &change.new) {
            let place = *lane_of.entry(change.new.id).or_insert(lanes.len());
            match lanes.get_mut(place) {
                Some(lane) => lane.push_back((index, event)),
                None => lanes.push(VecDeque::from([(index, event)])),
            }
        }
    }
    lanes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::EventId;
    use crate::history::EventKind;
    use crate::memory::{MemoryPublisher, sample};
    use crate::order::OrderData;

    fn created(n: u32) -> CommittedChange {
        let data = OrderData { id: sample::order_id(n), ..(*sample::order()).clone() };
        CommittedChange { known: 0, new: Order::restore(data) }
    }

    fn id(n: u32, index: usize) -> EventId {
        EventId { order: sample::order_id(n), version: 1, index }
    }

    #[tokio::test]
    async fn a_new_order_announces_its_events_in_order() {
        let publisher = MemoryPublisher::default();
        assert_eq!(publish_changes(&publisher, &[created(1)]).await, [true]);
        let kinds: Vec<_> = publisher.published().into_iter().map(|event| event.kind).collect();
        assert_eq!(kinds, [EventKind::OrderCreated, EventKind::InventoryReserved, EventKind::OrderConfirmed]);
    }

    #[tokio::test]
    async fn a_write_that_makes_no_version_announces_nothing() {
        let publisher = MemoryPublisher::default();
        let order = created(1).new;
        let same = CommittedChange { known: order.version, new: order };
        assert_eq!(publish_changes(&publisher, &[same]).await, [true]);
        assert!(publisher.published().is_empty());
    }

    #[tokio::test]
    async fn a_failed_event_fails_its_change_and_no_other_order() {
        let publisher = MemoryPublisher::default();
        publisher.refuse(id(2, 1));
        let outcome = publish_changes(&publisher, &[created(1), created(2), created(3)]).await;
        assert_eq!(outcome, [true, false, true]);
        publisher.recover();
        assert_eq!(publish_changes(&publisher, &[created(2)]).await, [true]);
        assert!(publisher.published().iter().any(|event| event.id == id(2, 1)));
    }

    #[tokio::test]
    async fn an_order_stops_at_its_first_failure() {
        let publisher = MemoryPublisher::default();
        publisher.refuse(id(1, 0));
        assert_eq!(publish_changes(&publisher, &[created(1), created(2), created(1)]).await, [false, true, false]);
        assert!(publisher.published().iter().all(|event| event.id.order == sample::order_id(2)));
    }

    #[tokio::test]
    async fn an_event_is_sent_when_the_one_before_it_is_out() {
        let publisher = MemoryPublisher::default();
        publisher.refuse(id(1, 1));
        assert_eq!(publish_changes(&publisher, &[created(1)]).await, [false]);
        let sent: Vec<_> = publisher.published().into_iter().map(|event| event.id).collect();
        assert_eq!(sent, [id(1, 0)]);
    }

    #[test]
    fn the_stream_resumes_at_the_first_failure() {
        assert_eq!(first_unpublished(&[true, false, true, false]), Some(1));
        assert_eq!(first_unpublished(&[true, true]), None);
    }
}
