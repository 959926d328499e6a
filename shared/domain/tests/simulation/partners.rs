//! The customer and the inventory service: no answer now and then, and holds that expire.

use std::collections::BTreeMap;
use std::sync::Mutex;

use domain::id::{CustomerId, ProductId};
use domain::line::Product;
use domain::memory::{MemoryCustomers, MemoryInventory, sample};
use domain::order::Contact;
use domain::ports::{ConfirmError, CustomerService, InventoryService, ReserveError, Unavailable};
use domain::reservation::{Reservation, ReservationId};
use uuid::Uuid;

use crate::bugs::Bug;
use crate::world::{Fault, Lost, Ports, World, now};

/// How long an unconfirmed hold lasts.
const HOLD_MILLIS: i64 = 900_000;

/// The stock, and the age of every hold.
pub struct Stockroom {
    inventory: MemoryInventory,
    customers: MemoryCustomers,
    units: [u32; 3],
    held: Mutex<BTreeMap<ReservationId, (Reservation, i64)>>,
}

impl Stockroom {
    /// So many units of products 1, 2 and 3.
    pub fn new(units: [u32; 3]) -> Self {
        let inventory = MemoryInventory::default();
        for (n, units) in (1..).zip(units) {
            inventory.stock(sample::product(n), units);
        }
        Self { inventory, customers: sample::customers(), units, held: Mutex::default() }
    }

    /// Holds that grew old are no more; now and then one goes early.
    pub fn expire(&self, world: &World) {
        let at = world.now();
        let mut held = self.held.lock().unwrap();
        held.retain(|id, (_, since)| {
            let is_old = at - *since >= HOLD_MILLIS;
            let goes_early = !is_old && world.chance(100) && world.strikes(Fault::Expired);
            if !is_old && !goes_early {
                return true;
            }
            self.inventory.expire_hold(*id);
            false
        });
    }

    /// Units that every product had, and has now.
    pub fn count(&self) -> Vec<(ProductId, u32, u32)> {
        (1..)
            .zip(self.units)
            .map(|(n, units)| {
                let id = sample::product(n).id;
                let free = self.inventory.available(&id);
                (id, units, free)
            })
            .collect()
    }

    /// Holds for good, and all holds.
    pub fn holds(&self) -> (usize, usize) {
        (self.inventory.confirmed(), self.inventory.holds())
    }

    fn reserve(&self, reservation: &Reservation, at: i64) -> Result<(), ReserveError> {
        now(self.inventory.reserve(reservation))?;
        self.held.lock().unwrap().entry(reservation.id).or_insert((reservation.clone(), at));
        Ok(())
    }

    /// A second confirmation under an id of its own takes the stock again.
    fn confirm_again(&self, id: ReservationId, at: i64) {
        let hold = self.held.lock().unwrap().get(&id).cloned();
        if let Some((reservation, _)) = hold {
            let again = ReservationId::from_uuid(Uuid::from_u128(id.as_uuid().as_u128().wrapping_add(1)));
            if self.reserve(&Reservation { id: again, ..reservation }, at).is_ok() {
                drop(now(self.inventory.confirm(again)));
            }
        }
    }
}

fn unavailable(lost: Lost) -> Unavailable {
    Unavailable { service: "partner", detail: format!("{lost:?}") }
}

impl CustomerService for Ports {
    async fn find(&self, id: &CustomerId) -> Result<Option<Contact>, Unavailable> {
        let customers = &self.world.stockroom.customers;
        self.world.call(&self.who, "find customer", || now(customers.find(id))).await.map_err(unavailable)?
    }
}

impl InventoryService for Ports {
    async fn products(&self, ids: &[ProductId]) -> Result<Vec<Product>, Unavailable> {
        let inventory = &self.world.stockroom.inventory;
        self.world.call(&self.who, "products", || now(inventory.products(ids))).await.map_err(unavailable)?
    }

    async fn reserve(&self, reservation: &Reservation) -> Result<(), ReserveError> {
        let world = &self.world;
        let what = format!("reserve {}", reservation.id);
        let call = world.call(&self.who, &what, || world.stockroom.reserve(reservation, world.now()));
        call.await.map_err(unavailable)?
    }

    async fn confirm(&self, id: ReservationId) -> Result<(), ConfirmError> {
        let world = &self.world;
        let effect = || {
            if world.bug == Some(Bug::ConfirmTakesAgain) && world.stockroom.inventory.is_confirmed(id) {
                world.stockroom.confirm_again(id, world.now());
            }
            now(world.stockroom.inventory.confirm(id))
        };
        match world.call(&self.who, &format!("confirm {id}"), effect).await {
            Err(_) if world.bug == Some(Bug::UnansweredIsConfirmed) => Ok(()),
            answer => answer.map_err(unavailable)?,
        }
    }

    async fn release(&self, id: ReservationId) -> Result<(), Unavailable> {
        let inventory = &self.world.stockroom.inventory;
        self.world
            .call(&self.who, &format!("release {id}"), || now(inventory.release(id)))
            .await
            .map_err(unavailable)?
    }
}
