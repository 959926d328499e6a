//! The process dies at every point between two effects; afterwards nothing is lost, doubled or held in vain.
//!
//! A port that crashes panics within a task of its own, just before or just after its effect, and the task is all
//! that dies: what the effect did stays done, as it would.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use domain::id::{IdempotencyKey, OrderId, ProductId, TenantId};
use domain::line::Product;
use domain::listing::{ListQuery, Page};
use domain::memory::{CountingIds, MemoryCustomers, MemoryInventory, MemoryStore, sample};
use domain::order::{Edit, Order, RELEASE_AGAIN_AFTER, SETTLE_WITHIN};
use domain::ports::{
    ConfirmError, Inserted, InventoryService, OrderKey, OrderStore, ReserveError, StoreError, Unavailable, UpdateError,
};
use domain::reservation::{Reservation, ReservationId};
use domain::status::{Inventory, Status};
use domain::timestamp::Timestamp;
use domain::use_cases::{EditOrder, IfMatch, PlaceOrder, Request, SettleOrder, Target, change_order, sweep_orders};

/// Counts points between effects and dies at one of them.
#[derive(Debug, Default)]
struct Fate {
    points: AtomicUsize,
    dies_at: usize,
}

impl Fate {
    /// A point where the process may die.
    fn point(&self) {
        if self.points.fetch_add(1, Ordering::SeqCst) + 1 == self.dies_at {
            std::panic::resume_unwind(Box::new("crash"));
        }
    }
}

/// A port whose effects may be the last thing the process does.
#[derive(Debug, Clone)]
struct Mortal<T> {
    port: Arc<T>,
    fate: Arc<Fate>,
}

impl<T> Mortal<T> {
    async fn does<R>(&self, effect: impl Future<Output = R>) -> R {
        self.fate.point();
        let result = effect.await;
        self.fate.point();
        result
    }
}

impl OrderStore for Mortal<MemoryStore> {
    async fn insert(&self, order: &Order) -> Result<Inserted, StoreError> {
        self.does(self.port.insert(order)).await
    }

    async fn get(&self, tenant: &TenantId, id: OrderId) -> Result<Option<Order>, StoreError> {
        self.port.get(tenant, id).await
    }

    async fn update(&self, before: &Order, after: &Order) -> Result<(), UpdateError> {
        self.does(self.port.update(before, after)).await
    }

    async fn overdue(&self, now: Timestamp, limit: u16) -> Result<Vec<OrderKey>, StoreError> {
        self.port.overdue(now, limit).await
    }

    async fn list(&self, query: &ListQuery) -> Result<Page, StoreError> {
        self.port.list(query).await
    }
}

impl InventoryService for Mortal<MemoryInventory> {
    async fn products(&self, ids: &[ProductId]) -> Result<Vec<Product>, Unavailable> {
        self.port.products(ids).await
    }

    async fn reserve(&self, reservation: &Reservation) -> Result<(), ReserveError> {
        self.does(self.port.reserve(reservation)).await
    }

    async fn confirm(&self, id: ReservationId) -> Result<(), ConfirmError> {
        self.does(self.port.confirm(id)).await
    }

    async fn release(&self, id: ReservationId) -> Result<(), Unavailable> {
        self.does(self.port.release(id)).await
    }
}

/// The service on ports that outlive its processes.
struct World {
    store: Arc<MemoryStore>,
    inventory: Arc<MemoryInventory>,
}

impl World {
    fn new() -> Self {
        Self { store: Arc::default(), inventory: Arc::new(sample::inventory()) }
    }

    fn mortal(&self, fate: &Arc<Fate>) -> (Mortal<MemoryStore>, Mortal<MemoryInventory>) {
        let (store, inventory) = (Arc::clone(&self.store), Arc::clone(&self.inventory));
        (Mortal { port: store, fate: Arc::clone(fate) }, Mortal { port: inventory, fate: Arc::clone(fate) })
    }

    /// Runs a process that dies at point `dies_at`, or lives when it has fewer; whether it lived.
    async fn process<F: Future<Output = ()> + Send + 'static>(
        &self,
        dies_at: usize,
        work: impl FnOnce(Mortal<MemoryStore>, Mortal<MemoryInventory>) -> F,
    ) -> bool {
        let fate = Arc::new(Fate { points: AtomicUsize::default(), dies_at });
        let (store, inventory) = self.mortal(&fate);
        tokio::spawn(work(store, inventory)).await.is_ok()
    }

    /// Holds that nobody confirmed expire, then the sweeper drives what is overdue.
    async fn recover(&self) {
        self.inventory.expire();
        let settle = settler(Arc::clone(&self.store), Arc::clone(&self.inventory));
        let mut stamp = sample::stamp(90);
        for wait in [SETTLE_WITHIN, RELEASE_AGAIN_AFTER] {
            stamp.at = stamp.at.plus(wait);
            sweep_orders(&settle, &stamp, 100).await.unwrap();
        }
        self.inventory.expire();
    }

    /// Everything held is held for good by a live order, and nothing waits.
    async fn is_sound(&self, what: &str) -> Option<Order> {
        let order = self.store.get(&sample::tenant(), order_id()).await.unwrap();
        let live = order.as_ref().filter(|order| order.inventory == Inventory::Reserved);
        let held = live.map(|order| order.lines.requested());
        for n in 1..=3 {
            let product = sample::product(n).id;
            let units = held.iter().flat_map(|lines| lines.iter()).filter(|(p, _)| **p == product);
            let units: u32 = units.map(|(_, quantity)| quantity.get()).sum();
            assert_eq!(self.inventory.available(&product), 100 - units, "{what}: sku-{n}");
        }
        assert!(order.as_ref().is_none_or(|order| order.settlement.due.is_none()), "{what}: {order:?}");
        order
    }
}

fn order_id() -> OrderId {
    OrderId::derive(&sample::tenant(), &key())
}

fn key() -> IdempotencyKey {
    IdempotencyKey::parse("crash").unwrap()
}

fn settler<S, I>(store: S, inventory: I) -> SettleOrder<S, MemoryCustomers, I> {
    SettleOrder { store, customers: sample::customers(), inventory }
}

async fn place(store: Mortal<MemoryStore>, inventory: Mortal<MemoryInventory>) {
    let home_region = "eu-central-1".to_owned();
    let place =
        PlaceOrder { store, customers: sample::customers(), inventory, ids: CountingIds::default(), home_region };
    let request =
        Request { caller: sample::caller(), key: Some(key()), draft: sample::draft(), stamp: sample::stamp(1) };
    place.run(request).await.unwrap();
}

async fn settle(store: Mortal<MemoryStore>, inventory: Mortal<MemoryInventory>) {
    let key = OrderKey { tenant: sample::tenant(), id: order_id() };
    settler(store, inventory).run(&key, &sample::stamp(50)).await.unwrap();
}

fn target(n: u32) -> Target {
    Target { caller: sample::caller(), id: order_id(), if_match: IfMatch::Any, stamp: sample::stamp(n) }
}

async fn cancel(store: Mortal<MemoryStore>, _: Mortal<MemoryInventory>) {
    let target = target(2);
    let cancel = change_order(&store, &target, |order| order.transition(Status::Canceled, None, target.stamp.clone()));
    cancel.await.unwrap();
}

async fn edit(store: Mortal<MemoryStore>, inventory: Mortal<MemoryInventory>) {
    let edit = EditOrder { store, inventory };
    edit.run(&target(3), &Edit::default(), Some(&sample::lines(&[(3, 4)]))).await.unwrap();
}

const NEVER: usize = usize::MAX;

#[tokio::test]
async fn a_crash_while_placing_leaves_no_order_or_a_whole_one_and_a_retry_finds_it() {
    for dies_at in 1.. {
        let world = World::new();
        let lived = world.process(dies_at, place).await;
        world.recover().await;
        world.is_sound(&format!("dead at {dies_at}")).await;
        assert!(world.process(NEVER, place).await);
        world.recover().await;
        let order = world.is_sound(&format!("dead at {dies_at}, retried")).await.unwrap();
        assert_eq!((order.status, order.version, world.store.len()), (Status::Confirmed, 1, 1));
        if lived {
            assert!(dies_at > 4, "an order takes at least a reservation and a put");
            break;
        }
    }
}

#[tokio::test]
async fn a_crash_while_settling_leaves_nothing_unsettled() {
    for dies_at in 1.. {
        let world = World::new();
        assert!(world.process(NEVER, place).await);
        let lived = world.process(dies_at, settle).await;
        world.recover().await;
        let order = world.is_sound(&format!("dead at {dies_at}")).await.unwrap();
        assert_eq!(order.status, Status::Confirmed);
        if lived {
            break;
        }
    }
}

#[tokio::test]
async fn a_crash_between_cancel_and_release_gives_everything_back() {
    for dies_at in 1.. {
        let world = World::new();
        assert!(world.process(NEVER, place).await);
        assert!(world.process(NEVER, settle).await);
        let canceled = world.process(dies_at, cancel).await;
        let settled = world.process(dies_at, settle).await;
        world.recover().await;
        world.is_sound(&format!("dead at {dies_at}")).await;
        if canceled && settled {
            let order = world.is_sound("alive").await.unwrap();
            assert_eq!((order.status, order.inventory), (Status::Canceled, Inventory::Released));
            break;
        }
    }
}

#[tokio::test]
async fn a_crash_while_lines_change_holds_the_old_or_the_new() {
    for dies_at in 1.. {
        let world = World::new();
        assert!(world.process(NEVER, place).await);
        assert!(world.process(NEVER, settle).await);
        let edited = world.process(dies_at, edit).await;
        let settled = world.process(dies_at, settle).await;
        world.recover().await;
        world.is_sound(&format!("dead at {dies_at}")).await;
        if edited && settled {
            break;
        }
    }
}
