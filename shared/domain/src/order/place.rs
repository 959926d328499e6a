//! How an order comes to be.

use crate::draft::OrderDraft;
use crate::fingerprint::Fingerprint;
use crate::history::{EventKind, HistoryEntry, Stamp};
use crate::id::{OrderId, TenantId};
use crate::line::Lines;
use crate::order::{Contact, Customer, FollowUp, FollowUpKind, Order, OrderData};
use crate::reservation::ReservationId;
use crate::status::{Inventory, Status};

/// What the inventory service said of a draft's lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stock {
    /// It priced and reserved them.
    Reserved(Lines),
    /// It could not be asked, so nothing is known to be reserved.
    Unknown(Lines),
}

/// A draft with everything the service adds to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placement {
    /// The storefront.
    pub tenant: TenantId,
    /// The order's id.
    pub id: OrderId,
    /// The region that will write and publish the order.
    pub home_region: String,
    /// What the client asked for.
    pub draft: OrderDraft,
    /// What the customer service said; `None` when it could not be asked.
    pub contact: Option<Contact>,
    /// What the inventory service said.
    pub stock: Stock,
    /// The reservation of the lines.
    pub reservation: ReservationId,
}

impl Order {
    /// Version 1 of an order: `confirmed` when customer and stock are certain, `pending` otherwise.
    #[must_use]
    pub fn place(placement: Placement, stamp: Stamp) -> Self {
        let Placement { tenant, id, home_region, draft, contact, stock, reservation } = placement;
        let fingerprint = Fingerprint::of(&draft);
        let OrderDraft { customer, lines: _, details } = draft;
        let (lines, inventory) = match stock {
            Stock::Reserved(lines) => (lines, Inventory::Reserved),
            Stock::Unknown(lines) => (lines, Inventory::Unconfirmed),
        };
        let is_certain = contact.is_some() && inventory == Inventory::Reserved;
        let status = if is_certain { Status::Confirmed } else { Status::Pending };
        let at = stamp.at;
        Self(OrderData {
            tenant,
            id,
            home_region,
            customer: Customer { id: customer, contact },
            lines,
            reservation,
            status,
            inventory,
            details,
            shipping: None,
            version: 1,
            created_at: at,
            updated_at: at,
            follow_ups: first_follow_ups(&stamp, status, inventory),
            history: vec![first_entry(status, inventory, stamp)],
            fingerprint,
            deleted_at: None,
        })
    }
}

fn first_follow_ups(stamp: &Stamp, status: Status, inventory: Inventory) -> Vec<FollowUp> {
    let complete = (status == Status::Pending).then_some(FollowUpKind::Complete);
    let confirm = (inventory == Inventory::Reserved).then_some(FollowUpKind::Confirm);
    complete.into_iter().chain(confirm).map(|kind| FollowUp::new(kind, stamp.at)).collect()
}

/// A new order has no state before it, so its entry lists events but no changes.
fn first_entry(status: Status, inventory: Inventory, stamp: Stamp) -> HistoryEntry {
    let mut events = vec![EventKind::OrderCreated];
    if inventory == Inventory::Reserved {
        events.push(EventKind::InventoryReserved);
    }
    if status == Status::Confirmed {
        events.push(EventKind::OrderConfirmed);
    }
    HistoryEntry { version: 1, stamp, events, changes: Vec::new() }
}
