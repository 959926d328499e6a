//! How an order changes: each method makes the next version, or none when nothing would differ.

use std::time::Duration;

use crate::details::{Edit, Field};
use crate::history::{Change, EventKind, HistoryEntry, Stamp};
use crate::line::Lines;
use crate::order::{FollowUp, FollowUpKind, Order, OrderData};
use crate::reservation::ReservationId;
use crate::shipment::Shipment;
use crate::status::{IllegalTransition, Inventory, Status, Transition};
use crate::text::Reason;

/// So many reservations may wait for their release before an order takes other lines again.
const MOST_RELEASES: usize = 10;

/// Why an order does not change as asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The state machine does not know the move.
    #[error(transparent)]
    Illegal(#[from] IllegalTransition),
    /// Only a follow-up confirms a pending order.
    #[error("a pending order waits for the customer or inventory service")]
    AwaitingConfirmation,
    /// The reservation of the lines is not confirmed yet, or too many wait for their release.
    #[error("the order's reservations wait for the inventory service")]
    ReservationUnconfirmed,
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

/// Lines to replace those of an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewLines {
    /// The lines.
    pub lines: Lines,
    /// Their reservation: made, unless nothing is known to be reserved for the order yet.
    pub reservation: ReservationId,
}

impl Order {
    /// Moves to another status. `None`: it is there already.
    ///
    /// # Errors
    /// [`Refused::Illegal`], [`Refused::AwaitingConfirmation`] or [`Refused::ReservationUnconfirmed`].
    pub fn transition(&self, to: Status, reason: Option<Reason>, stamp: Stamp) -> Result<Option<Self>, Refused> {
        if self.status.transition(to)? == Transition::Stay {
            return Ok(None);
        }
        Ok(Some(match to {
            Status::Pending | Status::Confirmed | Status::Unrecognized(_) => return Err(Refused::AwaitingConfirmation),
            Status::Canceled => self.cancel(reason, stamp),
            Status::Processing => self.moved(to, reason, EventKind::OrderUpdated, stamp),
            Status::Shipped => {
                self.require_confirmed_reservation()?;
                self.moved(to, reason, EventKind::OrderShipped, stamp)
            }
            Status::Delivered => self.moved(to, reason, EventKind::OrderDelivered, stamp),
        }))
    }

    /// What expires may be sold to another: only stock whose reservation is confirmed is shipped.
    fn require_confirmed_reservation(&self) -> Result<(), Refused> {
        if self.is_reservation_confirmed() { Ok(()) } else { Err(Refused::ReservationUnconfirmed) }
    }

    /// Sets the shipping information; an order that is being processed becomes shipped by it. `None`: nothing differs.
    ///
    /// # Errors
    /// [`Refused::Canceled`], and [`Refused::ReservationUnconfirmed`] when the order would become shipped.
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
            self.require_confirmed_reservation()?;
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

    /// Replaces fields, and the lines where new ones are given; the reservation of the old lines is to be released.
    /// `None`: nothing differs.
    ///
    /// # Errors
    /// As [`Order::may_take_lines`], when lines are given.
    pub fn edit(&self, edit: &Edit, new: Option<NewLines>, stamp: Stamp) -> Result<Option<Self>, Refused> {
        let mut data = self.0.clone();
        let (mut events, mut changes) = (vec![EventKind::OrderUpdated], Vec::new());
        if let Some(NewLines { lines, reservation }) = new {
            self.may_take_lines()?;
            changes.push(Change::Replaced(Field::Lines));
            if lines.total() != self.lines.total() {
                changes.push(Change::Total { from: self.lines.total(), to: lines.total() });
            }
            if data.inventory == Inventory::Reserved {
                events.push(EventKind::InventoryReserved);
            }
            data.lines = lines.numbered_after(&self.lines);
            data.replace_reservation(reservation, stamp.at);
        }
        changes.extend(data.details.apply(edit).into_iter().map(Change::Replaced));
        if changes.is_empty() {
            return Ok(None);
        }
        Ok(Some(self.next(stamp, events, changes, |order| *order = data)))
    }

    /// Whether the order takes other lines now.
    ///
    /// # Errors
    /// [`Refused::LinesClosed`]; [`Refused::ReservationUnconfirmed`] while too many reservations wait for their release.
    pub fn may_take_lines(&self) -> Result<(), Refused> {
        if !self.status.lines_are_open() {
            return Err(Refused::LinesClosed(self.status));
        }
        let is_release = |follow_up: &&FollowUp| matches!(follow_up.kind, FollowUpKind::Release(_));
        let waiting = self.follow_ups.iter().filter(is_release).count();
        if waiting < MOST_RELEASES { Ok(()) } else { Err(Refused::ReservationUnconfirmed) }
    }

    /// Takes the order out of sight for ever; its reservation is to be released, and after `retention` the order is to
    /// be erased.
    ///
    /// # Errors
    /// [`Refused::OnItsWay`].
    pub fn delete(&self, retention: Duration, stamp: Stamp) -> Result<Self, Refused> {
        if self.status == Status::Shipped {
            return Err(Refused::OnItsWay);
        }
        let at = stamp.at;
        let keeps_stock = self.status == Status::Delivered;
        let inventory = if keeps_stock { self.inventory } else { self.inventory.given_up() };
        let changes = inventory_change(self.inventory, inventory);
        Ok(self.next(stamp, vec![EventKind::OrderDeleted], changes, |order| {
            if !keeps_stock {
                order.give_up_reservation(at);
            }
            order.follow_ups.push(FollowUp::new(FollowUpKind::Erase, at.plus(retention)));
            order.deleted_at = Some(at);
        }))
    }

    /// Cancels the order; its reservation is to be released.
    pub(super) fn cancel(&self, reason: Option<Reason>, stamp: Stamp) -> Self {
        let mut changes = vec![Change::Status { from: self.status, to: Status::Canceled, reason }];
        changes.extend(inventory_change(self.inventory, self.inventory.given_up()));
        let at = stamp.at;
        self.next(stamp, vec![EventKind::OrderCanceled], changes, |order| {
            order.status = Status::Canceled;
            order.give_up_reservation(at);
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
        data.updated_at = stamp.at.max(self.updated_at);
        data.history.push(HistoryEntry { version: data.version, stamp, events, changes });
        let surplus = data.history.len().saturating_sub(Self::HISTORY_KEPT);
        data.history.drain(..surplus);
        Self(data)
    }
}

pub(super) fn inventory_change(from: Inventory, to: Inventory) -> Vec<Change> {
    if from == to { Vec::new() } else { vec![Change::Inventory { from, to }] }
}
