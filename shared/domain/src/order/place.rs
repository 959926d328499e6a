//! How an order comes to be.

use crate::event::EventKind;
use crate::fingerprint::Fingerprint;
use crate::history::{Change, Entry, Stamp};
use crate::id::{OrderId, TenantId};
use crate::line::Lines;
use crate::order::{Contact, Customer, Order, OrderData, OrderDraft, Settlement};
use crate::status::{Inventory, Status};

/// What the inventory service said of a draft's lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stock {
    /// It priced them and holds them.
    Reserved(Lines),
    /// It could not be asked, so nothing is known to be held.
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
}

impl Order {
    /// Version 1 of an order: `confirmed` when customer and stock are certain, `pending` otherwise.
    #[must_use]
    pub fn place(placement: Placement, stamp: Stamp) -> Self {
        let Placement { tenant, id, home_region, draft, contact, stock } = placement;
        let fingerprint = Fingerprint::of(&draft);
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
            customer: Customer { id: draft.customer, contact },
            lines,
            lines_version: 1,
            status,
            inventory,
            shipping_address: draft.shipping_address,
            shipping: None,
            metadata: draft.metadata,
            external_reference: draft.external_reference,
            notes: draft.notes,
            version: 1,
            revision: 1,
            created_at: at,
            updated_at: at,
            history: vec![first_entry(status, inventory, stamp)],
            fingerprint,
            settlement: Settlement::owed_from(at),
            deletion: None,
        })
    }
}

/// A new order has no state before it, so its entry lists events but no changes.
fn first_entry(status: Status, inventory: Inventory, stamp: Stamp) -> Entry {
    let mut events = vec![EventKind::OrderCreated];
    if inventory == Inventory::Reserved {
        events.push(EventKind::InventoryReserved);
    }
    if status == Status::Confirmed {
        events.push(EventKind::OrderConfirmed);
    }
    Entry { version: 1, stamp, events, changes: Vec::<Change>::new() }
}
