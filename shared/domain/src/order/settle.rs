//! What an order owes its partners after the commit, and how it is paid.

use std::time::Duration;

use crate::event::EventKind;
use crate::history::{Change, Field, Stamp};
use crate::line::Lines;
use crate::order::change::inventory_change;
use crate::order::{Contact, Order, OrderData};
use crate::reservation::ReservationId;
use crate::status::{Inventory, Status};
use crate::text::Reason;
use crate::timestamp::Timestamp;

/// A settlement that has not happened this long after the change that needs it is overdue.
pub const SETTLE_WITHIN: Duration = Duration::from_secs(60);

/// What is released is released again this much later. Whoever read the order while it still wanted the hold may take it
/// anew after the first release; by then no such function runs any more (the longest may run a minute).
pub const RELEASE_AGAIN_AFTER: Duration = Duration::from_secs(120);

/// What is still owed; no client sees it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Settlement {
    /// When it is overdue; `None`: nothing is owed.
    pub due: Option<Timestamp>,
    /// Reservations that the order no longer wants, to be released.
    pub superseded: Vec<ReservationId>,
    /// Everything is done, but for releasing what is superseded a second time when it is due.
    pub release_again: bool,
}

impl Settlement {
    /// Something is owed from this moment on.
    #[must_use]
    pub fn owed_from(at: Timestamp) -> Self {
        Self { due: Some(at.plus(SETTLE_WITHIN)), superseded: Vec::new(), release_again: false }
    }

    /// Everything is done; these reservations were released for the first time.
    fn released(superseded: Vec<ReservationId>, at: Timestamp) -> Self {
        let release_again = !superseded.is_empty();
        Self { due: release_again.then(|| at.plus(RELEASE_AGAIN_AFTER)), superseded, release_again }
    }

    pub(super) fn owe(&mut self, at: Timestamp) {
        (self.due, self.release_again) = (Some(at.plus(SETTLE_WITHIN)), false);
    }

    pub(super) fn supersede(&mut self, old: ReservationId, at: Timestamp) {
        self.superseded.push(old);
        self.owe(at);
    }
}

/// What to do next for an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Give everything back that the order may hold.
    Release,
    /// Ask the partners that could not be asked when the order was placed.
    Complete,
    /// Keep the hold for good, and give replaced lines back.
    Confirm,
    /// Give back once more what nobody can take any more.
    ReleaseAgain,
}

/// Why settlement calls an order off; [`CancelReason::as_str`] is the reason in the order's history.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CancelReason {
    /// The customer service does not know the customer.
    UnknownCustomer,
    /// The inventory service does not know a product.
    UnknownProduct,
    /// The prices cannot be summed.
    InvalidTotal,
    /// The lines can no longer be held.
    OutOfStock,
}

impl CancelReason {
    /// The reason as clients read it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::UnknownCustomer => "unknown_customer",
            Self::UnknownProduct => "unknown_product",
            Self::InvalidTotal => "invalid_total",
            Self::OutOfStock => "out_of_stock",
        }
    }
}

impl Order {
    /// What settlement has to do now; `None`: nothing.
    #[must_use]
    pub fn step(&self, now: Timestamp) -> Option<Step> {
        let due = self.settlement.due?;
        if self.settlement.release_again {
            return (due <= now).then_some(Step::ReleaseAgain);
        }
        Some(match (self.inventory, self.status) {
            (Inventory::ReleasePending, _) => Step::Release,
            (Inventory::Reserved | Inventory::Unconfirmed, Status::Pending) => Step::Complete,
            (Inventory::Reserved | Inventory::Unconfirmed, _) => Step::Confirm,
            (Inventory::Released, _) => Step::ReleaseAgain,
        })
    }

    /// The pending order with what the partners said since: confirmed.
    #[must_use]
    pub fn completed(&self, contact: Contact, lines: Lines, stamp: Stamp) -> Self {
        let mut events = Vec::new();
        let mut changes = inventory_change(self.inventory, Inventory::Reserved);
        if self.inventory != Inventory::Reserved {
            events.push(EventKind::InventoryReserved);
        }
        if self.customer.contact.is_none() {
            changes.push(Change::Replaced(Field::Customer));
        }
        if self.lines.total() != lines.total() {
            changes.push(Change::Total { from: self.lines.total(), to: lines.total() });
        }
        changes.push(Change::Status { from: self.status, to: Status::Confirmed, reason: None });
        events.push(EventKind::OrderConfirmed);
        self.next(stamp, events, changes, |order| {
            order.customer.contact = Some(contact);
            order.lines = lines;
            order.inventory = Inventory::Reserved;
            order.status = Status::Confirmed;
        })
    }

    /// The order called off by settlement. `None`: it has gone too far for that.
    #[must_use]
    pub fn called_off(&self, reason: CancelReason, stamp: Stamp) -> Option<Self> {
        let may_cancel = self.status.allowed().contains(&Status::Canceled);
        may_cancel.then(|| self.cancel(Reason::parse(reason.as_str()).ok(), stamp))
    }

    /// The order that holds nothing any more.
    #[must_use]
    pub fn released(&self, stamp: Stamp) -> Self {
        let changes = inventory_change(self.inventory, Inventory::Released);
        let (mut superseded, at) = (self.settlement.superseded.clone(), stamp.at);
        superseded.push(self.reservation().id);
        self.next(stamp, vec![EventKind::InventoryReleased], changes, |order| {
            order.inventory = Inventory::Released;
            order.settlement = Settlement::released(superseded, at);
        })
    }

    /// Notes that the hold is kept for good and what is superseded was released: another revision, but no version.
    #[must_use]
    pub fn settled(&self, at: Timestamp) -> Self {
        self.noted(|order| {
            order.settlement = Settlement::released(std::mem::take(&mut order.settlement.superseded), at)
        })
    }

    /// Notes that nothing is owed any more: another revision, but no version.
    #[must_use]
    pub fn released_again(&self) -> Self {
        self.noted(|order| order.settlement = Settlement::default())
    }

    /// Notes that settlement is tried again at this time: another revision, but no version.
    #[must_use]
    pub fn postponed(&self, until: Timestamp) -> Self {
        self.noted(|order| order.settlement.due = Some(until))
    }

    fn noted(&self, note: impl FnOnce(&mut OrderData)) -> Self {
        let mut data = self.0.clone();
        note(&mut data);
        data.revision = self.revision + 1;
        Self(data)
    }
}
