//! Two that follow up one order at once, and partners that contradict themselves.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, missing_docs, reason = "tests")]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use domain::history::Stamp;
use domain::id::{ProductId, TenantId};
use domain::line::Product;
use domain::memory::{FixedClock, MemoryCustomers, MemoryInventory, MemoryStore, sample};
use domain::order::Order;
use domain::ports::{Condition, ConfirmError, InventoryService, OrderStore, Outage, ReserveError, Unavailable};
use domain::reservation::{Reservation, ReservationId};
use domain::status::Status;
use domain::timestamp::Timestamp;
use domain::use_cases::{FollowUps, Outcome, Sweep, Swept};

type Service<I> = FollowUps<Arc<MemoryStore>, MemoryCustomers, I>;

fn service<I>(store: &Arc<MemoryStore>, inventory: I) -> Service<I> {
    let (store, customers, pending_timeout) = (Arc::clone(store), sample::customers(), Duration::from_secs(24 * 3_600));
    FollowUps { store, customers, inventory, pending_timeout }
}

/// A confirmed order whose reservation expired before it was confirmed, and has to be made anew.
async fn expired() -> (Arc<MemoryStore>, Arc<MemoryInventory>, Order) {
    let (store, inventory, order) = (Arc::<MemoryStore>::default(), Arc::new(sample::inventory()), sample::order());
    store.insert(&order).await.unwrap();
    inventory.reserve(&order.reservation()).await.unwrap();
    inventory.expire();
    (store, inventory, order)
}

async fn stored(store: &MemoryStore, order: &Order) -> Order {
    store.get(&order.tenant, order.id).await.unwrap().unwrap()
}

/// An inventory service whose refusal reaches the caller only once stock has come in and another has followed up.
struct OvertakenRefusal {
    inventory: Arc<MemoryInventory>,
    store: Arc<MemoryStore>,
}

impl InventoryService for OvertakenRefusal {
    async fn products(&self, tenant: &TenantId, ids: &[ProductId]) -> Result<Vec<Product>, Unavailable> {
        self.inventory.products(tenant, ids).await
    }

    async fn reserve(&self, reservation: &Reservation) -> Result<(), ReserveError> {
        let refusal = self.inventory.reserve(reservation).await.unwrap_err();
        self.inventory.stock(sample::product(1), 2);
        let order = self.store.get(&reservation.tenant, reservation.order).await.unwrap().unwrap();
        let other = service(&self.store, Arc::clone(&self.inventory));
        assert_eq!(other.run(order, &sample::stamp(60)).await, Ok(Outcome::Done));
        Err(refusal)
    }

    async fn confirm(&self, tenant: &TenantId, id: ReservationId) -> Result<(), ConfirmError> {
        self.inventory.confirm(tenant, id).await
    }

    async fn release(&self, tenant: &TenantId, id: ReservationId) -> Result<(), Unavailable> {
        self.inventory.release(tenant, id).await
    }
}

#[tokio::test]
async fn an_order_is_not_canceled_by_whoever_read_it_before_another_confirmed_its_reservation() {
    let (store, inventory, order) = expired().await;
    inventory.stock(sample::product(1), 0);
    let slow = OvertakenRefusal { inventory: Arc::clone(&inventory), store: Arc::clone(&store) };
    assert_eq!(service(&store, slow).run(order.clone(), &sample::stamp(61)).await, Ok(Outcome::Overtaken));
    let now = stored(&store, &order).await;
    assert_eq!((now.status, now.version, now.follow_ups.len()), (Status::Confirmed, 1, 0));
    assert!(inventory.is_confirmed(order.reservation));
}

/// An inventory service that is down, and whose caller is overtaken by another, who leaves the order due at this time.
struct Overtaking {
    store: Arc<MemoryStore>,
    due: Timestamp,
}

impl InventoryService for Overtaking {
    async fn products(&self, _: &TenantId, _: &[ProductId]) -> Result<Vec<Product>, Unavailable> {
        unreachable!("the order has its prices")
    }

    async fn reserve(&self, _: &Reservation) -> Result<(), ReserveError> {
        unreachable!("no reservation is known to have expired")
    }

    async fn confirm(&self, tenant: &TenantId, _: ReservationId) -> Result<(), ConfirmError> {
        let order = self.store.get(tenant, sample::order().id).await.unwrap().unwrap();
        let mut data = (*order).clone();
        data.follow_ups
            .iter_mut()
            .for_each(|waiting| (waiting.at, waiting.attempts) = (self.due, waiting.attempts + 1));
        self.store.update(&order, &Order::restore(data), Condition::VersionAndFollowUps).await.unwrap();
        let outage = Outage::NoAnswer;
        Err(ConfirmError::Unavailable(Unavailable { service: "inventory service", outage, detail: String::new() }))
    }

    async fn release(&self, _: &TenantId, _: ReservationId) -> Result<(), Unavailable> {
        unreachable!("nothing is to be released")
    }
}

/// What a sweep does that is overtaken by another, who leaves the order due at this time; and when the order is due then.
async fn overtaken_sweep(due: u32) -> (Swept, Timestamp) {
    let (store, order) = (Arc::<MemoryStore>::default(), sample::order());
    store.insert(&order).await.unwrap();
    let overtaking = Overtaking { store: Arc::clone(&store), due: sample::stamp(due).at };
    let sweep = Sweep { follow_ups: service(&store, overtaking), clock: FixedClock(sample::stamp(60).at) };
    let swept = sweep.run(&sample::stamp(60), sample::stamp(100).at).await;
    let page = store.due(0, sample::stamp(3_600).at, None, 10).await.unwrap();
    (swept, page.orders[0].at)
}

#[tokio::test]
async fn a_sweep_leaves_an_order_as_another_left_it_meanwhile() {
    let (swept, due) = overtaken_sweep(75).await;
    assert_eq!((swept.postponed, swept.put_off, due), (1, 0, sample::stamp(75).at));
}

#[tokio::test]
async fn an_order_that_a_sweep_cannot_write_twice_is_put_off() {
    let (swept, due) = overtaken_sweep(50).await;
    assert_eq!((swept.postponed, swept.put_off, due), (0, 1, sample::stamp(180).at));
}

/// An inventory service that makes so many new reservations, and knows nothing of them when they are to be confirmed.
struct Forgetful {
    inventory: Arc<MemoryInventory>,
    times: AtomicUsize,
}

impl InventoryService for Forgetful {
    async fn products(&self, tenant: &TenantId, ids: &[ProductId]) -> Result<Vec<Product>, Unavailable> {
        self.inventory.products(tenant, ids).await
    }

    async fn reserve(&self, reservation: &Reservation) -> Result<(), ReserveError> {
        self.inventory.reserve(reservation).await?;
        if self.times.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |times| times.checked_sub(1)).is_ok() {
            self.inventory.expire_one(reservation.id);
        }
        Ok(())
    }

    async fn confirm(&self, tenant: &TenantId, id: ReservationId) -> Result<(), ConfirmError> {
        self.inventory.confirm(tenant, id).await
    }

    async fn release(&self, tenant: &TenantId, id: ReservationId) -> Result<(), Unavailable> {
        self.inventory.release(tenant, id).await
    }
}

#[tokio::test]
async fn a_confirmed_order_survives_an_outage_longer_than_an_order_may_be_pending() {
    let (store, inventory, order) = expired().await;
    let service = service(&store, Forgetful { inventory: Arc::clone(&inventory), times: 1.into() });
    let two_days_later = order.created_at.plus(Duration::from_secs(2 * 24 * 3_600));
    let stamp = |hours: u64| Stamp { at: two_days_later.plus(Duration::from_secs(hours * 3_600)), ..sample::stamp(60) };
    inventory.set_down(true);
    assert_eq!(service.run(order.clone(), &stamp(0)).await, Ok(Outcome::Postponed));
    inventory.set_down(false);
    let postponed = stored(&store, &order).await;
    assert_eq!(service.run(postponed, &stamp(2)).await, Ok(Outcome::Postponed), "its new reservation expired at once");
    let postponed = stored(&store, &order).await;
    assert_eq!((postponed.status, postponed.version), (Status::Confirmed, 1));
    assert_eq!(service.run(postponed, &stamp(4)).await, Ok(Outcome::Done));
    assert!(inventory.is_confirmed(order.reservation));
}

#[tokio::test]
async fn a_confirmed_order_is_canceled_when_its_lines_cannot_be_had_after_an_outage() {
    let (store, inventory, order) = expired().await;
    inventory.stock(sample::product(1), 0);
    let service = service(&store, Arc::clone(&inventory));
    assert_eq!(service.run(order.clone(), &sample::stamp(60)).await, Ok(Outcome::Done));
    assert_eq!(stored(&store, &order).await.status, Status::Canceled);
}
