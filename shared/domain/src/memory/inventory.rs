//! Stock in memory.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;

use super::lock;
use crate::id::ProductId;
use crate::line::Product;
use crate::ports::{ConfirmError, InventoryService, ReserveError, Unavailable};
use crate::reservation::{Reservation, ReservationId, Shortage};

/// Counts stock and holds.
#[derive(Debug, Default)]
pub struct MemoryInventory {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    is_down: bool,
    products: BTreeMap<ProductId, (Product, u32)>,
    holds: BTreeMap<ReservationId, Reservation>,
    confirmed: BTreeSet<ReservationId>,
}

impl MemoryInventory {
    /// Adds a product with this many free units.
    pub fn stock(&self, product: Product, units: u32) {
        lock(&self.state).products.insert(product.id.clone(), (product, units));
    }

    /// Makes the service unavailable, or available again.
    pub fn set_down(&self, is_down: bool) {
        lock(&self.state).is_down = is_down;
    }

    /// Units of a product that no hold has taken.
    #[must_use]
    pub fn available(&self, product: &ProductId) -> u32 {
        lock(&self.state).available(product)
    }

    /// Lets every hold expire that was not confirmed.
    pub fn expire(&self) {
        let mut state = lock(&self.state);
        let confirmed = state.confirmed.clone();
        state.holds.retain(|id, _| confirmed.contains(id));
    }

    /// Lets one hold expire, unless it was confirmed; whether it did.
    pub fn expire_hold(&self, id: ReservationId) -> bool {
        let mut state = lock(&self.state);
        !state.confirmed.contains(&id) && state.holds.remove(&id).is_some()
    }

    /// Whether a hold is kept for good.
    #[must_use]
    pub fn is_confirmed(&self, id: ReservationId) -> bool {
        lock(&self.state).confirmed.contains(&id)
    }

    /// How many holds are kept for good.
    #[must_use]
    pub fn confirmed(&self) -> usize {
        lock(&self.state).confirmed.len()
    }

    /// How many holds there are.
    #[must_use]
    pub fn holds(&self) -> usize {
        lock(&self.state).holds.len()
    }
}

impl State {
    fn available(&self, product: &ProductId) -> u32 {
        let stock = self.products.get(product).map_or(0, |(_, units)| *units);
        let held: u32 = self
            .holds
            .values()
            .flat_map(|hold| hold.lines.iter())
            .filter(|(p, _)| *p == product)
            .map(|(_, q)| q.get())
            .sum();
        stock.saturating_sub(held)
    }

    fn check(&self) -> Result<(), Unavailable> {
        if self.is_down { Err(down("inventory")) } else { Ok(()) }
    }
}

/// The answer of a partner that is down.
pub(super) fn down(service: &'static str) -> Unavailable {
    Unavailable { service, detail: "switched off".to_owned() }
}

impl InventoryService for MemoryInventory {
    async fn products(&self, ids: &[ProductId]) -> Result<Vec<Product>, Unavailable> {
        let state = lock(&self.state);
        state.check()?;
        Ok(ids.iter().filter_map(|id| state.products.get(id)).map(|(product, _)| product.clone()).collect())
    }

    async fn reserve(&self, reservation: &Reservation) -> Result<(), ReserveError> {
        let mut state = lock(&self.state);
        state.check()?;
        if state.holds.contains_key(&reservation.id) {
            return Ok(());
        }
        let shortages: Vec<Shortage> = reservation
            .lines
            .iter()
            .map(|(product, quantity)| Shortage {
                product: product.clone(),
                requested: quantity.get(),
                available: state.available(product),
            })
            .filter(|line| line.available < line.requested)
            .collect();
        if !shortages.is_empty() {
            return Err(ReserveError::OutOfStock(shortages));
        }
        state.holds.insert(reservation.id, reservation.clone());
        Ok(())
    }

    async fn release(&self, id: ReservationId) -> Result<(), Unavailable> {
        let mut state = lock(&self.state);
        state.check()?;
        state.holds.remove(&id);
        state.confirmed.remove(&id);
        Ok(())
    }

    async fn confirm(&self, id: ReservationId) -> Result<(), ConfirmError> {
        let mut state = lock(&self.state);
        state.check()?;
        if !state.holds.contains_key(&id) {
            return Err(ConfirmError::Expired);
        }
        state.confirmed.insert(id);
        Ok(())
    }
}
