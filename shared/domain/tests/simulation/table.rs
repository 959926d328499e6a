//! DynamoDB: conditional writes that may be throttled, lost or late, and the stream that tells of each.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use domain::id::{OrderId, TenantId};
use domain::listing::{ListQuery, Page};
use domain::memory::MemoryStore;
use domain::order::{Order, OrderData, Settlement};
use domain::ports::{ChangedOrders, ChangedPage, Inserted, OrderKey, OrderStore, StoreError, UpdateError};
use domain::timestamp::Timestamp;
use domain::use_cases::CommittedChange;

use crate::bugs::Bug;
use crate::world::{Fault, Lost, Ports, World, now};

/// Shards of the stream; an order stays in one.
pub const SHARDS: usize = 2;

/// So often a record is tried before it becomes a dead letter.
const MOST_ATTEMPTS: u32 = 12;

/// The table.
#[derive(Default)]
pub struct Table {
    orders: MemoryStore,
    shards: [Mutex<Shard>; SHARDS],
}

/// One shard of the stream, and how far the publisher is with it.
#[derive(Default)]
struct Shard {
    records: Vec<CommittedChange>,
    checkpoint: usize,
    is_busy: bool,
    attempts: u32,
    /// Records that could not be published, by order.
    dead: BTreeSet<OrderKey>,
    /// Every order that ever had one.
    was_dead: BTreeSet<OrderId>,
}

/// Records on their way to the publisher.
pub struct Batch {
    /// The shard.
    pub shard: usize,
    from: usize,
    /// The records.
    pub changes: Vec<CommittedChange>,
}

impl Table {
    fn insert(&self, order: &Order, bug: Option<Bug>) -> Inserted {
        let inserted = now(self.orders.insert(order)).unwrap();
        match inserted {
            Inserted::New => self.tell(None, order),
            Inserted::Existing(existing) if bug == Some(Bug::InsertOverwrites) => {
                let data = OrderData { revision: existing.revision, ..(**order).clone() };
                now(self.orders.update(&existing, &Order::restore(data))).unwrap();
                self.tell(None, order);
                return Inserted::New;
            }
            Inserted::Existing(existing) if bug == Some(Bug::FingerprintUnchecked) => {
                let data = OrderData { fingerprint: order.fingerprint, ..(**existing).clone() };
                return Inserted::Existing(Box::new(Order::restore(data)));
            }
            Inserted::Existing(_) => {}
        }
        inserted
    }

    fn update(&self, before: &Order, after: &Order, bug: Option<Bug>) -> Result<(), UpdateError> {
        let Some(stored) = self.get(&after.tenant, after.id) else { return Err(UpdateError::Conflict) };
        let before = if bug == Some(Bug::UpdateOverwrites) { &stored } else { before };
        let forgetful = || OrderData { settlement: Settlement::default(), ..(**after).clone() };
        let is_forgotten = bug == Some(Bug::ReleasedOnce) && after.settlement.release_again;
        let after = if is_forgotten { &Order::restore(forgetful()) } else { after };
        now(self.orders.update(before, after))?;
        self.tell(Some(stored), after);
        Ok(())
    }

    fn get(&self, tenant: &TenantId, id: OrderId) -> Option<Order> {
        now(self.orders.get(tenant, id)).unwrap()
    }

    fn tell(&self, old: Option<Order>, new: &Order) {
        let shard = usize::from(new.id.as_uuid().as_bytes()[15]) % SHARDS;
        self.shards[shard].lock().unwrap().records.push(CommittedChange { old, new: new.clone() });
    }

    /// Every order.
    pub fn orders(&self) -> Vec<Order> {
        now(self.orders.changed_since(Timestamp::from_millis(0), None)).unwrap().orders
    }

    /// Every write, in order per order.
    pub fn writes(&self) -> Vec<CommittedChange> {
        self.shards.iter().flat_map(|shard| shard.lock().unwrap().records.clone()).collect()
    }

    /// Whether anything is due by then.
    pub fn overdue(&self, at: Timestamp) -> bool {
        !now(self.orders.overdue(at, 1)).unwrap().is_empty()
    }

    /// The next records of a shard, unless someone is at work on it. A batch is as large as chance has it: Lambda
    /// halves those that failed.
    pub fn next_batch(&self, world: &World, shard: usize) -> Option<Batch> {
        let mut state = self.shards[shard].lock().unwrap();
        let waiting = state.records.len() - state.checkpoint;
        if state.is_busy || waiting == 0 {
            return None;
        }
        state.is_busy = true;
        let (from, count) = (state.checkpoint, 1 + world.pick(waiting.min(8)));
        Some(Batch { shard, from, changes: state.records[from..from + count].to_vec() })
    }

    /// The publisher is done with a batch but for what follows `first_failed`.
    pub fn checkpoint(&self, world: &World, batch: &Batch, first_failed: Option<usize>) {
        let done = first_failed.unwrap_or(batch.changes.len());
        if first_failed.is_none() && world.strikes(Fault::Duplicate) {
            // Lambda did not note its success; the batch comes again.
            self.shards[batch.shard].lock().unwrap().is_busy = false;
            return;
        }
        let mut shard = self.shards[batch.shard].lock().unwrap();
        shard.is_busy = false;
        shard.checkpoint = batch.from + done;
        shard.attempts = if done > 0 { 0 } else { shard.attempts + 1 };
        shard.give_up_after_too_many();
    }

    /// The publisher died; the batch comes again.
    pub fn publisher_died(&self, world: &World, shard: usize) {
        let mut shard = self.shards[shard].lock().unwrap();
        shard.is_busy = false;
        shard.attempts += 1;
        if world.bug == Some(Bug::CrashedBatchIsDone) {
            shard.checkpoint = (shard.checkpoint + 1).min(shard.records.len());
        }
        shard.give_up_after_too_many();
    }

    /// Takes the dead letters away.
    pub fn dead_letters(&self) -> Vec<OrderKey> {
        self.shards.iter().flat_map(|shard| std::mem::take(&mut shard.lock().unwrap().dead)).collect()
    }

    /// Whether a record of this order was ever a dead letter: then its events may come out of order.
    pub fn was_dead(&self, order: OrderId) -> bool {
        self.shards.iter().any(|shard| shard.lock().unwrap().was_dead.contains(&order))
    }

    /// Whether every record was dealt with.
    pub fn is_drained(&self) -> bool {
        self.shards
            .iter()
            .map(|shard| shard.lock().unwrap())
            .all(|shard| shard.checkpoint == shard.records.len() && shard.dead.is_empty())
    }
}

impl Shard {
    fn give_up_after_too_many(&mut self) {
        if self.attempts < MOST_ATTEMPTS {
            return;
        }
        if let Some(record) = self.records.get(self.checkpoint) {
            self.dead.insert(OrderKey { tenant: record.new.tenant.clone(), id: record.new.id });
            self.was_dead.insert(record.new.id);
            self.checkpoint += 1;
            self.attempts = 0;
        }
    }
}

fn unanswered(lost: Lost) -> StoreError {
    match lost {
        Lost::Refused => StoreError::Throttled("too fast".to_owned()),
        Lost::NoAnswer => StoreError::Unavailable("no answer".to_owned()),
    }
}

impl OrderStore for Ports {
    async fn insert(&self, order: &Order) -> Result<Inserted, StoreError> {
        let bug = self.world.bug;
        let (world, late) = (Arc::clone(&self.world), order.clone());
        if let Some(lost) = self.world.late(move || drop(world.table.insert(&late, bug))) {
            return Err(unanswered(lost));
        }
        let answer = self.world.call(&self.who, "insert", || self.world.table.insert(order, bug)).await;
        match answer {
            Err(Lost::Refused) if bug == Some(Bug::ThrottledIsStored) => Ok(Inserted::New),
            answer => answer.map_err(unanswered),
        }
    }

    async fn get(&self, tenant: &TenantId, id: OrderId) -> Result<Option<Order>, StoreError> {
        let read = self.world.call(&self.who, "get", || self.world.table.get(tenant, id).map(Box::new));
        Ok(read.await.map_err(unanswered)?.map(|order| *order))
    }

    async fn update(&self, before: &Order, after: &Order) -> Result<(), UpdateError> {
        let bug = self.world.bug;
        let (world, late) = (Arc::clone(&self.world), (before.clone(), after.clone()));
        if let Some(lost) = self.world.late(move || drop(world.table.update(&late.0, &late.1, bug))) {
            return Err(unanswered(lost).into());
        }
        let what = format!("update {} to revision {}", after.id, after.revision);
        self.world.call(&self.who, &what, || self.world.table.update(before, after, bug)).await.map_err(unanswered)?
    }

    async fn overdue(&self, at: Timestamp, limit: u16) -> Result<Vec<OrderKey>, StoreError> {
        let mut due = self
            .world
            .call(&self.who, "overdue", || now(self.world.table.orders.overdue(at, limit)))
            .await
            .map_err(unanswered)??;
        due.retain(|_| !self.world.strikes(Fault::StaleIndex));
        Ok(due)
    }

    async fn list(&self, _: &ListQuery) -> Result<Page, StoreError> {
        unreachable!("nobody lists here")
    }
}

impl ChangedOrders for Ports {
    async fn changed_since(&self, from: Timestamp, page: Option<&OrderKey>) -> Result<ChangedPage, StoreError> {
        self.world.table.orders.changed_since(from, page).await
    }
}
