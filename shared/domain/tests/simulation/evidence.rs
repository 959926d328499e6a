//! What the stockroom had whenever it refused lines, and whether a follow-up was right to cancel or release.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;

use domain::history::Change;
use domain::id::OrderId;
use domain::order::{CancelReason, Order};
use domain::reservation::{Reservation, ReservationId};
use domain::status::{Inventory, Status};

use crate::world::{Who, World};

/// By process and order: the reservations of the order that, with the free units, would have sufficed for the lines at
/// every refusal.
#[derive(Default)]
pub struct Refusals(Mutex<BTreeMap<(String, OrderId), BTreeSet<ReservationId>>>);

impl Refusals {
    /// The stockroom refuses these lines to this process.
    pub fn note(&self, world: &World, who: &Who, wanted: &Reservation) {
        let sufficient: BTreeSet<_> = world.stockroom.covering(wanted).collect();
        let mut refusals = self.0.lock().unwrap();
        let known = refusals.entry((who.name.clone(), wanted.order)).or_insert_with(|| sufficient.clone());
        known.retain(|id| sufficient.contains(id));
    }

    fn sufficient(&self, who: &Who, order: OrderId) -> BTreeSet<ReservationId> {
        self.0.lock().unwrap().get(&(who.name.clone(), order)).cloned().unwrap_or_default()
    }
}

/// A follow-up that cancels an order as out of stock has asked with each reservation that the order had left.
pub fn check_cancellation(world: &World, who: &Who, before: &Order, after: &Order) {
    let is_out_of_stock = |change: &Change| match change {
        Change::Status { to: Status::Canceled, reason: Some(reason), .. } => {
            reason.as_str() == CancelReason::OutOfStock.as_str()
        }
        Change::Status { .. } | Change::Inventory { .. } | Change::Total { .. } | Change::Replaced(_) => false,
    };
    let is_new = after.version > before.version;
    if !is_new || !after.history.last().is_some_and(|entry| entry.changes.iter().any(is_out_of_stock)) {
        return;
    }
    let sufficient = world.stockroom.refusals.sufficient(who, before.id);
    let left = before.unreleased().chain([before.reservation]).find(|id| sufficient.contains(id));
    if let Some(left) = left {
        world.mistake(format!("{} was canceled as out of stock and still has units: {left}", before.id));
    }
}

/// A follow-up that releases a reservation leaves the order with one that is permanent.
pub fn check_release(world: &World, id: ReservationId) {
    let is_of = |order: &&Order| order.unreleased().any(|unreleased| unreleased == id);
    let orders = world.table.orders();
    let Some(order) = orders.iter().find(is_of).filter(|order| order.inventory == Inventory::Reserved) else { return };
    let mut others = order.unreleased().chain([order.reservation]).filter(|other| *other != id);
    if !others.any(|other| world.stockroom.is_confirmed(other)) {
        world.mistake(format!("{}: {id} was released before another was permanent", order.id));
    }
}
