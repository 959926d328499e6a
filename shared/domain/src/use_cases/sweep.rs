//! Retry follow-ups that are due, many orders side by side, every tenant in turn.

use std::collections::{BTreeMap, HashSet, VecDeque};
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::future::join_all;
use futures_util::stream;

use crate::history::Stamp;
use crate::id::TenantId;
use crate::ports::{Clock, CustomerService, InventoryService, OrderKey, OrderStore, StoreError};
use crate::timestamp::Timestamp;
use crate::use_cases::{FollowUps, Outcome};

/// So many orders are worked on at a time.
const AT_ONCE: usize = 100;

/// So many orders are worked on before the index is read again: whatever one tenant has waiting, another tenant's
/// order waits no longer than these take.
const ROUND: usize = 500;

/// So many keys of each shard of the index are read for a round: enough to see past one tenant's backlog.
const READ_AHEAD: u16 = 1_000;

/// An order that this release cannot work on is looked at again this much later: by then a release may be deployed that
/// can, and whatever the order has reserved did not expire meanwhile.
const PUT_OFF: Duration = Duration::from_secs(120);

/// Works through the index of due follow-ups.
#[derive(Debug, Clone)]
pub struct Sweep<S, C, I, K> {
    /// What is done for each order.
    pub follow_ups: FollowUps<S, C, I>,
    /// Tells when the time is up.
    pub clock: K,
}

/// What one sweep did.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Swept {
    /// Orders whose follow-ups are done.
    pub done: usize,
    /// Orders that are retried later.
    pub postponed: usize,
    /// Orders that this release cannot read, write or follow up; they are looked at again later.
    pub put_off: usize,
    /// Orders that the store gave no answer for; they are still due.
    pub failed: usize,
    /// Why a shard of the index was left out, the last time that one was.
    pub unread: Option<StoreError>,
}

impl<S: OrderStore, C: CustomerService, I: InventoryService, K: Clock> Sweep<S, C, I, K> {
    /// Retries what is due until nothing is left or the time is up. Each order is tried once. Running it twice at once is
    /// harmless.
    pub async fn run(&self, by: &Stamp, until: Timestamp) -> Swept {
        let (mut swept, mut tried, mut last) = (Swept::default(), HashSet::new(), None);
        while self.clock.now() < until {
            let mut due = self.due(&mut swept).await;
            due.retain(|key| !tried.contains(key));
            // Where the sweep begins differs from sweep to sweep; then each round goes on where the one before ended.
            let last_turn = last.take().or_else(|| self.any(&due));
            let mut round = in_turns(due, last_turn.as_ref());
            round.truncate(ROUND);
            let Some(end) = round.last() else { break };
            last = Some(end.tenant.clone());
            tried.extend(round.iter().cloned());
            let orders = stream::iter(round).map(|key| self.retry(key, by, until)).buffer_unordered(AT_ONCE);
            swept = orders.fold(swept, async |swept, one| swept.plus(one)).await;
        }
        swept
    }

    /// What is due in the shards that can be read.
    async fn due(&self, swept: &mut Swept) -> Vec<OrderKey> {
        let (store, now) = (&self.follow_ups.store, self.clock.now());
        let mut due = Vec::new();
        for shard in join_all((0..store.shards()).map(|shard| store.due(shard, now, READ_AHEAD))).await {
            match shard {
                Ok(keys) => due.extend(keys),
                Err(error) => swept.unread = Some(error),
            }
        }
        due
    }

    /// The tenant of one of the orders, by the time of day.
    fn any(&self, due: &[OrderKey]) -> Option<TenantId> {
        let now = usize::try_from(self.clock.now().as_millis()).unwrap_or_default();
        due.get(now.checked_rem(due.len())?).map(|key| key.tenant.clone())
    }

    async fn retry(&self, key: OrderKey, by: &Stamp, until: Timestamp) -> Swept {
        let stamp = Stamp { at: self.clock.now(), ..by.clone() };
        if stamp.at >= until {
            return Swept::default();
        }
        match self.follow_up(&key, &stamp).await {
            Ok(Outcome::Done) => Swept { done: 1, ..Swept::default() },
            Ok(Outcome::Postponed) => Swept { postponed: 1, ..Swept::default() },
            Err(StoreError::Throttled(_) | StoreError::Unavailable(_)) => Swept { failed: 1, ..Swept::default() },
            // Whoever overtook the sweep has moved the order, unless nobody can.
            Ok(Outcome::Overtaken) => self.put_off(&key, &stamp, Swept { done: 1, ..Swept::default() }).await,
            Ok(Outcome::NeedsNewerRelease) | Err(_) => {
                self.put_off(&key, &stamp, Swept { put_off: 1, ..Swept::default() }).await
            }
        }
    }

    /// Has an order come up later that would be the first in the index for ever.
    async fn put_off(&self, key: &OrderKey, stamp: &Stamp, swept: Swept) -> Swept {
        match self.follow_ups.store.put_off(key, stamp.at.plus(PUT_OFF)).await {
            Ok(()) => swept,
            Err(_) => Swept { failed: 1, ..Swept::default() },
        }
    }

    async fn follow_up(&self, key: &OrderKey, stamp: &Stamp) -> Result<Outcome, StoreError> {
        match self.follow_ups.store.get(&key.tenant, key.id).await? {
            Some(order) => self.follow_ups.run(order, stamp).await,
            None => Ok(Outcome::Done),
        }
    }
}

impl Swept {
    fn plus(self, other: Self) -> Self {
        Self {
            done: self.done + other.done,
            postponed: self.postponed + other.postponed,
            put_off: self.put_off + other.put_off,
            failed: self.failed + other.failed,
            unread: other.unread.or(self.unread),
        }
    }
}

/// One order of each tenant, then the next of each, so that no tenant waits behind another's backlog. The first turn is
/// that of the tenant after `last`.
fn in_turns(keys: Vec<OrderKey>, last: Option<&TenantId>) -> Vec<OrderKey> {
    let mut tenants = BTreeMap::<TenantId, VecDeque<OrderKey>>::new();
    let count = keys.len();
    for key in keys {
        tenants.entry(key.tenant.clone()).or_default().push_back(key);
    }
    let (before, mut tenants): (Vec<_>, Vec<_>) = tenants.into_iter().partition(|(tenant, _)| last >= Some(tenant));
    tenants.extend(before);
    let mut turns = Vec::with_capacity(count);
    while !tenants.is_empty() {
        turns.extend(tenants.iter_mut().filter_map(|(_, waiting)| waiting.pop_front()));
        tenants.retain(|(_, waiting)| !waiting.is_empty());
    }
    turns
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicI64, Ordering};

    use super::*;
    use crate::memory::{MemoryCustomers, MemoryInventory, MemoryStore, sample};
    use crate::order::{FollowUp, FollowUpKind, Order, OrderData};
    use crate::status::Status;
    use crate::unrecognized::Unrecognized;

    /// A clock that is read so often and no oftener before the time is up.
    struct Countdown(AtomicI64);

    impl Clock for Countdown {
        fn now(&self) -> Timestamp {
            Timestamp::from_millis(sample::stamp(60).at.as_millis() + self.0.fetch_add(1, Ordering::SeqCst))
        }
    }

    fn sweep() -> Sweep<MemoryStore, MemoryCustomers, MemoryInventory, Countdown> {
        let (customers, inventory) = (sample::customers(), sample::inventory());
        let pending_timeout = Duration::from_secs(3_600);
        let follow_ups = FollowUps { store: MemoryStore::default(), customers, inventory, pending_timeout };
        Sweep { follow_ups, clock: Countdown(AtomicI64::new(0)) }
    }

    fn key(tenant: &str, n: u32) -> OrderKey {
        OrderKey { tenant: TenantId::parse(tenant).unwrap(), id: sample::order_id(n) }
    }

    async fn insert(store: &MemoryStore, n: u32) -> Order {
        let order = Order::restore(OrderData { id: sample::order_id(n), ..(*sample::bare_order()).clone() });
        store.insert(&order).await.unwrap();
        order
    }

    const LATE: i64 = 100_000;

    fn late() -> Timestamp {
        Timestamp::from_millis(sample::stamp(60).at.as_millis() + LATE)
    }

    #[tokio::test]
    async fn what_is_due_is_done_and_what_fails_is_postponed() {
        let sweep = sweep();
        let order = insert(&sweep.follow_ups.store, 1).await;
        sweep.follow_ups.inventory.set_down(true);
        let stamp = sample::stamp(60);
        assert_eq!(sweep.run(&stamp, late()).await, Swept { postponed: 1, ..Swept::default() });
        sweep.follow_ups.inventory.set_down(false);
        assert_eq!(sweep.run(&stamp, late()).await, Swept::default(), "not before its time");
        sweep.clock.0.store(60_000, Ordering::SeqCst);
        assert_eq!(sweep.run(&stamp, late()).await, Swept { done: 1, ..Swept::default() });
        let order = sweep.follow_ups.store.get(&order.tenant, order.id).await.unwrap().unwrap();
        assert_eq!((order.status, order.follow_ups.len()), (Status::Confirmed, 0));
    }

    #[tokio::test]
    async fn what_was_just_committed_is_left_to_the_stream() {
        let sweep = sweep();
        let order = insert(&sweep.follow_ups.store, 1).await;
        let just_then = order.created_at.as_millis() - sample::stamp(60).at.as_millis() + 5_000;
        sweep.clock.0.store(just_then, Ordering::SeqCst);
        assert_eq!(sweep.run(&sample::stamp(7), late()).await, Swept::default());
    }

    #[tokio::test]
    async fn a_sweep_ends_when_its_time_is_up() {
        let sweep = sweep();
        for n in 1..=1_200 {
            insert(&sweep.follow_ups.store, n).await;
        }
        // Read once a round for the loop, once for the index, once for the first turn, and once an order.
        sweep.clock.0.store(LATE - 503, Ordering::SeqCst);
        assert_eq!(sweep.run(&sample::stamp(60), late()).await, Swept { done: 500, ..Swept::default() });
    }

    #[tokio::test]
    async fn what_only_a_newer_release_can_do_is_put_off() {
        let sweep = sweep();
        let kind = FollowUpKind::Unrecognized { name: Unrecognized::new("remind"), reservation: None };
        let at = sample::stamp(1).at;
        let follow_ups = vec![FollowUp { kind, at, since: at, attempts: 0 }];
        let order = Order::restore(OrderData { follow_ups, ..(*sample::order()).clone() });
        sweep.follow_ups.store.insert(&order).await.unwrap();
        let stamp = sample::stamp(60);
        assert_eq!(sweep.run(&stamp, late()).await, Swept { put_off: 1, ..Swept::default() });
        assert_eq!(sweep.run(&stamp, late()).await, Swept::default(), "it is not the first of the next sweep");
        let stored = sweep.follow_ups.store.get(&order.tenant, order.id).await.unwrap().unwrap();
        assert_eq!(stored, order);
    }

    #[test]
    fn every_tenant_has_its_turn() {
        let keys = vec![key("a", 1), key("a", 2), key("a", 3), key("b", 4), key("c", 5), key("c", 6)];
        let turns = [key("a", 1), key("b", 4), key("c", 5), key("a", 2), key("c", 6), key("a", 3)];
        assert_eq!(in_turns(keys.clone(), None), turns);
        let turns = [key("c", 5), key("a", 1), key("b", 4), key("c", 6), key("a", 2), key("a", 3)];
        assert_eq!(in_turns(keys, Some(&key("b", 4).tenant)), turns, "after the tenant that had the last turn");
    }
}
