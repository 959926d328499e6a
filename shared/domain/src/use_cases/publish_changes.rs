//! Announce committed changes, in version order per order, and say which must be sent again.

use std::collections::HashSet;

use crate::event::new_events;
use crate::id::OrderId;
use crate::order::Order;
use crate::ports::EventPublisher;

/// One write, as the table's stream tells it.
#[derive(Debug, Clone)]
pub struct CommittedChange {
    /// The order before; `None` for a new one.
    pub old: Option<Order>,
    /// The order after.
    pub new: Order,
}

/// Publishes the events of changes given in stream order. Returns, for each change, whether all its events are out.
///
/// Orders are independent of each other. Within an order nothing overtakes: after a change that failed, its later
/// changes are held back and count as failed.
pub async fn publish_changes(publisher: &impl EventPublisher, changes: &[CommittedChange]) -> Vec<bool> {
    let mut published = vec![false; changes.len()];
    let mut stopped = HashSet::<OrderId>::new();
    for wave in waves(changes) {
        let wave: Vec<usize> = wave
            .into_iter()
            .filter(|index| changes.get(*index).is_some_and(|c| !stopped.contains(&c.new.id)))
            .collect();
        for (index, is_out) in publish_wave(publisher, changes, &wave).await {
            if let (Some(slot), Some(change)) = (published.get_mut(index), changes.get(index)) {
                *slot = is_out;
                if !is_out {
                    stopped.insert(change.new.id);
                }
            }
        }
    }
    published
}

/// Groups changes so that each group holds at most one change per order, and an order's changes keep their order.
fn waves(changes: &[CommittedChange]) -> Vec<Vec<usize>> {
    let mut waves: Vec<Vec<usize>> = Vec::new();
    let mut seen = std::collections::HashMap::<OrderId, usize>::new();
    for (index, change) in changes.iter().enumerate() {
        let turn = seen.entry(change.new.id).or_default();
        match waves.get_mut(*turn) {
            Some(wave) => wave.push(index),
            None => waves.push(vec![index]),
        }
        *turn += 1;
    }
    waves
}

async fn publish_wave(
    publisher: &impl EventPublisher,
    changes: &[CommittedChange],
    wave: &[usize],
) -> Vec<(usize, bool)> {
    let mut events = Vec::new();
    let mut owners = Vec::new();
    for (index, change) in wave.iter().filter_map(|index| Some((*index, changes.get(*index)?))) {
        for event in new_events(change.old.as_ref(), &change.new) {
            events.push(event);
            owners.push(index);
        }
    }
    let results = publisher.publish(&events).await;
    let failed: HashSet<usize> = owners
        .iter()
        .enumerate()
        .filter(|(n, _)| !matches!(results.get(*n), Some(Ok(()))))
        .map(|(_, owner)| *owner)
        .collect();
    wave.iter().map(|index| (*index, !failed.contains(index))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{EventId, EventKind};
    use crate::memory::{MemoryPublisher, sample};
    use crate::order::OrderData;

    fn created(n: u32) -> CommittedChange {
        let data = OrderData { id: sample::order_id(n), ..(*sample::order()).clone() };
        CommittedChange { old: None, new: Order::restore(data) }
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
        let same = CommittedChange { old: Some(order.clone()), new: order };
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
        assert!(publisher.published().iter().all(|event| event.id.order == sample::order_id(2) || event.id.index > 0));
    }
}
