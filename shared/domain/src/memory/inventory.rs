//! Stock in memory.

use std::collections::{BTreeMap, BTreeSet};
use std::iter;
use std::sync::Mutex;

use super::lock;
use crate::contract::inventory::Stocked;
use crate::id::{ProductId, TenantId};
use crate::line::Product;
use crate::ports::{ConfirmError, InventoryService, Outage, ReserveError, Unavailable};
use crate::quantity::Quantity;
use crate::reservation::{Reservation, ReservationId, Shortage};

/// Counts stock and reservations.
#[derive(Debug, Default)]
pub struct MemoryInventory {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    down: Option<Outage>,
    products: BTreeMap<ProductId, (Product, u32)>,
    reservations: BTreeMap<ReservationId, Made>,
    released: BTreeSet<ReservationId>,
    families: u64,
}

/// A reservation that is neither released nor expired.
#[derive(Debug)]
struct Made {
    reservation: Reservation,
    /// All that were ever linked by `replaces`: of each product they reserve what the one reserves that has the most.
    family: u64,
    is_confirmed: bool,
}

impl MemoryInventory {
    /// Adds a product with this many units.
    pub fn stock(&self, product: Product, units: u32) {
        lock(&self.state).products.insert(product.id.clone(), (product, units));
    }

    /// Makes the service unavailable, or available again.
    pub fn set_down(&self, is_down: bool) {
        lock(&self.state).down = is_down.then_some(Outage::NoAnswer);
    }

    /// Makes the service one that is not called, until it is available again.
    pub fn open_circuit(&self) {
        lock(&self.state).down = Some(Outage::CircuitOpen);
    }

    /// Units of a product that nobody has reserved.
    #[must_use]
    pub fn available(&self, product: &ProductId) -> u32 {
        lock(&self.state).available(product)
    }

    /// Lets every reservation expire that was not confirmed.
    pub fn expire(&self) {
        let mut state = lock(&self.state);
        let ids: Vec<_> = state.reservations.keys().copied().collect();
        for id in ids {
            state.expire(id);
        }
    }

    /// Lets one reservation expire, unless it was confirmed.
    pub fn expire_one(&self, id: ReservationId) {
        lock(&self.state).expire(id);
    }

    /// Forgets that a reservation was released: a service that breaks the rule.
    pub fn forget_release(&self, id: ReservationId) {
        lock(&self.state).released.remove(&id);
    }

    /// Whether a reservation is there whose units, with the free ones, suffice for these lines.
    #[must_use]
    pub fn covers(&self, id: ReservationId, wanted: &Reservation) -> bool {
        let state = lock(&self.state);
        state.reservations.get(&id).is_some_and(|made| state.shortages(wanted, made.family).is_empty())
    }

    /// Whether a reservation is permanent.
    #[must_use]
    pub fn is_confirmed(&self, id: ReservationId) -> bool {
        lock(&self.state).reservations.get(&id).is_some_and(|made| made.is_confirmed)
    }

    /// How many reservations are permanent.
    #[must_use]
    pub fn confirmed(&self) -> usize {
        lock(&self.state).reservations.values().filter(|made| made.is_confirmed).count()
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
        let mut reserved = BTreeMap::<u64, u32>::new();
        for made in self.reservations.values() {
            let most = reserved.entry(made.family).or_default();
            *most = (*most).max(units(&made.reservation, product));
        }
        stock.saturating_sub(reserved.values().sum())
    }

    /// What is missing, with the units of this family counting as available.
    fn shortages(&self, wanted: &Reservation, family: u64) -> Vec<Shortage> {
        let own = |product: &ProductId| {
            let members = self.reservations.values().filter(|made| made.family == family);
            members.map(|made| units(&made.reservation, product)).max().unwrap_or_default()
        };
        let shortage = |(product, quantity): (&ProductId, Quantity)| {
            let (requested, available) = (quantity.get(), self.available(product) + own(product));
            (requested > available).then(|| Shortage { product: product.clone(), requested, available })
        };
        wanted.lines.iter().filter_map(shortage).collect()
    }

    fn expire(&mut self, id: ReservationId) {
        if self.reservations.get(&id).is_some_and(|made| !made.is_confirmed) {
            self.remove(id);
        }
    }

    fn release(&mut self, id: ReservationId) {
        self.remove(id);
        self.released.insert(id);
    }

    /// The others stay as they are; what replaced it now replaces what it replaced.
    fn remove(&mut self, id: ReservationId) {
        let Some(gone) = self.reservations.remove(&id) else { return };
        let followers = self.reservations.values_mut().filter(|made| made.reservation.replaces == Some(id));
        followers.for_each(|made| made.reservation.replaces = gone.reservation.replaces);
    }

    fn check(&self) -> Result<(), Unavailable> {
        self.down.map_or(Ok(()), |outage| Err(Unavailable { outage, ..down("inventory") }))
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
            return if made.reservation.lines == reservation.lines { Ok(()) } else { Err(ReserveError::Refused) };
        }
        let replaced = reservation.replaces.and_then(|id| state.reservations.get(&id));
        if replaced.is_some_and(|made| made.reservation.order != reservation.order) {
            return Err(ReserveError::Refused);
        }
        let replaces = replaced.map(|made| made.reservation.id);
        let family = replaced.map_or(state.families, |made| made.family);
        let shortages = state.shortages(reservation, family);
        if !shortages.is_empty() {
            return Err(ReserveError::OutOfStock(shortages));
        }
        state.families += 1;
        let made = Made { reservation: Reservation { replaces, ..reservation.clone() }, family, is_confirmed: false };
        state.reservations.insert(reservation.id, made);
        Ok(())
    }

    async fn confirm(&self, _: &TenantId, id: ReservationId) -> Result<(), ConfirmError> {
        let mut state = lock(&self.state);
        state.check()?;
        state.reservations.get_mut(&id).ok_or(ConfirmError::NotReserved)?.is_confirmed = true;
        let replaced = |id: &ReservationId| state.reservations.get(id)?.reservation.replaces;
        let behind: Vec<_> = iter::successors(replaced(&id), replaced).collect();
        behind.into_iter().for_each(|id| state.release(id));
        Ok(())
    }

    async fn release(&self, _: &TenantId, id: ReservationId) -> Result<(), Unavailable> {
        let mut state = lock(&self.state);
        state.check()?;
        state.release(id);
        Ok(())
    }
}

impl Stocked for MemoryInventory {
    async fn stock(&self, product: Product, units: u32) {
        self.stock(product, units);
    }

    async fn free(&self, product: &ProductId) -> u32 {
        self.available(product)
    }

    async fn expire(&self, id: ReservationId) {
        self.expire_one(id);
    }
}
