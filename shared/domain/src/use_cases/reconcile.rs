//! Compare histories with what came out of the bus, and send again what did not.

use std::collections::{BTreeSet, VecDeque};

use super::publish_changes::{Lane, publish_in_order};
use crate::event::{Event, EventId, new_events};
use crate::order::Order;
use crate::ports::{AuditTrail, ChangedOrders, EventPublisher, OrderKey, OrderStore, StoreError, TrailError, Window};

/// The use case and the ports it needs.
#[derive(Debug, Clone)]
pub struct Reconcile<S, P> {
    /// Where orders are kept.
    pub store: S,
    /// Where events go.
    pub publisher: P,
}

/// What a run found and did.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Reconciliation {
    /// How many orders were looked at.
    pub orders: usize,
    /// How many events their histories name.
    pub events: usize,
    /// Those that did not come out.
    pub missing: Vec<EventId>,
    /// What came out and is in no history.
    pub unknown: Vec<EventId>,
    /// How many were sent again.
    pub republished: usize,
}

/// Why nothing could be compared.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReconcileError {
    /// The orders could not be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// What came out could not be read.
    #[error(transparent)]
    Trail(#[from] TrailError),
}

impl<S: OrderStore + ChangedOrders, P: EventPublisher> Reconcile<S, P> {
    /// Compares the versions committed within the window with what came out. Sends what is missing again when
    /// `republish` says so. Running it twice is harmless: an event is sent twice at worst.
    ///
    /// # Errors
    /// [`ReconcileError`]; what was sent stays sent.
    pub async fn run(
        &self,
        window: Window,
        trail: &impl AuditTrail,
        republish: bool,
    ) -> Result<Reconciliation, ReconcileError> {
        let seen = trail.seen_since(window.from).await?;
        let mut found = Reconciliation::default();
        let mut known = BTreeSet::new();
        let came_out: BTreeSet<EventId> = seen.iter().map(|seen| seen.id).collect();
        let mut page = None;
        loop {
            let changed = self.store.changed_since(window.from, page.as_ref()).await?;
            let lanes: Vec<Lane<'_, EventId>> = changed
                .orders
                .iter()
                .map(|order| {
                    let events = events_within(order, window);
                    found.events += events.len();
                    known.extend(events.iter().map(|event| event.id));
                    lane(events.into_iter().filter(|event| !came_out.contains(&event.id)))
                })
                .collect();
            found.orders += changed.orders.len();
            found.missing.extend(lanes.iter().flatten().map(|(id, _)| *id));
            if republish {
                found.republished += self.publish(lanes).await;
            }
            page = changed.next;
            if page.is_none() {
                break;
            }
        }
        let unknown = seen.iter().filter(|seen| window.contains(seen.at) && !known.contains(&seen.id));
        found.unknown = unknown.map(|seen| seen.id).collect();
        Ok(found)
    }

    /// Sends every event of these orders' histories again: for changes whose records are lost. An order that does not
    /// exist has nothing to say.
    ///
    /// # Errors
    /// [`StoreError`]; what was sent stays sent.
    pub async fn resend_orders(&self, keys: &[OrderKey]) -> Result<Reconciliation, StoreError> {
        let mut done = Reconciliation::default();
        for key in keys {
            let Some(order) = self.store.get(&key.tenant, key.id).await? else { continue };
            let events = new_events(0, &order);
            done.orders += 1;
            done.events += events.len();
            done.republished += self.publish(vec![lane(events)]).await;
        }
        Ok(done)
    }

    /// How many events of these lanes are out now.
    async fn publish(&self, mut lanes: Vec<Lane<'_, EventId>>) -> usize {
        lanes.retain(|lane| !lane.is_empty());
        let count: usize = lanes.iter().map(VecDeque::len).sum();
        count - publish_in_order(&self.publisher, lanes).await.len()
    }
}

fn events_within(order: &Order, window: Window) -> Vec<Event<'_>> {
    new_events(0, order).into_iter().filter(|event| window.contains(event.entry.stamp.at)).collect()
}

fn lane<'a>(events: impl IntoIterator<Item = Event<'a>>) -> Lane<'a, EventId> {
    events.into_iter().map(|event| (event.id, event)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory::{MemoryPublisher, MemoryStore, MemoryTrail, sample};
    use crate::order::OrderData;
    use crate::ports::{Condition, Seen};
    use crate::status::Status;

    type Service = Reconcile<MemoryStore, MemoryPublisher>;

    /// Three stored orders of three events each.
    async fn service() -> Service {
        let service = Reconcile { store: MemoryStore::default(), publisher: MemoryPublisher::default() };
        for n in 1..=3 {
            service.store.insert(&order(n)).await.unwrap();
        }
        service
    }

    fn order(n: u32) -> Order {
        Order::restore(OrderData { id: sample::order_id(n), ..(*sample::order()).clone() })
    }

    fn id(n: u32, version: u64, index: usize) -> EventId {
        EventId { order: sample::order_id(n), version, index }
    }

    /// A trail of everything that orders 1 to 3 announced but for these.
    fn trail_without(missing: &[EventId]) -> MemoryTrail {
        let trail = MemoryTrail::default();
        for seen in (1..=3).flat_map(|n| (0..3).map(move |index| id(n, 1, index))) {
            if !missing.contains(&seen) {
                trail.note(Seen { id: seen, at: sample::stamp(1).at });
            }
        }
        trail
    }

    fn window(from: u32, to: u32) -> Window {
        Window { from: sample::stamp(from).at, to: sample::stamp(to).at }
    }

    #[tokio::test]
    async fn nothing_is_missing_when_everything_came_out() {
        let service = service().await;
        let found = service.run(window(0, 9), &trail_without(&[]), true).await.unwrap();
        assert_eq!(found, Reconciliation { orders: 3, events: 9, ..Reconciliation::default() });
        assert!(service.publisher.published().is_empty());
    }

    #[tokio::test]
    async fn what_did_not_come_out_is_named_and_sent_again_on_request() {
        let service = service().await;
        let missing = [id(1, 1, 1), id(3, 1, 0), id(3, 1, 2)];
        let trail = trail_without(&missing);
        let found = service.run(window(0, 9), &trail, false).await.unwrap();
        assert_eq!((found.missing.as_slice(), found.republished), (missing.as_slice(), 0));
        let found = service.run(window(0, 9), &trail, true).await.unwrap();
        assert_eq!(found.republished, 3);
        let mut sent: Vec<_> = service.publisher.published().into_iter().map(|event| event.id).collect();
        sent.sort();
        assert_eq!(sent, missing);
    }

    #[tokio::test]
    async fn what_came_out_without_a_history_is_named() {
        let service = service().await;
        let trail = trail_without(&[]);
        trail.note(Seen { id: id(1, 2, 0), at: sample::stamp(2).at });
        trail.note(Seen { id: id(2, 7, 0), at: sample::stamp(20).at });
        let found = service.run(window(0, 9), &trail, true).await.unwrap();
        assert_eq!(found.unknown, [id(1, 2, 0)]);
    }

    #[tokio::test]
    async fn versions_outside_the_window_are_left_alone() {
        let service = service().await;
        let first = order(1);
        let next = first.transition(Status::Processing, None, sample::stamp(30)).unwrap().unwrap();
        service.store.update(&first, &next, Condition::Version).await.unwrap();
        let found = service.run(window(20, 40), &MemoryTrail::default(), true).await.unwrap();
        assert_eq!((found.orders, found.missing, found.republished), (1, vec![id(1, 2, 0)], 1));
    }

    #[tokio::test]
    async fn an_event_that_is_refused_again_holds_its_order_back_and_is_not_counted() {
        let service = service().await;
        service.publisher.refuse(id(2, 1, 1));
        let found = service.run(window(0, 9), &MemoryTrail::default(), true).await.unwrap();
        assert_eq!((found.missing.len(), found.republished), (9, 7));
    }

    #[tokio::test]
    async fn a_whole_history_is_sent_again() {
        let service = service().await;
        let key = |n| OrderKey { tenant: sample::tenant(), id: sample::order_id(n) };
        let done = service.resend_orders(&[key(2), key(77)]).await.unwrap();
        assert_eq!((done.orders, done.republished), (1, 3));
    }
}
