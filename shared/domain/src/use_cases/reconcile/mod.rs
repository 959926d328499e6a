//! Compare histories with what came out of bus and feed, and send again what did not.

mod compare;
mod schedule;
#[cfg(test)]
mod tests;

use std::collections::{BTreeSet, VecDeque};

use futures_util::future::{join, try_join_all};

use super::publish_changes::{Lane, publish_in_order};
use crate::event::{Event, EventId, new_events};
use crate::order::Order;
use crate::ports::{
    AuditRuns, AuditTrail, ChangedOrders, Clock, EventPublisher, OrderKey, OrderStore, PerChannel, Run, Seen, Segment,
    StoreError, Tally, TrailError,
};
use crate::timestamp::Timestamp;
use compare::{events_within, is_beyond, is_unknown, missing};

pub use schedule::{REACH, scheduled_run};

/// The use case and the ports it needs.
#[derive(Debug, Clone)]
pub struct Reconcile<S, T, P, K> {
    /// Where orders are kept.
    pub store: S,
    /// What came out, and how far each run has come.
    pub trail: T,
    /// Where events go.
    pub channels: PerChannel<P>,
    /// The time.
    pub clock: K,
}

/// Why a run stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Advance {
    /// Everything is compared.
    Done,
    /// The time was up; it is to be continued.
    TimeUp,
    /// What came out is not recorded yet, so nothing can be said to be missing; it is to be continued.
    TrailBehind,
    /// Channels refused so many events. Their pages are not done; the next invocation compares them again.
    Refused(u64),
}

/// One page of a segment, compared.
struct Compared {
    segment: Segment,
    /// The order that the next page follows; `None`: this is the last.
    next: Option<OrderKey>,
    found: Tally,
    /// How many of the missing events were sent again and refused.
    refused: u64,
}

/// What was sent again of whole histories.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Resent {
    /// The orders that had events to send.
    pub orders: usize,
    /// The events that their histories name.
    pub events: usize,
    /// Those that both channels took.
    pub republished: usize,
}

/// Why nothing could be compared.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReconcileError {
    /// The orders could not be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// What came out could not be read, or how far the run has come could not be saved.
    #[error(transparent)]
    Trail(#[from] TrailError),
}

impl<S, T, P, K> Reconcile<S, T, P, K>
where
    S: OrderStore + ChangedOrders,
    T: AuditTrail + AuditRuns,
    P: EventPublisher,
    K: Clock,
{
    /// Continues a run until it is done or the time is up, page by page, and saves it after each. What was sent or counted
    /// after the last save is sent and counted again by the invocation that goes on: events are sent twice at worst.
    /// A segment stays at a page of which a channel refused events, so no run is done before all that it misses is sent.
    ///
    /// # Errors
    /// [`ReconcileError`]; the run continues where it was saved last.
    pub async fn advance(&self, run: &mut Run, until: Timestamp) -> Result<Advance, ReconcileError> {
        self.save(run).await?;
        if !run.is_done() && !self.trail.has_passed(&run.marker(), self.clock.now()).await? {
            return Ok(Advance::TrailBehind);
        }
        let (mut refused, mut held) = (0, Vec::new());
        while run.open_segments().any(|(segment, _)| !held.contains(&segment)) {
            if self.clock.now() >= until {
                return Ok(Advance::TimeUp);
            }
            let open = run.open_segments().filter(|(segment, _)| !held.contains(segment));
            let pages = open.map(|(segment, after)| self.compare_page(run, segment, after));
            for page in try_join_all(pages).await? {
                if page.refused == 0 {
                    run.note(page.segment, page.next, page.found);
                } else {
                    refused += page.refused;
                    held.push(page.segment);
                }
            }
            self.save(run).await?;
        }
        Ok(if held.is_empty() { Advance::Done } else { Advance::Refused(refused) })
    }

    async fn save(&self, run: &mut Run) -> Result<(), TrailError> {
        run.revision += 1;
        self.trail.save(run).await
    }

    /// Compares one page of a segment, and sends again what is missing if the run is to.
    async fn compare_page(
        &self,
        run: &Run,
        segment: Segment,
        after: Option<&OrderKey>,
    ) -> Result<Compared, ReconcileError> {
        let page = self.store.changed_since(run.window.from, segment, after).await?;
        let changed = |order: &&Order| !events_within(order, run.window).is_empty();
        let orders: Vec<&Order> = page.orders.iter().filter(changed).collect();
        let mut found = Tally { orders: orders.len() as u64, ..Tally::default() };
        let mut lanes = PerChannel::<Vec<Lane<'_, EventId>>>::default();
        if !orders.is_empty() {
            let ids: Vec<_> = orders.iter().map(|order| order.id).collect();
            let mut trail = self.trail.seen(&ids).await?;
            for order in orders {
                let seen = trail.remove(&order.id).unwrap_or_default();
                let events = events_within(order, run.window);
                found.events += events.len() as u64;
                lanes.bus.push(lane(missing(&events, &seen.bus, &mut found.missing.bus)));
                lanes.feed.push(lane(missing(&events, &seen.feed, &mut found.missing.feed)));
                self.find_unknown(order, &seen, &mut found).await?;
            }
        }
        let mut refused = 0;
        if run.republish {
            let count = |lanes: &[Lane<'_, EventId>]| lanes.iter().map(VecDeque::len).sum::<usize>();
            let wanted = (count(&lanes.bus) + count(&lanes.feed)) as u64;
            let left = self.send(lanes).await;
            refused = (left.bus.len() + left.feed.len()) as u64;
            found.republished = wanted - refused;
        }
        Ok(Compared { segment, next: page.next, found, refused })
    }

    /// Notes events that no history names. The order may have changed since its page was read, so one of a later version is
    /// looked up in the order as it is now: an event comes out after its commit.
    async fn find_unknown(&self, order: &Order, seen: &Seen, found: &mut Tally) -> Result<(), StoreError> {
        let ids: BTreeSet<EventId> = seen.bus.union(&seen.feed).copied().collect();
        let is_older = ids.iter().any(|id| is_beyond(order, *id));
        let now = if is_older { self.store.get(&order.tenant, order.id).await? } else { None };
        let order = now.as_ref().unwrap_or(order);
        ids.into_iter().filter(|id| is_unknown(order, *id)).for_each(|id| found.unknown.push(id));
        Ok(())
    }

    /// Sends every event of these orders' histories again: for changes whose records are lost. An order that does not
    /// exist, or was erased, has nothing to say, and does not count.
    ///
    /// # Errors
    /// [`StoreError`]; what was sent stays sent.
    pub async fn resend_orders(&self, keys: &[OrderKey]) -> Result<Resent, StoreError> {
        let mut done = Resent::default();
        for key in keys {
            let Some(order) = self.store.get(&key.tenant, key.id).await? else { continue };
            let events = new_events(0, &order);
            done.orders += usize::from(!events.is_empty());
            done.events += events.len();
            let lanes = || vec![lane(events.iter().copied())];
            let refused = self.send(PerChannel { bus: lanes(), feed: lanes() }).await;
            done.republished += events.len() - refused.bus.union(&refused.feed).count();
        }
        Ok(done)
    }

    /// Sends each channel its lanes; what it did not take.
    async fn send(&self, mut lanes: PerChannel<Vec<Lane<'_, EventId>>>) -> PerChannel<BTreeSet<EventId>> {
        lanes.bus.retain(|lane| !lane.is_empty());
        lanes.feed.retain(|lane| !lane.is_empty());
        let (bus, feed) =
            join(publish_in_order(&self.channels.bus, lanes.bus), publish_in_order(&self.channels.feed, lanes.feed))
                .await;
        PerChannel { bus: bus.into_iter().collect(), feed: feed.into_iter().collect() }
    }
}

fn lane<'a>(events: impl IntoIterator<Item = Event<'a>>) -> Lane<'a, EventId> {
    events.into_iter().map(|event| (event.id, event)).collect()
}
