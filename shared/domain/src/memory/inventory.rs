//! Stock in memory.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;

use super::lock;
use crate::id::{ProductId, TenantId};
use crate::line::Product;
use crate::ports::{ConfirmError, InventoryService, Outage, ReserveError, Unavailable};
use crate::reservation::{Reservation, ReservationId, Shortage};

/// Counts stock and reservations.
#[derive(Debug, Default)]
pub struct MemoryInventory {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    is_down: bool,
    products: BTreeMap<ProductId, (Product, u32)>,
    reservations: BTreeMap<ReservationId, Reservation>,
    confirmed: BTreeSet<ReservationId>,
    released: BTreeSet<ReservationId>,
}

impl MemoryInventory {
    /// Adds a product with this many units.
    pub fn stock(&self, product: Product, units: u32) {
        lock(&self.state).products.insert(product.id.clone(), (product, units));
    }

    /// Makes the service unavailable, or available again.
    pub fn set_down(&self, is_down: bool) {
        lock(&self.state).is_down = is_down;
    }

    /// Units of a product that nobody has reserved.
    #[must_use]
    pub fn available(&self, product: &ProductId) -> u32 {
        lock(&self.state).available(product)
    }

    /// Lets every reservation expire that was not confirmed.
    pub fn expire(&self) {
        let mut state = lock(&self.state);
        let confirmed = state.confirmed.clone();
        state.reservations.retain(|id, _| confirmed.contains(id));
    }

    /// Lets one reservation expire, unless it was confirmed; whether it did.
    pub fn expire_one(&self, id: ReservationId) -> bool {
        let mut state = lock(&self.state);
        !state.confirmed.contains(&id) && state.reservations.remove(&id).is_some()
    }

    /// Forgets that a reservation was released: a service that breaks the rule.
    pub fn forget_release(&self, id: ReservationId) {
        lock(&self.state).released.remove(&id);
    }

    /// Whether a reservation is permanent.
    #[must_use]
    pub fn is_confirmed(&self, id: ReservationId) -> bool {
        lock(&self.state).confirmed.contains(&id)
    }

    /// How many reservations are permanent.
    #[must_use]
    pub fn confirmed(&self) -> usize {
        lock(&self.state).confirmed.len()
    }

    /// How many reservations there are.
    #[must_use]
    pub fn reservations(&self) -> usize {
        lock(&self.state).reservations.len()
    }
}

impl State {
    fn available(&self, product: &ProductId) -> u32 {
        let stock = self.products.get(product).map_or(0, |(_, units)| *units);
        let reserved: u32 = self.reservations.values().map(|reservation| self.taken(reservation, product)).sum();
        stock.saturating_sub(reserved)
    }

    /// Units that a reservation takes beyond those of the one it replaces: together they reserve the larger of both.
    fn taken(&self, reservation: &Reservation, product: &ProductId) -> u32 {
        let replaced = reservation.replaces.and_then(|id| self.reservations.get(&id));
        units(reservation, product).saturating_sub(replaced.map_or(0, |replaced| units(replaced, product)))
    }

    fn shortages(&self, reservation: &Reservation) -> Vec<Shortage> {
        let shortage = |(product, quantity): (&ProductId, crate::quantity::Quantity)| {
            let (wanted, available) = (self.taken(reservation, product), self.available(product));
            let own = quantity.get() - wanted;
            (wanted > available).then(|| Shortage {
                product: product.clone(),
                requested: quantity.get(),
                available: own + available,
            })
        };
        reservation.lines.iter().filter_map(shortage).collect()
    }

    fn release(&mut self, id: ReservationId) {
        self.reservations.remove(&id);
        self.confirmed.remove(&id);
        self.released.insert(id);
    }

    fn check(&self) -> Result<(), Unavailable> {
        if self.is_down { Err(down("inventory")) } else { Ok(()) }
    }
}

fn units(reservation: &Reservation, product: &ProductId) -> u32 {
    reservation.lines.iter().find(|(reserved, _)| *reserved == product).map_or(0, |(_, quantity)| quantity.get())
}

/// The answer of a partner that is down.
pub(super) fn down(service: &'static str) -> Unavailable {
    Unavailable { service, outage: Outage::NoAnswer, detail: "switched off".to_owned() }
}

impl InventoryService for MemoryInventory {
    async fn products(&self, _: &TenantId, ids: &[ProductId]) -> Result<Vec<Product>, Unavailable> {
        let state = lock(&self.state);
        state.check()?;
        Ok(ids.iter().filter_map(|id| state.products.get(id)).map(|(product, _)| product.clone()).collect())
    }

    async fn reserve(&self, reservation: &Reservation) -> Result<(), ReserveError> {
        let mut state = lock(&self.state);
        state.check()?;
        if state.released.contains(&reservation.id) {
            return Err(ReserveError::Refused);
        }
        if let Some(made) = state.reservations.get(&reservation.id) {
            return if made.lines == reservation.lines { Ok(()) } else { Err(ReserveError::Refused) };
        }
        let shortages = state.shortages(reservation);
        if !shortages.is_empty() {
            return Err(ReserveError::OutOfStock(shortages));
        }
        state.reservations.insert(reservation.id, reservation.clone());
        Ok(())
    }

    async fn confirm(&self, _: &TenantId, id: ReservationId) -> Result<(), ConfirmError> {
        let mut state = lock(&self.state);
        state.check()?;
        let replaced = state.reservations.get(&id).ok_or(ConfirmError::NotReserved)?.replaces;
        state.confirmed.insert(id);
        if let Some(replaced) = replaced {
            state.release(replaced);
        }
        Ok(())
    }

    async fn release(&self, _: &TenantId, id: ReservationId) -> Result<(), Unavailable> {
        let mut state = lock(&self.state);
        state.check()?;
        state.release(id);
        Ok(())
    }
}
