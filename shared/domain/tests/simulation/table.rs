//! DynamoDB: conditional writes that may be throttled, lost or late, and the stream that tells of each.

use std::collections::BTreeSet;
use std::sync::Mutex;

use domain::id::{OrderId, TenantId};
use domain::listing::{ListQuery, Page};
use domain::memory::MemoryStore;
use domain::order::{FollowUpKind, Order, OrderData};
use domain::ports::{
    ChangedOrders, ChangedPage, Condition, DueOrder, DuePage, Inserted, OrderKey, OrderStore, Segment, StoreError,
    UpdateError,
};
use domain::status::Status;
use domain::timestamp::Timestamp;
use domain::use_cases::CommittedChange;

use crate::bugs::Bug;
use crate::evidence::check_cancellation;
use crate::world::{Fault, Lost, Ports, World, now};

/// Shards of the stream; an order stays in one.
pub const SHARDS: usize = 2;

/// Who reads the stream, each with a checkpoint of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Consumer {
    PublishEvents,
    RunFollowUps,
}

impl Consumer {
    /// Both.
    pub const ALL: [Self; 2] = [Self::PublishEvents, Self::RunFollowUps];

    /// So often a record is tried before it is put aside, or dropped.
    const fn most_attempts(self) -> u32 {
        match self {
            Self::PublishEvents => 12,
            Self::RunFollowUps => 3,
        }
    }
}

/// The table.
#[derive(Default)]
pub struct Table {
    orders: MemoryStore,
    shards: [Mutex<Shard>; SHARDS],
}

/// One shard of the stream, and how far its consumers are.
#[derive(Default)]
struct Shard {
    records: Vec<CommittedChange>,
    cursors: [Cursor; 2],
    /// Records that could not be published, by order.
    dead: BTreeSet<OrderKey>,
    /// Every order that ever had one.
    was_dead: BTreeSet<OrderId>,
}

/// How far a consumer is with a shard.
#[derive(Default)]
struct Cursor {
    checkpoint: usize,
    /// How many records it is at work on.
    in_flight: usize,
    attempts: u32,
}

/// Records on their way to a consumer.
pub struct Batch {
    consumer: Consumer,
    shard: usize,
    from: usize,
    /// The records.
    pub changes: Vec<CommittedChange>,
}

impl Table {
    fn insert(&self, order: &Order, bug: Option<Bug>) -> Inserted {
        let inserted = now(self.orders.insert(order)).unwrap();
        match inserted {
            Inserted::New => self.tell(0, order),
            Inserted::Existing(existing) if bug == Some(Bug::InsertOverwrites) || is_removed(&existing, bug) => {
                now(self.orders.update(&existing, order, Condition::Version)).unwrap();
                self.tell(0, order);
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

    fn update(&self, before: &Order, after: &Order, condition: Condition, bug: Option<Bug>) -> Result<(), UpdateError> {
        let Some(stored) = self.get(&after.tenant, after.id) else { return Err(UpdateError::Conflict) };
        let before = if bug == Some(Bug::UpdateOverwrites) { &stored } else { before };
        let mut data = (**after).clone();
        if bug == Some(Bug::FailedFollowUpIsForgotten) {
            data.follow_ups.retain(|follow_up| follow_up.attempts == 0);
        }
        now(self.orders.update(before, &Order::restore(data), condition))?;
        let written = self.get(&after.tenant, after.id).expect("it was there");
        self.tell(stored.version, &written);
        Ok(())
    }

    fn get(&self, tenant: &TenantId, id: OrderId) -> Option<Order> {
        now(self.orders.get(tenant, id)).unwrap()
    }

    fn tell(&self, known: u64, new: &Order) {
        let shard = usize::from(new.id.as_uuid().as_bytes()[15]) % SHARDS;
        self.shards[shard].lock().unwrap().records.push(CommittedChange { known, new: new.clone() });
    }

    /// Every order.
    pub fn orders(&self) -> Vec<Order> {
        self.orders.orders()
    }

    /// Every write, in order per order.
    pub fn writes(&self) -> Vec<CommittedChange> {
        self.shards.iter().flat_map(|shard| shard.lock().unwrap().records.clone()).collect()
    }

    /// Whether anything is due by then.
    pub fn is_due(&self, at: Timestamp) -> bool {
        !now(self.orders.due(0, at, None, 1)).unwrap().orders.is_empty()
    }

    /// The next records of a shard, unless the consumer is at work on it. A batch is as large as chance has it: Lambda
    /// halves those that failed.
    pub fn next_batch(&self, world: &World, consumer: Consumer, shard: usize) -> Option<Batch> {
        let mut state = self.shards[shard].lock().unwrap();
        let state = &mut *state;
        let cursor = &mut state.cursors[consumer as usize];
        let waiting = state.records.len() - cursor.checkpoint;
        if cursor.in_flight > 0 || waiting == 0 {
            return None;
        }
        cursor.in_flight = 1 + world.pick(waiting.min(8));
        let from = cursor.checkpoint;
        Some(Batch { consumer, shard, from, changes: state.records[from..from + cursor.in_flight].to_vec() })
    }

    /// The consumer is done with a batch but for what follows `first_failed`.
    pub fn checkpoint(&self, world: &World, batch: &Batch, first_failed: Option<usize>) {
        let done = first_failed.unwrap_or(batch.changes.len());
        let mut shard = self.shards[batch.shard].lock().unwrap();
        let cursor = &mut shard.cursors[batch.consumer as usize];
        cursor.in_flight = 0;
        if first_failed.is_none() && world.strikes(Fault::Duplicate) {
            // Lambda did not note its success; the batch comes again.
            return;
        }
        cursor.checkpoint = batch.from + done;
        cursor.attempts = if done > 0 { 0 } else { cursor.attempts + 1 };
        shard.give_up_after_too_many(batch.consumer, 1);
    }

    /// The consumer died; the batch comes again.
    pub fn consumer_died(&self, world: &World, consumer: Consumer, shard: usize) {
        let mut shard = self.shards[shard].lock().unwrap();
        let cursor = &mut shard.cursors[consumer as usize];
        let count = std::mem::take(&mut cursor.in_flight);
        cursor.attempts += 1;
        if world.bug == Some(Bug::CrashedBatchIsDone) && consumer == Consumer::PublishEvents {
            cursor.checkpoint += 1;
        }
        shard.give_up_after_too_many(consumer, count);
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
            .all(|shard| shard.dead.is_empty() && shard.cursors.iter().all(|c| c.checkpoint == shard.records.len()))
    }
}

impl Shard {
    /// What cannot be published is put aside; of follow-ups the whole batch is dropped: the sweep has them.
    fn give_up_after_too_many(&mut self, consumer: Consumer, count: usize) {
        let cursor = &mut self.cursors[consumer as usize];
        if cursor.attempts < consumer.most_attempts() {
            return;
        }
        cursor.attempts = 0;
        if consumer == Consumer::RunFollowUps {
            cursor.checkpoint += count;
        } else if let Some(record) = self.records.get(cursor.checkpoint) {
            self.dead.insert(OrderKey { tenant: record.new.tenant.clone(), id: record.new.id });
            self.was_dead.insert(record.new.id);
            cursor.checkpoint += 1;
        }
    }
}

/// What a store says of a call without an answer.
pub fn unanswered(lost: Lost) -> StoreError {
    match lost {
        Lost::Refused => StoreError::Throttled("too fast".to_owned()),
        Lost::NoAnswer => StoreError::Unavailable("no answer".to_owned()),
    }
}

impl OrderStore for Ports {
    async fn insert(&self, order: &Order) -> Result<Inserted, StoreError> {
        let (bug, order) = (self.world.bug, order.clone());
        match self.world.call(&self.who, "insert", move |world| world.table.insert(&order, bug)).await {
            Err(Lost::Refused) if bug == Some(Bug::ThrottledIsStored) => Ok(Inserted::New),
            answer => answer.map_err(unanswered),
        }
    }

    async fn get(&self, tenant: &TenantId, id: OrderId) -> Result<Option<Order>, StoreError> {
        let (bug, tenant) = (self.world.bug, tenant.clone());
        let get =
            move |world: &World| world.table.get(&tenant, id).filter(|order| !is_removed(order, bug)).map(Box::new);
        let read = self.world.call(&self.who, "get", get);
        let order = read.await.map_err(unanswered)?.map(|order| *order);
        Ok(order.map(|order| if self.ships_unconfirmed() { without_confirm(&order) } else { order }))
    }

    async fn update(&self, before: &Order, after: &Order, condition: Condition) -> Result<(), UpdateError> {
        let what = format!("update {} to version {} {:?}", after.id, after.version, after.follow_ups);
        let (bug, who, before, after) = (self.world.bug, self.who.clone(), before.clone(), after.clone());
        let update = move |world: &World| {
            world.table.update(&before, &after, condition, bug)?;
            check_cancellation(world, &who, &before, &after);
            if after.status == Status::Shipped && !world.stockroom.is_confirmed(after.reservation) {
                world.ledger.lock().unwrap().shipped_early.push(after.id);
            }
            Ok(())
        };
        self.world.call(&self.who, &what, update).await.map_err(unanswered)?
    }

    /// A page is as short as chance has it.
    async fn due(
        &self,
        shard: u32,
        at: Timestamp,
        after: Option<&DueOrder>,
        limit: u16,
    ) -> Result<DuePage, StoreError> {
        let (after, limit) = (after.cloned(), limit.min(1 + u16::try_from(self.world.pick(8)).unwrap()));
        let due = move |world: &World| now(world.table.orders.due(shard, at, after.as_ref(), limit));
        let mut due = self.world.call(&self.who, "due", due).await.map_err(unanswered)??;
        due.orders.retain(|_| !self.world.strikes(Fault::StaleIndex));
        Ok(due)
    }

    fn shards(&self) -> u32 {
        self.world.table.orders.shards()
    }

    async fn put_off(&self, key: &OrderKey, until: Timestamp, cause: &str) -> Result<(), StoreError> {
        let (key, cause) = (key.clone(), cause.to_owned());
        let put_off = move |world: &World| now(world.table.orders.put_off(&key, until, &cause));
        self.world.call(&self.who, "put off", put_off).await.map_err(unanswered)?
    }

    async fn list(&self, _: &ListQuery) -> Result<Page, StoreError> {
        unreachable!("nobody lists here")
    }
}

impl Ports {
    fn ships_unconfirmed(&self) -> bool {
        self.world.bug == Some(Bug::ShippedBeforeConfirmed) && self.who.is_client()
    }
}

/// Whether a table without tombstones has no such order any more.
fn is_removed(order: &Order, bug: Option<Bug>) -> bool {
    bug == Some(Bug::TombstoneIsRemoved) && order.is_deleted() && order.history.is_empty()
}

/// An order that nobody can tell to be unconfirmed.
fn without_confirm(order: &Order) -> Order {
    let mut data = (**order).clone();
    data.follow_ups.retain(|follow_up| follow_up.kind != FollowUpKind::Confirm);
    Order::restore(data)
}

impl ChangedOrders for Ports {
    async fn changed_since(
        &self,
        from: Timestamp,
        segment: Segment,
        page: Option<&OrderKey>,
    ) -> Result<ChangedPage, StoreError> {
        self.world.table.orders.changed_since(from, segment, page).await
    }
}
