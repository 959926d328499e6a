//! The customer and the inventory service: no answer now and then, a late effect, and reservations that expire.

use std::collections::BTreeMap;
use std::sync::Mutex;

use domain::id::{CustomerId, ProductId, TenantId};
use domain::line::Product;
use domain::memory::{MemoryCustomers, MemoryInventory, sample};
use domain::order::{Contact, Order};
use domain::ports::{ConfirmError, CustomerService, InventoryService, Outage, ReserveError, Unavailable};
use domain::reservation::{Reservation, ReservationId};
use uuid::Uuid;

use crate::bugs::Bug;
use crate::evidence::{Refusals, check_release};
use crate::world::{Fault, Lost, Ports, World, now};

/// How long an unconfirmed reservation lasts.
const RESERVATION_MILLIS: i64 = 900_000;

/// The product that the inventory service prices and never reserves.
pub const REFUSED: u32 = 4;

/// The stock, and the age of every reservation.
pub struct Stockroom {
    inventory: MemoryInventory,
    customers: MemoryCustomers,
    units: [u32; 4],
    made: Mutex<BTreeMap<ReservationId, (Reservation, i64)>>,
    /// For a service that takes two edits to the same lines for one: the reservation that it has for each.
    shared: Mutex<BTreeMap<ReservationId, ReservationId>>,
    /// What it had when it refused lines.
    pub refusals: Refusals,
}

impl Stockroom {
    /// So many units of products 1, 2 …
    pub fn new(units: [u32; 4]) -> Self {
        let inventory = MemoryInventory::default();
        for (n, units) in (1..).zip(units) {
            inventory.stock(sample::product(n), units);
        }
        let (made, shared, refusals) = Default::default();
        Self { inventory, customers: sample::customers(), units, made, shared, refusals }
    }

    /// Reservations that grew old are no more; now and then one goes early.
    pub fn expire(&self, world: &World) {
        let at = world.now();
        self.made.lock().unwrap().retain(|id, (_, since)| {
            let is_old = at - *since >= RESERVATION_MILLIS;
            let goes_early = !is_old && world.chance(100) && world.strikes(Fault::Expired);
            if !is_old && !goes_early {
                return true;
            }
            self.inventory.expire_one(*id);
            false
        });
    }

    /// Units that every product had, and has now.
    pub fn count(&self) -> Vec<(ProductId, u32, u32)> {
        let ids = (1..).map(|n| sample::product(n).id);
        ids.zip(self.units).map(|(id, units)| (id.clone(), units, self.inventory.available(&id))).collect()
    }

    /// How many reservations there are.
    pub fn reservations(&self) -> usize {
        self.inventory.reservations()
    }

    /// Whether a reservation is permanent.
    pub fn is_confirmed(&self, id: ReservationId) -> bool {
        self.inventory.is_confirmed(self.known_as(id))
    }

    /// The reservations of an order whose units, with the free ones, suffice for these lines of it.
    pub fn covering(&self, wanted: &Reservation) -> impl Iterator<Item = ReservationId> {
        let made = self.made.lock().unwrap();
        let is_of_order = |(_, (made, _)): &(&ReservationId, &(Reservation, i64))| made.order == wanted.order;
        let ids: Vec<_> = made.iter().filter(is_of_order).map(|(id, _)| *id).collect();
        ids.into_iter().filter(|id| self.inventory.covers(*id, wanted))
    }

    fn known_as(&self, id: ReservationId) -> ReservationId {
        self.shared.lock().unwrap().get(&id).copied().unwrap_or(id)
    }

    fn reserve(&self, world: &World, wanted: &Reservation) -> Result<(), ReserveError> {
        if wanted.lines.products().contains(&sample::product(REFUSED).id) {
            return Err(ReserveError::Refused);
        }
        if world.bug == Some(Bug::ReservationIdIsShared) && wanted.replaces.is_some() {
            let shared = ReservationId::of_new_order(wanted.order, &wanted.lines);
            self.shared.lock().unwrap().insert(wanted.id, shared);
        }
        let id = self.known_as(wanted.id);
        if world.bug == Some(Bug::ReleasedIsReservedAgain) {
            self.inventory.forget_release(id);
        }
        let replaces = wanted.replaces.map(|old| self.known_as(old)).filter(|old| *old != id);
        let wanted = Reservation { id, replaces, ..wanted.clone() };
        now(self.inventory.reserve(&wanted))?;
        self.made.lock().unwrap().entry(id).or_insert((wanted, world.now()));
        Ok(())
    }

    fn confirm(&self, world: &World, id: ReservationId) -> Result<(), ConfirmError> {
        let id = self.known_as(id);
        if world.bug == Some(Bug::ConfirmTakesAgain) && self.inventory.is_confirmed(id) {
            self.confirm_again(world, id);
        }
        now(self.inventory.confirm(&sample::tenant(), id))
    }

    /// A second confirmation under an id of its own takes the stock again.
    fn confirm_again(&self, world: &World, id: ReservationId) {
        let made = self.made.lock().unwrap().get(&id).cloned();
        if let Some((reservation, _)) = made {
            let again = ReservationId::from_uuid(Uuid::from_u128(id.as_uuid().as_u128().wrapping_add(1)));
            if self.reserve(world, &Reservation { id: again, ..reservation }).is_ok() {
                drop(now(self.inventory.confirm(&sample::tenant(), again)));
            }
        }
    }
}

impl Ports {
    fn order_of(&self, is_meant: impl Fn(&Order) -> bool) -> Option<Order> {
        self.world.table.orders().into_iter().find(is_meant)
    }

    /// Whether this would replace the newest of the order's unreleased reservations.
    fn is_newest(&self, wanted: &Reservation) -> bool {
        self.order_of(|order| order.id == wanted.order).is_none_or(|order| order.unreleased().next() == wanted.replaces)
    }

    /// Releases what an order no longer wants.
    async fn release_all_but(&self, id: ReservationId) {
        let unreleased: Vec<_> =
            self.order_of(|order| order.reservation == id).iter().flat_map(Order::unreleased).collect();
        for old in unreleased {
            drop(self.release(&sample::tenant(), old).await);
        }
    }
}

fn unavailable(lost: Lost) -> Unavailable {
    Unavailable { service: "partner", outage: Outage::NoAnswer, detail: format!("{lost:?}") }
}

impl CustomerService for Ports {
    async fn find(&self, tenant: &TenantId, id: &CustomerId) -> Result<Option<Contact>, Unavailable> {
        let (tenant, id) = (tenant.clone(), id.clone());
        let find = move |world: &World| now(world.stockroom.customers.find(&tenant, &id));
        self.world.call(&self.who, "find customer", find).await.map_err(unavailable)?
    }
}

impl InventoryService for Ports {
    async fn products(&self, tenant: &TenantId, ids: &[ProductId]) -> Result<Vec<Product>, Unavailable> {
        let (tenant, ids) = (tenant.clone(), ids.to_vec());
        let products = move |world: &World| now(world.stockroom.inventory.products(&tenant, &ids));
        self.world.call(&self.who, "products", products).await.map_err(unavailable)?
    }

    async fn reserve(&self, wanted: &Reservation) -> Result<(), ReserveError> {
        let (what, wanted) = (format!("reserve {}", wanted.id), wanted.clone());
        if self.world.bug == Some(Bug::OnlyTheNewestIsReplaced) && !self.who.is_client() && !self.is_newest(&wanted) {
            return Err(ReserveError::OutOfStock(Vec::new()));
        }
        let who = self.who.clone();
        let reserve = move |world: &World| {
            let answer = world.stockroom.reserve(world, &wanted);
            if matches!(answer, Err(ReserveError::OutOfStock(_))) {
                world.stockroom.refusals.note(world, &who, &wanted);
            }
            answer
        };
        match self.world.call(&self.who, &what, reserve).await.map_err(unavailable)? {
            Err(ReserveError::Refused) if self.world.bug == Some(Bug::RefusalIsAnOutage) => {
                Err(unavailable(Lost::Refused).into())
            }
            answer => answer,
        }
    }

    async fn confirm(&self, _: &TenantId, id: ReservationId) -> Result<(), ConfirmError> {
        if self.world.bug == Some(Bug::ReleasedBeforeConfirmed) {
            self.release_all_but(id).await;
        }
        let confirm = move |world: &World| world.stockroom.confirm(world, id);
        match self.world.call(&self.who, &format!("confirm {id}"), confirm).await {
            Err(_) if self.world.bug == Some(Bug::UnansweredIsConfirmed) => Ok(()),
            answer => answer.map_err(unavailable)?,
        }
    }

    async fn release(&self, tenant: &TenantId, id: ReservationId) -> Result<(), Unavailable> {
        if self.world.bug == Some(Bug::LostEditKeepsItsReservation) && self.who.is_client() {
            return Ok(());
        }
        let (tenant, is_client) = (tenant.clone(), self.who.is_client());
        let release = move |world: &World| {
            if !is_client {
                check_release(world, id);
            }
            now(world.stockroom.inventory.release(&tenant, world.stockroom.known_as(id)))
        };
        self.world.call(&self.who, &format!("release {id}"), release).await.map_err(unavailable)?
    }
}
