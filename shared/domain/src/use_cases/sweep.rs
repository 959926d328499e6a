//! Retry follow-ups that are due, many orders side by side, every tenant in turn.

use std::collections::{BTreeMap, HashSet, VecDeque};
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::future::try_join_all;
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

/// An order that cannot be read is looked at again this much later: by then a release may be deployed that can.
const UNREADABLE_PAUSE: Duration = Duration::from_secs(600);

/// Works through the index of due follow-ups.
#[derive(Debug, Clone)]
pub struct Sweep<S, C, I, K> {
    /// What is done for each order.
    pub follow_ups: FollowUps<S, C, I>,
    /// Tells when the time is up.
    pub clock: K,
}

/// What one sweep did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Swept {
    /// Orders whose follow-ups are done.
    pub done: usize,
    /// Orders that are retried later.
    pub postponed: usize,
    /// Orders that cannot be read; they are looked at again later.
    pub unreadable: usize,
    /// Orders that the store failed for; they are still due.
    pub failed: usize,
}

impl<S: OrderStore, C: CustomerService, I: InventoryService, K: Clock> Sweep<S, C, I, K> {
    /// Retries what is due until nothing is left or the time is up. Each order is tried once. Running it twice at once is
    /// harmless.
    ///
    /// # Errors
    /// [`StoreError`] when the index cannot be read.
    pub async fn run(&self, by: &Stamp, until: Timestamp) -> Result<Swept, StoreError> {
        let mut swept = Swept::default();
        let mut tried = HashSet::new();
        while self.clock.now() < until {
            let mut round = in_turns(self.due().await?);
            round.retain(|key| !tried.contains(key));
            round.truncate(ROUND);
            if round.is_empty() {
                break;
            }
            tried.extend(round.iter().cloned());
            let orders = stream::iter(round).map(|key| self.retry(key, by, until)).buffer_unordered(AT_ONCE);
            swept = orders.fold(swept, async |swept, one| swept.plus(one)).await;
        }
        Ok(swept)
    }

    async fn due(&self) -> Result<Vec<OrderKey>, StoreError> {
        let store = &self.follow_ups.store;
        let now = self.clock.now();
        let shards = try_join_all((0..store.shards()).map(|shard| store.due(shard, now, READ_AHEAD))).await?;
        Ok(shards.into_iter().flatten().collect())
    }

    async fn retry(&self, key: OrderKey, by: &Stamp, until: Timestamp) -> Swept {
        let stamp = Stamp { at: self.clock.now(), ..by.clone() };
        if stamp.at >= until {
            return Swept::default();
        }
        match self.follow_up(&key, &stamp).await {
            Ok(Outcome::Done) => Swept { done: 1, ..Swept::default() },
            Ok(Outcome::Postponed) => Swept { postponed: 1, ..Swept::default() },
            Err(StoreError::Corrupt(_)) => {
                match self.follow_ups.store.put_off(&key, stamp.at.plus(UNREADABLE_PAUSE)).await {
                    Ok(()) => Swept { unreadable: 1, ..Swept::default() },
                    Err(_) => Swept { failed: 1, ..Swept::default() },
                }
            }
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
    const fn plus(self, other: Self) -> Self {
        Self {
            done: self.done + other.done,
            postponed: self.postponed + other.postponed,
            unreadable: self.unreadable + other.unreadable,
            failed: self.failed + other.failed,
        }
    }
}

/// One order of each tenant, then the next of each, so that no tenant waits behind another's backlog.
fn in_turns(keys: Vec<OrderKey>) -> Vec<OrderKey> {
    let mut tenants = BTreeMap::<TenantId, VecDeque<OrderKey>>::new();
    let count = keys.len();
    for key in keys {
        tenants.entry(key.tenant.clone()).or_default().push_back(key);
    }
    let mut turns = Vec::with_capacity(count);
    while !tenants.is_empty() {
        turns.extend(tenants.values_mut().filter_map(VecDeque::pop_front));
        tenants.retain(|_, waiting| !waiting.is_empty());
    }
    turns
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicI64, Ordering};

    use super::*;
    use crate::memory::{MemoryCustomers, MemoryInventory, MemoryStore, sample};
    use crate::order::{Order, OrderData};
    use crate::status::Status;

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
        assert_eq!(sweep.run(&stamp, late()).await, Ok(Swept { postponed: 1, ..Swept::default() }));
        sweep.follow_ups.inventory.set_down(false);
        assert_eq!(sweep.run(&stamp, late()).await, Ok(Swept::default()), "not before its time");
        sweep.clock.0.store(60_000, Ordering::SeqCst);
        assert_eq!(sweep.run(&stamp, late()).await, Ok(Swept { done: 1, ..Swept::default() }));
        let order = sweep.follow_ups.store.get(&order.tenant, order.id).await.unwrap().unwrap();
        assert_eq!((order.status, order.follow_ups.len()), (Status::Confirmed, 0));
    }

    #[tokio::test]
    async fn what_was_just_committed_is_left_to_the_stream() {
        let sweep = sweep();
        let order = insert(&sweep.follow_ups.store, 1).await;
        let just_then = order.created_at.as_millis() - sample::stamp(60).at.as_millis() + 5_000;
        sweep.clock.0.store(just_then, Ordering::SeqCst);
        assert_eq!(sweep.run(&sample::stamp(7), late()).await, Ok(Swept::default()));
    }

    #[tokio::test]
    async fn a_sweep_ends_when_its_time_is_up() {
        let sweep = sweep();
        for n in 1..=1_200 {
            insert(&sweep.follow_ups.store, n).await;
        }
        // Read once a round for the loop, once for the index, and once an order.
        sweep.clock.0.store(LATE - 502, Ordering::SeqCst);
        assert_eq!(sweep.run(&sample::stamp(60), late()).await, Ok(Swept { done: 500, ..Swept::default() }));
    }

    #[test]
    fn every_tenant_has_its_turn() {
        let keys = vec![key("a", 1), key("a", 2), key("a", 3), key("b", 4), key("c", 5), key("c", 6)];
        let turns = [key("a", 1), key("b", 4), key("c", 5), key("a", 2), key("c", 6), key("a", 3)];
        assert_eq!(in_turns(keys), turns);
    }
}
