//! Retry follow-ups that are due, many orders side by side, every tenant in turn.

use std::time::Duration;

use futures_util::StreamExt;
use futures_util::future::Either;
use futures_util::stream::FuturesUnordered;

use crate::history::Stamp;
use crate::id::TenantId;
use crate::ports::{Clock, CustomerService, DuePage, InventoryService, OrderKey, OrderStore, StoreError};
use crate::timestamp::Timestamp;
use crate::use_cases::reading::{PageOf, Reading};
use crate::use_cases::waiting::Waiting;
use crate::use_cases::{FollowUps, Outcome};

/// So many keys are read at a time, of each shard.
const PAGE: u16 = 1_000;

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
    /// Since when the longest waiting follow-up has been due, of those that waited to be tried or failed.
    pub waits_since: Option<Timestamp>,
}

/// What a sweep has done one of, of all that it does side by side.
enum Step {
    Read(PageOf, Result<DuePage, StoreError>),
    Worked(TenantId, Swept),
}

impl<S: OrderStore, C: CustomerService, I: InventoryService, K: Clock> Sweep<S, C, I, K> {
    /// Retries what is due until nothing is left or the time is up. Each order is tried once. Running it twice at once is
    /// harmless. The index is read beside the work: orders are worked on from its first page on, however long it is.
    pub async fn run(&self, by: &Stamp, until: Timestamp) -> Swept {
        let (mut swept, mut waiting, mut reading) = (Swept::default(), Waiting::default(), Reading::default());
        let mut steps = FuturesUnordered::new();
        loop {
            let now = self.clock.now();
            if now < until {
                let orders = std::iter::from_fn(|| waiting.take(now));
                steps.extend(orders.map(|key| Either::Right(self.work(key, by, until))));
                let pages = reading.next_pass(now, steps.is_empty(), self.follow_ups.store.shards());
                steps.extend(pages.map(|page| Either::Left(self.read(page))));
            }
            match steps.next().await {
                None => return swept,
                Some(Step::Worked(tenant, one)) => {
                    waiting.finished(&tenant);
                    swept = swept.plus(one);
                }
                Some(Step::Read(page, Ok(read))) => {
                    for order in reading.unknown(read.orders) {
                        swept.waits_since = earlier(swept.waits_since, Some(order.at));
                        if waiting.add(order.key.clone()) {
                            reading.note(order.key);
                        }
                    }
                    match read.next.filter(|_| now < until) {
                        Some(after) => steps.push(Either::Left(self.read(PageOf { after: Some(after), ..page }))),
                        None => reading.end_shard(),
                    }
                }
                Some(Step::Read(_, Err(error))) => {
                    reading.end_shard();
                    swept.unread = Some(error);
                }
            }
        }
    }

    async fn read(&self, page: PageOf) -> Step {
        let read = self.follow_ups.store.due(page.shard, page.now, page.after.as_ref(), PAGE).await;
        Step::Read(page, read)
    }

    async fn work(&self, key: OrderKey, by: &Stamp, until: Timestamp) -> Step {
        let tenant = key.tenant.clone();
        Step::Worked(tenant, self.retry(key, by, until).await)
    }

    async fn retry(&self, key: OrderKey, by: &Stamp, until: Timestamp) -> Swept {
        let stamp = Stamp { at: self.clock.now(), ..by.clone() };
        if stamp.at >= until {
            return Swept::default();
        }
        let one = Swept::default();
        let first = self.follow_up(&key, &stamp).await;
        // Another writer came first, and did what was due or left something new: it is as that writer left it.
        let outcome = match first {
            Ok((Outcome::Overtaken, _)) => self.follow_up(&key, &stamp).await,
            outcome => outcome,
        };
        let cause = match outcome {
            Ok((Outcome::Done, _)) => return Swept { done: 1, ..one },
            Ok((Outcome::Postponed, waits_since)) => return Swept { postponed: 1, waits_since, ..one },
            Err(StoreError::Throttled(_) | StoreError::Unavailable(_)) => return Swept { failed: 1, ..one },
            Ok((Outcome::Overtaken, _)) => "it was not as it had just been read, twice".to_owned(),
            Ok((Outcome::NeedsNewerRelease, _)) => "a newer release does its follow-ups".to_owned(),
            Err(error) => error.to_string(),
        };
        // It would be the first in the index for ever.
        match self.follow_ups.store.put_off(&key, stamp.at.plus(PUT_OFF), &cause).await {
            Ok(()) => Swept { put_off: 1, ..one },
            Err(_) => Swept { failed: 1, ..one },
        }
    }

    /// What came of it, and since when it had been due.
    async fn follow_up(&self, key: &OrderKey, stamp: &Stamp) -> Result<(Outcome, Option<Timestamp>), StoreError> {
        let Some(order) = self.follow_ups.store.get(&key.tenant, key.id).await? else {
            return Ok((Outcome::Done, None));
        };
        let waits_since = order.waits_since(stamp.at);
        Ok((self.follow_ups.run(order, stamp).await?, waits_since))
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
            waits_since: earlier(self.waits_since, other.waits_since),
        }
    }
}

fn earlier(one: Option<Timestamp>, other: Option<Timestamp>) -> Option<Timestamp> {
    one.into_iter().chain(other).min()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::sync::atomic::{AtomicI64, Ordering};

    use super::*;
    use crate::id::TenantId;
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
        let waits_since = Some(order.created_at);
        assert_eq!(sweep.run(&stamp, late()).await, Swept { postponed: 1, waits_since, ..Swept::default() });
        sweep.follow_ups.inventory.set_down(false);
        assert_eq!(sweep.run(&stamp, late()).await, Swept::default(), "not before its time");
        sweep.clock.0.store(60_000, Ordering::SeqCst);
        assert_eq!(sweep.run(&stamp, late()).await.done, 1);
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
        // The clock is read twice for each order.
        sweep.clock.0.store(LATE - 1_503, Ordering::SeqCst);
        let done = sweep.run(&sample::stamp(60), late()).await.done;
        assert!((700..=750).contains(&done), "{done}");
    }

    #[tokio::test]
    async fn what_only_a_newer_release_can_do_is_put_off() {
        let sweep = sweep();
        let kind = FollowUpKind::Unrecognized { name: Unrecognized::new("remind"), reservation: None };
        let at = sample::stamp(1).at;
        let follow_ups = vec![FollowUp { kind, at, since: at, attempts: 0, as_read: None }];
        let order = Order::restore(OrderData { follow_ups, ..(*sample::order()).clone() });
        sweep.follow_ups.store.insert(&order).await.unwrap();
        let stamp = sample::stamp(60);
        assert_eq!(sweep.run(&stamp, late()).await.put_off, 1);
        assert_eq!(sweep.run(&stamp, late()).await, Swept::default(), "it is not the first of the next sweep");
        let stored = sweep.follow_ups.store.get(&order.tenant, order.id).await.unwrap().unwrap();
        assert_eq!(stored, order);
    }

    /// 600 tenants with two orders each, of which a sweep has time for 1,000.
    #[tokio::test]
    async fn a_tenant_that_had_no_turn_yet_is_the_next() {
        let sweep = sweep();
        for n in 0..1_200 {
            let tenant = TenantId::parse(format!("tenant-{:03}", n / 2)).unwrap();
            let data = OrderData { tenant, id: sample::order_id(n), ..(*sample::bare_order()).clone() };
            sweep.follow_ups.store.insert(&Order::restore(data)).await.unwrap();
        }
        sweep.clock.0.store(LATE - 2_003, Ordering::SeqCst);
        let done = sweep.run(&sample::stamp(60), late()).await.done;
        assert!((900..=1_000).contains(&done), "{done}");
        let orders = sweep.follow_ups.store.orders();
        let done: HashSet<_> =
            orders.iter().filter(|order| order.follow_ups.is_empty()).map(|order| &order.tenant).collect();
        assert_eq!(done.len(), 600, "tenants of whom an order is done");
    }

    #[tokio::test]
    async fn sweeps_begin_with_one_tenant_and_another() {
        let mut first = HashSet::new();
        for second in 0..10 {
            let sweep = sweep();
            for n in 0..5 {
                let tenant = TenantId::parse(format!("tenant-{n}")).unwrap();
                let data = OrderData { tenant, id: sample::order_id(n), ..(*sample::bare_order()).clone() };
                sweep.follow_ups.store.insert(&Order::restore(data)).await.unwrap();
            }
            // Time for one order alone.
            sweep.clock.0.store(LATE - 3 - second, Ordering::SeqCst);
            sweep.run(&sample::stamp(60), Timestamp::from_millis(late().as_millis() - second)).await;
            let orders = sweep.follow_ups.store.orders();
            let done = orders.into_iter().filter(|order| order.follow_ups.is_empty());
            let done = done.map(|order| order.tenant.clone());
            first.extend(done.take(1));
        }
        assert!(first.len() > 1, "{first:?}");
    }
}
