//! Reservations, and those that replace one another.
//!
//! A reservation may name an older one of the same order that it replaces. All that were ever linked in this way are a
//! family: alternatives, of which the order will keep one. Of each product a family reserves as much as the member that
//! asks for the most, so the units of the old count as available for the new.
//!
//! - Confirming one releases the one that it replaces, and in turn what that one replaces. Others of the family, which
//!   replace it or the same one, stay as they are.
//! - When one is released or expires, the others stay as they are; what replaced it now replaces what it replaced. An
//!   old one that expires thus frees only units that the new one does not need.
//! - A confirmed one does not expire. The others expire each at its own time.
//! - One that was released, expired or never seen has no units to count: what names it stands alone.

use std::collections::BTreeMap;
use std::iter;

use serde::{Deserialize, Serialize};

/// Units by product.
pub type Units = BTreeMap<String, u64>;

/// The order that a reservation is for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    pub tenant: String,
    pub order_id: String,
}

/// Units set aside for an order.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Reservation {
    pub order: Order,
    pub units: Units,
    pub replaces: Option<String>,
    /// Milliseconds since 1970.
    pub expires_at: u64,
    pub is_confirmed: bool,
}

/// Reservations by id that replace one another.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Family(BTreeMap<String, Reservation>);

impl Family {
    /// One of the family.
    pub fn get(&self, id: &str) -> Option<&Reservation> {
        self.0.get(id)
    }

    /// The ids of the family.
    pub fn ids(&self) -> impl Iterator<Item = &String> {
        self.0.keys()
    }

    /// Whether nothing is left.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds one.
    pub fn add(&mut self, id: String, reservation: Reservation) {
        self.0.insert(id, reservation);
    }

    /// Confirms one; the ids of those that are released by it.
    pub fn confirm(&mut self, id: &str) -> Vec<String> {
        if let Some(reservation) = self.0.get_mut(id) {
            reservation.is_confirmed = true;
        }
        let replaced = |id: &String| self.0.get(id)?.replaces.clone();
        let behind: Vec<String> = iter::successors(replaced(&id.to_owned()), replaced).collect();
        behind.iter().for_each(|id| self.remove(id));
        behind
    }

    /// Takes one out.
    pub fn remove(&mut self, id: &str) {
        let Some(gone) = self.0.remove(id) else { return };
        for other in self.0.values_mut().filter(|other| other.replaces.as_deref() == Some(id)) {
            other.replaces.clone_from(&gone.replaces);
        }
    }

    /// What the family reserves.
    pub fn held(&self) -> Units {
        most(self.0.values())
    }

    /// The part of what it reserves that is confirmed.
    pub fn confirmed(&self) -> Units {
        most(self.0.values().filter(|reservation| reservation.is_confirmed))
    }
}

fn most<'a>(reservations: impl Iterator<Item = &'a Reservation>) -> Units {
    let mut most = Units::new();
    for (product, units) in reservations.flat_map(|reservation| &reservation.units) {
        let known = most.entry(product.clone()).or_default();
        *known = (*known).max(*units);
    }
    most
}
