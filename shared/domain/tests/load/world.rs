//! The services with their latencies, the stream and the schedule, all on a clock that is simulated. There is neither bus
//! nor feed: follow-ups have no port to publish anything, so what either of them does makes no difference here.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::ops::Bound;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use domain::details::Details;
use domain::draft::OrderDraft;
use domain::history::Stamp;
use domain::id::{CustomerId, OrderId, ProductId, TenantId};
use domain::line::Product;
use domain::listing::{ListQuery, Page};
use domain::memory::{CountingIds, MemoryStore, sample};
use domain::order::{Contact, Order};
use domain::ports::{
    Clock, Condition, ConfirmError, CustomerService, DueOrder, DuePage, Ids, Inserted, InventoryService, OrderKey,
    OrderStore, Outage, ReserveError, StoreError, Unavailable, UpdateError,
};
use domain::reservation::{Reservation, ReservationId, Shortage};
use domain::status::{Inventory, Status};
use domain::timestamp::Timestamp;
use domain::use_cases::{FollowUps, OrderRequest, PlaceOrder, PlaceOrderError, Placed, Sweep, Swept};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep};

use crate::bugs::{Bug, broken_sweep};

const STORE_LATENCY: Duration = Duration::from_millis(5);
const PARTNER_LATENCY: Duration = Duration::from_millis(50);

/// So many keys a page of the index has when the table is slow.
const SHORT_PAGE: u16 = 50;

/// How long Lambda takes to see a record of the stream.
const STREAM_LATENCY: Duration = Duration::from_millis(250);

/// Four shards of the stream, ten batches at a time of each; an order stays in its lane.
const LANES: usize = 40;

/// The most records of a batch.
const BATCH: usize = 100;

/// `FOLLOW_UP_SHARDS`
pub const SHARDS: u32 = 32;

const SWEEP_EVERY: Duration = Duration::from_secs(60);
const SWEEP_LIMIT: Duration = Duration::from_secs(55);

/// How long an unconfirmed reservation lasts.
pub const RESERVATION: Duration = Duration::from_secs(600);

/// Nothing in a scenario takes so long.
const PENDING_TIMEOUT: Duration = Duration::from_secs(24 * 3_600);

/// What every scenario begins with.
pub struct World {
    pub bug: Option<Bug>,
    started: Instant,
    switches: Mutex<Switches>,
    stock: Mutex<Stock>,
    table: Table,
    ids: CountingIds,
    lanes: Vec<UnboundedSender<Order>>,
}

/// What does not answer now, and after which time its callers give up: at once when the circuit is open.
#[derive(Debug, Clone, Default)]
pub struct Switches {
    pub customers: Option<Duration>,
    pub inventory: Option<Duration>,
    /// How long a page of the index takes, which then has [`SHORT_PAGE`] keys.
    pub pages: Option<Duration>,
    /// The shard of the index that is throttled.
    pub unread_shard: Option<u32>,
    /// The tenant for whom alone nothing can be reserved.
    pub tenant: Option<(TenantId, Duration)>,
}

/// Units of one product, and their reservations.
#[derive(Default)]
struct Stock {
    free: usize,
    /// Since when, unless it is permanent.
    reserved: HashMap<ReservationId, Option<Timestamp>>,
    expiring: VecDeque<(Timestamp, ReservationId)>,
    released: HashSet<ReservationId>,
    confirmed: HashMap<ReservationId, Timestamp>,
}

/// The orders, with an index of what is due.
#[derive(Default)]
struct Table {
    orders: MemoryStore,
    index: Mutex<Index>,
    /// When the reservation of each order was committed.
    reserved: Mutex<HashMap<ReservationId, Timestamp>>,
    /// Those that cannot be decoded.
    poison: Mutex<HashSet<OrderId>>,
}

#[derive(Default)]
struct Index {
    shards: HashMap<u32, BTreeMap<(Timestamp, OrderId), TenantId>>,
    at: HashMap<OrderId, Timestamp>,
    pending: HashMap<TenantId, HashSet<OrderId>>,
}

/// The services as every process sees them.
#[derive(Clone)]
pub struct Ports(pub Arc<World>);

pub type Service = FollowUps<Ports, Ports, Ports>;

impl Ports {
    /// A world with so many units, whose stream has its consumers.
    pub fn new(units: usize, bug: Option<Bug>) -> Self {
        let (lanes, records): (Vec<_>, Vec<_>) = (0..LANES).map(|_| unbounded_channel()).unzip();
        let stock = Mutex::new(Stock { free: units, ..Stock::default() });
        let (started, ids) = (Instant::now(), CountingIds::default());
        let world = World { bug, started, switches: Mutex::default(), stock, table: Table::default(), ids, lanes };
        let ports = Self(Arc::new(world));
        for records in records {
            tokio::spawn(ports.clone().run_follow_ups(records));
        }
        ports
    }

    /// Changes what answers.
    pub fn switch(&self, change: impl FnOnce(&mut Switches)) {
        change(&mut self.0.switches.lock().unwrap());
    }

    fn switches(&self) -> Switches {
        self.0.switches.lock().unwrap().clone()
    }

    pub fn stamp(&self) -> Stamp {
        Stamp { at: self.now(), ..sample::stamp(1) }
    }

    pub fn service(&self) -> Service {
        let ports = self.clone();
        let pending_timeout = PENDING_TIMEOUT;
        FollowUps { store: ports.clone(), customers: ports.clone(), inventory: ports, pending_timeout }
    }

    async fn run_follow_ups(self, mut records: UnboundedReceiver<Order>) {
        while let Some(first) = records.recv().await {
            sleep(STREAM_LATENCY).await;
            let mut batch = vec![first];
            while let Some(next) = (batch.len() < BATCH).then(|| records.try_recv().ok()).flatten() {
                batch.push(next);
            }
            if self.0.bug == Some(Bug::ConfirmationIsLeftToTheSweep) {
                continue;
            }
            self.service().run_committed(batch, &self.stamp()).await;
        }
    }

    /// Sweeps on schedule, one at a time, until the test ends.
    pub fn sweep_on_schedule(&self) {
        let ports = self.clone();
        tokio::spawn(async move {
            let mut minutes = interval(SWEEP_EVERY);
            minutes.set_missed_tick_behavior(MissedTickBehavior::Skip);
            loop {
                minutes.tick().await;
                drop(ports.sweep().await);
            }
        });
    }

    /// One sweep.
    pub async fn sweep(&self) -> Result<Swept, StoreError> {
        let until = self.now().plus(SWEEP_LIMIT);
        match self.0.bug {
            Some(bug) if bug.is_of_the_sweep() => broken_sweep(bug, self, until).await,
            _ => Ok(Sweep { follow_ups: self.service(), clock: self.clone() }.run(&self.stamp(), until).await),
        }
    }

    /// Places an order of one unit for this tenant.
    pub async fn place(self, tenant: TenantId) -> Result<Placed, PlaceOrderError> {
        let draft = OrderDraft { lines: sample::lines(&[(1, 1)]), details: Details::default(), ..sample::draft() };
        let caller = domain::caller::Caller { tenant, ..sample::caller() };
        let request = OrderRequest { caller, key: None, draft, stamp: self.stamp() };
        let (store, customers, inventory) = (self.clone(), self.clone(), self.clone());
        PlaceOrder { store, customers, inventory, ids: self, home_region: "eu-central-1".to_owned() }.run(request).await
    }

    /// Buyers come at this rate for so long; how many got an order.
    pub async fn buyers(&self, per_second: u32, time: Duration) -> usize {
        let mut buyers = JoinSet::new();
        let mut ticks = interval(Duration::from_secs(1) / per_second);
        for _ in 0..u64::from(per_second) * time.as_secs() {
            ticks.tick().await;
            buyers.spawn(self.clone().place(sample::tenant()));
        }
        buyers.join_all().await.into_iter().filter(Result::is_ok).count()
    }

    /// Makes an order one that cannot be decoded.
    pub fn poison(&self, id: OrderId) {
        self.0.table.poison.lock().unwrap().insert(id);
    }

    /// Every order.
    pub fn orders(&self) -> Vec<Order> {
        self.0.table.orders.orders()
    }

    /// How many orders of this tenant are pending.
    pub fn pending(&self, tenant: &TenantId) -> usize {
        self.0.table.index.lock().unwrap().pending.get(tenant).map_or(0, HashSet::len)
    }

    /// The longest time between the commit of an order with a reservation and its confirmation; `None` when one is still
    /// not confirmed.
    pub fn slowest_confirmation(&self) -> Option<Duration> {
        let stock = self.0.stock.lock().unwrap();
        let reserved = self.0.table.reserved.lock().unwrap();
        let took = reserved.iter().map(|(id, since)| Some(stock.confirmed.get(id)?.as_millis() - since.as_millis()));
        took.collect::<Option<Vec<_>>>()?.into_iter().max().map(|millis| Duration::from_millis(millis.unsigned_abs()))
    }

    async fn partner(&self, outage: Option<Duration>) -> Result<(), Unavailable> {
        match outage {
            Some(patience) => {
                sleep(patience).await;
                Err(Unavailable { service: "partner", outage: Outage::NoAnswer, detail: "down".to_owned() })
            }
            None => {
                sleep(PARTNER_LATENCY).await;
                Ok(())
            }
        }
    }

    fn note(&self, order: &Order) {
        let World { table, lanes, .. } = &*self.0;
        table.index.lock().unwrap().note(order);
        if order.inventory == Inventory::Reserved {
            table.reserved.lock().unwrap().entry(order.reservation).or_insert(self.now());
        }
        // Of what is only due later, run-follow-ups does nothing.
        if order.due(self.now()).is_some() {
            let lane = usize::try_from(order.id.as_uuid().as_u128() % LANES as u128).unwrap();
            lanes[lane].send(order.clone()).unwrap();
        }
    }
}

impl Index {
    fn note(&mut self, order: &Order) {
        self.move_to(&order.tenant, order.id, order.swept_at());
        let pending = self.pending.entry(order.tenant.clone()).or_default();
        if order.status == Status::Pending {
            pending.insert(order.id)
        } else {
            pending.remove(&order.id)
        };
    }

    fn move_to(&mut self, tenant: &TenantId, id: OrderId, at: Option<Timestamp>) {
        let shard = u32::try_from(id.as_uuid().as_u128() % u128::from(SHARDS)).unwrap();
        let shard = self.shards.entry(shard).or_default();
        if let Some(old) = self.at.remove(&id) {
            shard.remove(&(old, id));
        }
        if let Some(at) = at {
            shard.insert((at, id), tenant.clone());
            self.at.insert(id, at);
        }
    }
}

impl Stock {
    fn expire(&mut self, now: Timestamp) {
        while let Some((since, id)) = self.expiring.front().copied().filter(|(since, _)| since.plus(RESERVATION) <= now)
        {
            self.expiring.pop_front();
            if self.reserved.get(&id) == Some(&Some(since)) {
                self.reserved.remove(&id);
                self.free += 1;
            }
        }
    }
}

impl Clock for Ports {
    fn now(&self) -> Timestamp {
        sample::stamp(0).at.plus(self.0.started.elapsed())
    }
}

impl Ids for Ports {
    fn order_id(&self) -> OrderId {
        self.0.ids.order_id()
    }
}

impl CustomerService for Ports {
    async fn find(&self, _: &TenantId, _: &CustomerId) -> Result<Option<Contact>, Unavailable> {
        self.partner(self.switches().customers).await?;
        Ok(Some(sample::contact(1)))
    }
}

impl InventoryService for Ports {
    async fn products(&self, _: &TenantId, _: &[ProductId]) -> Result<Vec<Product>, Unavailable> {
        self.partner(self.switches().inventory).await?;
        Ok(vec![sample::product(1)])
    }

    async fn reserve(&self, wanted: &Reservation) -> Result<(), ReserveError> {
        let Switches { inventory, tenant, .. } = self.switches();
        let refused = tenant.filter(|(tenant, _)| *tenant == wanted.tenant).map(|(_, patience)| patience);
        self.partner(inventory.or(refused)).await?;
        let (mut stock, now) = (self.0.stock.lock().unwrap(), self.now());
        stock.expire(now);
        if stock.released.contains(&wanted.id) {
            return Err(ReserveError::Refused);
        }
        if stock.reserved.contains_key(&wanted.id) {
            return Ok(());
        }
        if stock.free == 0 {
            let shortage = Shortage { product: sample::product(1).id, requested: 1, available: 0 };
            return Err(ReserveError::OutOfStock(vec![shortage]));
        }
        stock.free -= 1;
        stock.reserved.insert(wanted.id, Some(now));
        stock.expiring.push_back((now, wanted.id));
        Ok(())
    }

    async fn confirm(&self, _: &TenantId, id: ReservationId) -> Result<(), ConfirmError> {
        let Switches { inventory, customers, .. } = self.switches();
        let waits = self.0.bug == Some(Bug::ConfirmationWaitsForTheCustomerService);
        self.partner(inventory.or(customers.filter(|_| waits))).await?;
        let (mut stock, now) = (self.0.stock.lock().unwrap(), self.now());
        stock.expire(now);
        *stock.reserved.get_mut(&id).ok_or(ConfirmError::NotReserved)? = None;
        stock.confirmed.entry(id).or_insert(now);
        Ok(())
    }

    async fn release(&self, _: &TenantId, id: ReservationId) -> Result<(), Unavailable> {
        self.partner(self.switches().inventory).await?;
        let mut stock = self.0.stock.lock().unwrap();
        stock.expire(self.now());
        stock.released.insert(id);
        stock.free += usize::from(stock.reserved.remove(&id).is_some());
        Ok(())
    }
}

impl OrderStore for Ports {
    async fn insert(&self, order: &Order) -> Result<Inserted, StoreError> {
        sleep(STORE_LATENCY).await;
        let inserted = self.0.table.orders.insert(order).await?;
        self.note(order);
        Ok(inserted)
    }

    async fn get(&self, tenant: &TenantId, id: OrderId) -> Result<Option<Order>, StoreError> {
        sleep(STORE_LATENCY).await;
        if self.0.table.poison.lock().unwrap().contains(&id) {
            return Err(StoreError::Corrupt("poison".to_owned()));
        }
        self.0.table.orders.get(tenant, id).await
    }

    async fn update(&self, before: &Order, after: &Order, condition: Condition) -> Result<(), UpdateError> {
        sleep(STORE_LATENCY).await;
        self.0.table.orders.update(before, after, condition).await?;
        self.note(after);
        Ok(())
    }

    async fn due(
        &self,
        shard: u32,
        now: Timestamp,
        after: Option<&DueOrder>,
        limit: u16,
    ) -> Result<DuePage, StoreError> {
        let slow = self.switches().pages;
        sleep(slow.unwrap_or(STORE_LATENCY)).await;
        let limit = if slow.is_some() { limit.min(SHORT_PAGE) } else { limit };
        if self.switches().unread_shard == Some(shard) {
            return Err(StoreError::Throttled("too fast".to_owned()));
        }
        let index = self.0.table.index.lock().unwrap();
        let first = after.map_or(Bound::Unbounded, |after| Bound::Excluded((after.at, after.key.id)));
        let due = index.shards.get(&shard).into_iter().flat_map(|shard| shard.range((first, Bound::Unbounded)));
        let due = due.take_while(|((at, _), _)| *at <= now).take(limit.into());
        let due = due.map(|((at, id), tenant)| DueOrder { at: *at, key: OrderKey { tenant: tenant.clone(), id: *id } });
        let orders: Vec<_> = due.collect();
        let is_last = orders.len() < usize::from(limit) || self.0.bug == Some(Bug::OnlyTheFirstPageIsRead);
        Ok(DuePage { next: orders.last().filter(|_| !is_last).cloned(), orders })
    }

    fn shards(&self) -> u32 {
        SHARDS
    }

    async fn put_off(&self, key: &OrderKey, until: Timestamp, _: &str) -> Result<(), StoreError> {
        sleep(STORE_LATENCY).await;
        self.0.table.index.lock().unwrap().move_to(&key.tenant, key.id, Some(until));
        Ok(())
    }

    async fn list(&self, _: &ListQuery) -> Result<Page, StoreError> {
        unreachable!("nobody lists here")
    }
}
