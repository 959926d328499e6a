//! Send a connection what it missed: of one order, or of all that changed since then.
//!
//! What was noted of all orders is read page by page, up to what was noted last when the replay began. What is noted later
//! finds the subscription, which was registered before. So a replay ends, however much changes meanwhile, and holds one page.

use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::stream::{self, StreamExt, TryStreamExt};

use super::{Subscribe, SubscribeError, SubscribeRequest};
use crate::event::new_events;
use crate::id::OrderId;
use crate::order::Order;
use crate::ports::{Clock, Message, Noted, OrderStore, PostError, RecentChanges, Sockets, Subjects, Subscriptions};
use crate::subscription::{ConnectionId, SubscriptionKey};
use crate::timestamp::Timestamp;

/// Of so many orders what was missed is sent at a time.
const AT_ONCE: usize = 32;

/// What was noted so long before the time that a client gives is sent again: it may have been on its way then, or waited to
/// be pushed once more, which notes it anew.
const MARGIN: Duration = Duration::from_secs(60);

/// Recent changes are remembered for so long; nobody is connected for longer than two hours.
const REMEMBERED: Duration = Duration::from_secs(3 * 3600);

/// No order is begun later than this after the request. API Gateway waits for 29 s, and what has begun takes a few.
pub(super) const LONGEST: Duration = Duration::from_secs(20);

/// Of so many orders it is known how far they were sent, so that none is sent again for each page that names it.
const MOST_SENT: usize = 10_000;

impl<O: OrderStore, T: Subscriptions + Subjects + RecentChanges, S: Sockets, C: Clock> Subscribe<O, T, S, C> {
    /// Sends all that was noted since then or, when it is not known any more or takes too long, says so. It was asked for at
    /// `begun`.
    pub(super) async fn replay_all(
        &self,
        request: &SubscribeRequest,
        key: &SubscriptionKey,
        since: Timestamp,
        begun: Timestamp,
    ) -> Result<(), SubscribeError> {
        let now = self.clock.now();
        let kept_since = self.table.kept_since(&request.caller.tenant, now).await?;
        let is_remembered = kept_since.is_some_and(|kept| kept <= since) && since >= now.minus(REMEMBERED);
        if is_remembered && self.replay_noted(request, key, since.minus(MARGIN), begun.plus(LONGEST)).await? {
            return Ok(());
        }
        Ok(self.sockets.post(&request.connection, Message::MissedTooMuch).await?)
    }

    /// Whether all was sent in time.
    async fn replay_noted(
        &self,
        request: &SubscribeRequest,
        key: &SubscriptionKey,
        from: Timestamp,
        deadline: Timestamp,
    ) -> Result<bool, SubscribeError> {
        let Some(newest) = self.table.newest(key).await? else { return Ok(true) };
        let (mut sent, mut after) = (BTreeMap::new(), None);
        while self.clock.now() < deadline {
            let page = self.table.noted(key, from, newest, after).await?;
            let missing = missing(page.changes, &sent);
            let replays = stream::iter(missing).map(|(id, after)| self.replay_one(request, id, after, deadline));
            let outcomes = replays.buffer_unordered(AT_ONCE);
            let reached: Vec<Option<(OrderId, u64)>> = outcomes.try_collect().await?;
            if reached.contains(&None) {
                break;
            }
            if sent.len() > MOST_SENT {
                sent.clear();
            }
            sent.extend(reached.into_iter().flatten());
            after = page.next;
            if after.is_none() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Sends an order's versions after this one, up to its newest, so that what is pushed later follows it; up to which, or
    /// `None` when the time is over. An order that the caller may not see has none.
    async fn replay_one(
        &self,
        request: &SubscribeRequest,
        id: OrderId,
        after: u64,
        deadline: Timestamp,
    ) -> Result<Option<(OrderId, u64)>, SubscribeError> {
        if self.clock.now() >= deadline {
            return Ok(None);
        }
        let order = self.orders.get(&request.caller.tenant, id).await?;
        let Some(order) = order.filter(|order| request.caller.may_act_for(&order.customer.id)) else {
            return Ok(Some((id, u64::MAX)));
        };
        // Boxed, or the compiler gives up on the depth of nested futures.
        Box::pin(self.replay(&request.connection, &order, after)).await?;
        Ok(Some((id, order.version)))
    }

    /// Sends the events of all versions after this one, and which of them are gone.
    pub(super) async fn replay(&self, connection: &ConnectionId, order: &Order, after: u64) -> Result<(), PostError> {
        let first = order.history.first().map_or(order.version + 1, |entry| entry.version);
        if after < order.version && after + 1 < first {
            let missed = Message::Missed { order: order.id, from: after + 1, to: first - 1 };
            self.sockets.post(connection, missed).await?;
        }
        for event in new_events(after, order) {
            self.sockets.post(connection, Message::Event(event)).await?;
        }
        Ok(())
    }
}

/// The orders of a page that have versions which were not sent, and after which version these begin.
fn missing(changes: Vec<Noted>, sent: &BTreeMap<OrderId, u64>) -> BTreeMap<OrderId, u64> {
    let mut missing = BTreeMap::<OrderId, u64>::new();
    for Noted { order, version, .. } in changes {
        let after = match sent.get(&order) {
            Some(sent) if version <= *sent => continue,
            Some(sent) => *sent,
            None => version.saturating_sub(1),
        };
        let first = missing.entry(order).or_insert(after);
        *first = after.min(*first);
    }
    missing
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::super::Wanted;
    use super::*;
    use crate::details::{Edit, Patch};
    use crate::memory::{FixedClock, Heard, MemorySockets, MemoryStore, MemorySubscriptions, TickingClock, sample};
    use crate::order::OrderData;
    use crate::ports::{Condition, OrderKey};
    use crate::subscription::Update;
    use crate::text::Text;

    type Live<C> = Subscribe<MemoryStore, MemorySubscriptions, MemorySockets, C>;

    const VERSIONS: u32 = 3;

    fn noon() -> Timestamp {
        sample::stamp(43_200).at
    }

    fn connection() -> ConnectionId {
        ConnectionId::parse("L0SM9cOFvHcCIhw=").unwrap()
    }

    /// A service with so many orders of three versions, each of which was noted ten minutes ago: all first versions, then all
    /// second ones, and so on.
    async fn live<C: Clock>(orders: u32, clock: C) -> Live<C> {
        let (store, table) = (MemoryStore::default(), MemorySubscriptions::default());
        table.keep(&sample::tenant(), sample::stamp(0).at, noon().plus(REMEMBERED)).await.unwrap();
        for n in 1..=orders {
            let data = OrderData { id: sample::order_id(n), ..(*sample::order()).clone() };
            let mut order = Order::restore(data);
            store.insert(&order).await.unwrap();
            note(&table, &order, u64::from(n)).await;
            for version in 2..=VERSIONS {
                let notes = Patch::Set(Text::parse(format!("note {version}")).unwrap());
                let edit = Edit { notes, ..Edit::default() };
                let edited = order.edit(&edit, None, sample::stamp(version)).unwrap().unwrap();
                store.update(&order, &edited, Condition::Version).await.unwrap();
                order = edited;
                note(&table, &order, u64::from(orders * (version - 1) + n)).await;
            }
        }
        Subscribe { orders: store, table, sockets: MemorySockets::default(), clock, most_connections: 1 }
    }

    async fn note(table: &MemorySubscriptions, order: &Order, later: u64) {
        let update = Update {
            order: OrderKey { tenant: order.tenant.clone(), id: order.id },
            customer: order.customer.id.clone(),
            version: order.version,
            committed_at: noon(),
            message: String::new(),
        };
        let at = noon().minus(Duration::from_secs(600)).plus(Duration::from_millis(later));
        table.note(&update, at).await.unwrap();
    }

    /// Asks for what changed since eleven minutes ago.
    async fn resume<C: Clock>(live: &Live<C>) -> (Result<(), SubscribeError>, Vec<Heard>) {
        let since = Some(noon().minus(Duration::from_secs(660)));
        let request = SubscribeRequest {
            caller: sample::caller(),
            connection: connection(),
            expires_at: noon().plus(Duration::from_secs(3_600)),
            wanted: Wanted::All { customer: None, since },
        };
        let outcome = live.run(&request).await;
        (outcome, live.sockets.heard(&connection()))
    }

    /// The events of an order's versions, in the order in which they came.
    fn versions(heard: &[Heard], n: u32) -> Vec<(u64, usize)> {
        let of = |heard: &Heard| match heard {
            Heard::Event(id, version, index) if *id == sample::order_id(n) => Some((*version, *index)),
            _ => None,
        };
        heard.iter().filter_map(of).collect()
    }

    /// All events of the orders of [`live`].
    const ALL: [(u64, usize); 5] = [(1, 0), (1, 1), (1, 2), (2, 0), (3, 0)];

    #[tokio::test]
    async fn of_orders_on_however_many_pages_each_event_is_sent_once_and_in_order() {
        let live = live(100, FixedClock(noon())).await;
        let (outcome, heard) = resume(&live).await;
        assert_eq!(outcome, Ok(()));
        for n in 1..=100 {
            assert_eq!(versions(&heard, n), ALL, "order {n}");
        }
        assert_eq!((heard.len(), heard.last()), (501, Some(&Heard::Subscribed(None))));
    }

    #[tokio::test]
    async fn a_replay_that_takes_too_long_says_so_and_ends_with_whole_orders() {
        let live = live(100, TickingClock::from(noon())).await;
        let (outcome, heard) = resume(&live).await;
        assert_eq!(outcome, Ok(()));
        assert_eq!(heard.last_chunk(), Some(&[Heard::MissedTooMuch, Heard::Subscribed(None)]));
        let begun: BTreeSet<u32> = (1..=100).filter(|n| !versions(&heard, *n).is_empty()).collect();
        assert!((2..20).contains(&begun.len()), "{begun:?}");
        for n in begun {
            assert_eq!(versions(&heard, n), ALL, "order {n}: what is pushed later must follow");
        }
    }

    #[tokio::test]
    async fn a_connection_that_takes_no_more_in_the_middle_is_closed_and_asked_no_further() {
        let live = live(100, FixedClock(noon())).await;
        live.sockets.hang_after(&connection(), 42);
        let (outcome, heard) = resume(&live).await;
        assert_eq!(outcome, Err(PostError::Slow.into()));
        assert_eq!(heard.len(), 42);
        assert!(live.sockets.is_gone(&connection()));
    }

    #[test]
    fn an_order_is_sent_again_only_for_versions_that_were_not_sent() {
        let noted = |n, version| Noted { at: noon(), order: sample::order_id(n), version };
        let sent = BTreeMap::from([(sample::order_id(1), 3), (sample::order_id(2), 3)]);
        let page = vec![noted(1, 2), noted(1, 3), noted(2, 3), noted(2, 5), noted(3, 8), noted(3, 7)];
        assert_eq!(missing(page, &sent), BTreeMap::from([(sample::order_id(2), 3), (sample::order_id(3), 6)]));
    }
}
