//! How an order changes: each method makes the next version, or none when nothing would differ.

use std::time::Duration;

use crate::address::Address;
use crate::event::EventKind;
use crate::history::{Change, Entry, Field, Stamp};
use crate::line::Lines;
use crate::metadata::Metadata;
use crate::order::{Deletion, Order, OrderData};
use crate::shipment::Shipment;
use crate::status::{IllegalTransition, Inventory, Status, Transition};
use crate::text::{ExternalReference, Notes, Reason};

/// Why an order does not change as asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The state machine does not know the move.
    #[error(transparent)]
    Illegal(#[from] IllegalTransition),
    /// Only settlement confirms a pending order.
    #[error("the order is confirmed once its partners are")]
    AwaitingSettlement,
    /// Lines are fixed once the order is being processed.
    #[error("the lines of an order that is {0} cannot change")]
    LinesClosed(Status),
    /// A canceled order is not shipped.
    #[error("a canceled order cannot be shipped")]
    Canceled,
    /// A parcel on its way cannot be undone.
    #[error("an order that is shipped cannot be deleted")]
    OnItsWay,
}

/// What a client wants of one field.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Patch<T> {
    /// Leave it.
    #[default]
    Keep,
    /// Empty it.
    Clear,
    /// Replace it.
    Set(T),
}

impl<T: PartialEq + Clone> Patch<T> {
    /// Applies the patch; whether the field is different now.
    fn apply(&self, field: &mut Option<T>) -> bool {
        let wanted = match self {
            Self::Keep => return false,
            Self::Clear => None,
            Self::Set(value) => Some(value.clone()),
        };
        let differs = *field != wanted;
        *field = wanted;
        differs
    }
}

/// The editable fields of an order, but for its lines.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Edit {
    /// Where it goes.
    pub shipping_address: Patch<Address>,
    /// The caller's own pairs, as a whole.
    pub metadata: Patch<Metadata>,
    /// The caller's own reference.
    pub external_reference: Patch<ExternalReference>,
    /// Free text.
    pub notes: Patch<Notes>,
}

impl Order {
    /// Moves to another status. `None`: it is there already.
    ///
    /// # Errors
    /// [`Refused::Illegal`] or [`Refused::AwaitingSettlement`].
    pub fn transition(&self, to: Status, reason: Option<Reason>, stamp: Stamp) -> Result<Option<Self>, Refused> {
        match (self.status.transition(to)?, to) {
            (Transition::Stay, _) => Ok(None),
            (Transition::Move, Status::Pending | Status::Confirmed) => Err(Refused::AwaitingSettlement),
            (Transition::Move, Status::Canceled) => Ok(Some(self.cancel(reason, stamp))),
            (Transition::Move, Status::Processing) => Ok(Some(self.moved(to, reason, EventKind::OrderUpdated, stamp))),
            (Transition::Move, Status::Shipped) => Ok(Some(self.moved(to, reason, EventKind::OrderShipped, stamp))),
            (Transition::Move, Status::Delivered) => Ok(Some(self.moved(to, reason, EventKind::OrderDelivered, stamp))),
        }
    }

    /// Sets the shipping information; an order that is being processed becomes shipped by it. `None`: nothing differs.
    ///
    /// # Errors
    /// [`Refused::Canceled`].
    pub fn ship(&self, shipment: Shipment, stamp: Stamp) -> Result<Option<Self>, Refused> {
        let shipped = self.status == Status::Processing;
        if self.status == Status::Canceled {
            return Err(Refused::Canceled);
        }
        if !shipped && self.shipping.as_ref() == Some(&shipment) {
            return Ok(None);
        }
        let mut changes = vec![Change::Replaced(Field::Shipping)];
        let mut event = EventKind::OrderUpdated;
        if shipped {
            changes.push(Change::Status { from: self.status, to: Status::Shipped, reason: None });
            event = EventKind::OrderShipped;
        }
        Ok(Some(self.next(stamp, vec![event], changes, |order| {
            order.shipping = Some(shipment);
            if shipped {
                order.status = Status::Shipped;
            }
        })))
    }

    /// Replaces fields, and the lines where new ones are given: already held, unless nothing of the order is held yet.
    /// The reservation of the old lines is to be released. `None`: nothing differs.
    ///
    /// # Errors
    /// [`Refused::LinesClosed`] when lines are given and may not change any more.
    pub fn edit(&self, edit: &Edit, lines: Option<Lines>, stamp: Stamp) -> Result<Option<Self>, Refused> {
        if lines.is_some() && !self.status.lines_are_open() {
            return Err(Refused::LinesClosed(self.status));
        }
        let mut data = self.0.clone();
        let mut changes = Vec::new();
        if let Some(lines) = lines {
            changes.push(Change::Replaced(Field::Lines));
            if lines.total() != self.lines.total() {
                changes.push(Change::Total { from: self.lines.total(), to: lines.total() });
            }
            data.settlement.supersede(self.reservation().id, stamp.at);
            data.lines = lines.numbered_after(&self.lines);
            data.lines_version = self.version + 1;
        }
        let mut metadata = Some(data.metadata.clone());
        for (field, differs) in [
            (Field::ShippingAddress, edit.shipping_address.apply(&mut data.shipping_address)),
            (Field::Metadata, edit.metadata.apply(&mut metadata) && metadata.as_ref() != Some(&self.metadata)),
            (Field::ExternalReference, edit.external_reference.apply(&mut data.external_reference)),
            (Field::Notes, edit.notes.apply(&mut data.notes)),
        ] {
            if differs {
                changes.push(Change::Replaced(field));
            }
        }
        data.metadata = metadata.unwrap_or_default();
        if changes.is_empty() {
            return Ok(None);
        }
        let mut events = vec![EventKind::OrderUpdated];
        if data.lines_version > self.version && data.inventory == Inventory::Reserved {
            events.push(EventKind::InventoryReserved);
        }
        Ok(Some(self.next(stamp, events, changes, |order| *order = data)))
    }

    /// Takes the order out of sight for good; what it holds is to be released. The item stays for `retention`.
    ///
    /// # Errors
    /// [`Refused::OnItsWay`].
    pub fn delete(&self, retention: Duration, stamp: Stamp) -> Result<Self, Refused> {
        if self.status == Status::Shipped {
            return Err(Refused::OnItsWay);
        }
        let at = stamp.at;
        let inventory = if self.status == Status::Delivered { self.inventory } else { self.inventory.let_go() };
        let changes = inventory_change(self.inventory, inventory);
        Ok(self.next(stamp, vec![EventKind::OrderDeleted], changes, |order| {
            order.inventory = inventory;
            if inventory == Inventory::ReleasePending {
                order.settlement.owe(at);
            }
            order.deletion = Some(Deletion { at, expires_at: at.plus(retention) });
        }))
    }

    /// Calls the order off; what it holds is to be released.
    pub(super) fn cancel(&self, reason: Option<Reason>, stamp: Stamp) -> Self {
        let inventory = self.inventory.let_go();
        let mut changes = vec![Change::Status { from: self.status, to: Status::Canceled, reason }];
        changes.extend(inventory_change(self.inventory, inventory));
        let at = stamp.at;
        self.next(stamp, vec![EventKind::OrderCanceled], changes, |order| {
            order.status = Status::Canceled;
            order.inventory = inventory;
            order.settlement.owe(at);
        })
    }

    fn moved(&self, to: Status, reason: Option<Reason>, event: EventKind, stamp: Stamp) -> Self {
        let changes = vec![Change::Status { from: self.status, to, reason }];
        self.next(stamp, vec![event], changes, |order| order.status = to)
    }

    /// The next version: one more history entry, the oldest dropped beyond [`Order::HISTORY_KEPT`]. Clocks of two
    /// machines differ, so `updated_at` never goes back.
    pub(super) fn next(
        &self,
        stamp: Stamp,
        events: Vec<EventKind>,
        changes: Vec<Change>,
        change: impl FnOnce(&mut OrderData),
    ) -> Self {
        let mut data = self.0.clone();
        change(&mut data);
        data.version = self.version + 1;
        data.revision = self.revision + 1;
        data.updated_at = stamp.at.max(self.updated_at);
        data.history.push(Entry { version: data.version, stamp, events, changes });
        let surplus = data.history.len().saturating_sub(Self::HISTORY_KEPT);
        data.history.drain(..surplus);
        Self(data)
    }
}

pub(super) fn inventory_change(from: Inventory, to: Inventory) -> Vec<Change> {
    if from == to { Vec::new() } else { vec![Change::Inventory { from, to }] }
}
