//! What an order still needs after a commit: data on the order itself, so that nothing that dies can lose it.

use std::sync::Arc;
use std::time::Duration;

use crate::details::{Details, Field};
use crate::history::{Change, EventKind, Stamp};
use crate::line::Lines;
use crate::order::change::inventory_change;
use crate::order::{Contact, Customer, Order, OrderData};
use crate::reservation::ReservationId;
use crate::status::{Inventory, Status};
use crate::text::Reason;
use crate::timestamp::Timestamp;
use crate::unrecognized::Unrecognized;

/// What was just committed is left to the stream for so long, which tries it at once; then the sweep takes it up.
pub const HEAD_START: Duration = Duration::from_secs(30);

/// The longest pause between two attempts, which a partner that is back may still have to wait for.
const LONGEST_PAUSE: Duration = Duration::from_secs(240);

/// The longest pause of what waits to be confirmed: its stock may expire, and a client may wait to ship it.
const LONGEST_PAUSE_TO_CONFIRM: Duration = Duration::from_secs(60);

/// The pause of what has been due for [`A_DAY`]: it is not going to work within minutes.
const PATIENT_PAUSE: Duration = Duration::from_secs(3_600);

const A_DAY: Duration = Duration::from_secs(24 * 3_600);

/// Something that an order still needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FollowUp {
    /// What is to be done.
    pub kind: FollowUpKind,
    /// When it is due.
    pub at: Timestamp,
    /// When it was due first.
    pub since: Timestamp,
    /// How often it was tried in vain.
    pub attempts: u32,
    /// The stored form that it was read from, where this release would write another: the store keeps what a newer
    /// release added.
    pub as_read: Option<Arc<str>>,
}

/// What is to be done for an order. Each kind may be done twice: whoever does it may die before it is noted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FollowUpKind {
    /// Ask the partners that could not be asked, so that the pending order is confirmed or canceled.
    Complete,
    /// Make the reservation permanent.
    Confirm,
    /// Release a reservation that the order no longer wants.
    Release(ReservationId),
    /// Turn the deleted order into its tombstone.
    Erase,
    /// A follow-up of a newer release, which does it.
    Unrecognized {
        /// The name of its kind.
        name: Unrecognized,
        /// The reservation that it is about, if it is about one.
        reservation: Option<ReservationId>,
    },
}

/// What is due for an order, in the order in which it is done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Due {
    /// [`FollowUpKind::Complete`].
    Complete,
    /// [`FollowUpKind::Confirm`], then every [`FollowUpKind::Release`]: a reservation that is replaced is given up once the
    /// new one is permanent, and not before, because it may hold the units that the new one lost when it expired.
    Reservations {
        /// Whether the order's own is to be confirmed.
        confirm: bool,
        /// Those to release.
        release: Vec<ReservationId>,
    },
    /// [`FollowUpKind::Erase`]
    Erase,
}

/// Why a follow-up cancels an order; [`CancelReason::as_str`] is the reason in the order's history.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CancelReason {
    /// The customer service does not know the customer.
    UnknownCustomer,
    /// The inventory service does not know a product.
    UnknownProduct,
    /// The prices cannot be summed.
    InvalidTotal,
    /// The lines can no longer be reserved.
    OutOfStock,
    /// The inventory service does not accept the reservation.
    ReservationRefused,
    /// A partner could not be asked for longer than an order may stay pending.
    PartnerUnavailable,
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
            Self::ReservationRefused => "reservation_refused",
            Self::PartnerUnavailable => "partner_unavailable",
        }
    }
}

impl FollowUp {
    pub(super) const fn new(kind: FollowUpKind, at: Timestamp) -> Self {
        Self { kind, at, since: at, attempts: 0, as_read: None }
    }

    /// Retried after a pause that doubles from 15 s to the longest of its kind, shortened by up to half as `spread`, which
    /// differs from order to order, has it: what failed at one time is not retried at one time.
    fn postponed(self, now: Timestamp, spread: u64) -> Self {
        let attempts = self.attempts + 1;
        let doubled = Duration::from_secs(15).saturating_mul(1 << self.attempts.min(10));
        let longest = match self.kind {
            FollowUpKind::Confirm => doubled.min(LONGEST_PAUSE_TO_CONFIRM),
            _ if now >= self.since.plus(A_DAY) => PATIENT_PAUSE,
            _ => doubled.min(LONGEST_PAUSE),
        };
        let percent = 50 + u32::try_from((spread ^ u64::from(attempts).wrapping_mul(37)) % 51).unwrap_or_default();
        Self { at: now.plus(longest * percent / 100), attempts, ..self }
    }
}

impl OrderData {
    /// The order no longer needs a reservation of its own: what it may have is to be released.
    pub(super) fn give_up_reservation(&mut self, at: Timestamp) {
        self.forget(|kind| matches!(kind, FollowUpKind::Complete | FollowUpKind::Confirm));
        let had = self.inventory;
        self.inventory = had.given_up();
        if had != self.inventory {
            self.follow_ups.push(FollowUp::new(FollowUpKind::Release(self.reservation), at));
        }
    }

    /// The order has these lines now, and another reservation for them.
    pub(super) fn replace_reservation(&mut self, new: ReservationId, at: Timestamp) {
        self.forget(|kind| matches!(kind, FollowUpKind::Confirm));
        self.follow_ups.push(FollowUp::new(FollowUpKind::Release(self.reservation), at));
        self.reservation = new;
        if self.inventory == Inventory::Reserved {
            self.follow_ups.push(FollowUp::new(FollowUpKind::Confirm, at));
        }
    }

    fn forget(&mut self, is_done: impl Fn(FollowUpKind) -> bool) {
        self.follow_ups.retain(|follow_up| !is_done(follow_up.kind));
    }
}

impl Order {
    /// What has to be done next for this order; `None`: nothing yet.
    #[must_use]
    pub fn due(&self, now: Timestamp) -> Option<Due> {
        let due = || self.follow_ups.iter().filter(|follow_up| follow_up.at <= now).map(|follow_up| follow_up.kind);
        let confirm = due().any(|kind| kind == FollowUpKind::Confirm);
        // Stock that is held does not wait until the customer service has answered.
        let is_first = confirm && self.inventory == Inventory::Reserved;
        if !is_first && self.is_complete_due(now) {
            return Some(Due::Complete);
        }
        let may_release = confirm || !self.waits_for_reservation();
        let release: Vec<_> = due().filter_map(FollowUpKind::released).filter(|_| may_release).collect();
        if confirm || !release.is_empty() {
            return Some(Due::Reservations { confirm, release });
        }
        due().any(|kind| kind == FollowUpKind::Erase).then_some(Due::Erase)
    }

    /// Whether [`FollowUpKind::Complete`] is due, maybe after something else.
    #[must_use]
    pub fn is_complete_due(&self, now: Timestamp) -> bool {
        self.follow_ups.iter().any(|follow_up| follow_up.at <= now && follow_up.kind == FollowUpKind::Complete)
    }

    /// Whether something is due that only a newer release can do.
    #[must_use]
    pub fn needs_newer_release(&self, now: Timestamp) -> bool {
        let is_newer = |follow_up: &FollowUp| matches!(follow_up.kind, FollowUpKind::Unrecognized { .. });
        self.follow_ups.iter().any(|follow_up| follow_up.at <= now && is_newer(follow_up))
    }

    /// When the sweep takes the order up; `None`: it needs nothing.
    #[must_use]
    pub fn swept_at(&self) -> Option<Timestamp> {
        let swept_at = |follow_up: &FollowUp| match follow_up.attempts {
            0 => follow_up.at.plus(HEAD_START),
            _ => follow_up.at,
        };
        let may_release = !self.waits_for_reservation();
        let is_meant = |follow_up: &&FollowUp| may_release || follow_up.kind.released().is_none();
        self.follow_ups.iter().filter(is_meant).map(swept_at).min()
    }

    /// Since when the longest waiting of the follow-ups that are due has been due.
    #[must_use]
    pub fn waits_since(&self, now: Timestamp) -> Option<Timestamp> {
        self.follow_ups.iter().filter(|follow_up| follow_up.at <= now).map(|follow_up| follow_up.since).min()
    }

    /// Whether the order has been pending for so long that it is canceled when a partner cannot be asked.
    ///
    /// Only a pending order has such a limit. One that is confirmed was promised: that its reservation could not be made
    /// permanent for any time, because the inventory service was down or contradicts itself, is retried, and the order is
    /// canceled only once the service says that the lines cannot be had.
    #[must_use]
    pub fn is_pending_for_too_long(&self, now: Timestamp, limit: Duration) -> bool {
        let complete = self.follow_ups.iter().find(|follow_up| follow_up.kind == FollowUpKind::Complete);
        complete.is_some_and(|complete| now >= complete.since.plus(limit))
    }

    /// The reservations that the order no longer wants and may still have, the newest first.
    pub fn unreleased(&self) -> impl Iterator<Item = ReservationId> {
        self.follow_ups.iter().rev().filter_map(|follow_up| follow_up.kind.released())
    }

    /// Whether the present lines have no permanent reservation yet.
    fn waits_for_reservation(&self) -> bool {
        let is_unconfirmed = self.inventory == Inventory::Unconfirmed;
        let is_waited_for = |kind| kind == FollowUpKind::Confirm || (is_unconfirmed && kind == FollowUpKind::Complete);
        self.follow_ups.iter().any(|follow_up| is_waited_for(follow_up.kind))
    }

    /// Whether the reservation of the present lines is permanent.
    #[must_use]
    pub fn is_reservation_confirmed(&self) -> bool {
        let is_waiting = |kind| matches!(kind, FollowUpKind::Complete | FollowUpKind::Confirm);
        self.inventory == Inventory::Reserved && !self.follow_ups.iter().any(|follow_up| is_waiting(follow_up.kind))
    }

    /// The pending order, confirmed: its lines are reserved, its customer is known.
    #[must_use]
    pub fn completed(&self, contact: Contact, lines: Lines, stamp: Stamp) -> Self {
        let (mut events, mut changes) = self.reserving(&lines);
        if self.customer.contact.is_none() {
            changes.push(Change::Replaced(Field::Customer));
        }
        changes.push(Change::Status { from: self.status, to: Status::Confirmed, reason: None });
        events.push(EventKind::OrderConfirmed);
        let at = stamp.at;
        self.next(stamp, events, changes, |order| {
            order.customer.contact = Some(contact);
            order.status = Status::Confirmed;
            order.reserve(lines, at);
            order.forget(|kind| kind == FollowUpKind::Complete);
        })
    }

    /// The pending order with its lines reserved, while its customer is still unknown and is asked for later.
    #[must_use]
    pub fn reserved(&self, lines: Lines, stamp: Stamp) -> Self {
        let (events, changes) = self.reserving(&lines);
        let (at, spread) = (stamp.at, self.spread());
        self.next(stamp, events, changes, |order| {
            order.reserve(lines, at);
            order.postpone(at, spread, |kind| kind == FollowUpKind::Complete);
        })
    }

    fn reserving(&self, lines: &Lines) -> (Vec<EventKind>, Vec<Change>) {
        let mut changes = inventory_change(self.inventory, Inventory::Reserved);
        let events = if changes.is_empty() { Vec::new() } else { vec![EventKind::InventoryReserved] };
        if self.lines.total() != lines.total() {
            changes.push(Change::Total { from: self.lines.total(), to: lines.total() });
        }
        (events, changes)
    }

    /// The order, canceled by a follow-up.
    #[must_use]
    pub fn canceled(&self, reason: CancelReason, stamp: Stamp) -> Self {
        self.cancel(Reason::parse(reason.as_str()).ok(), stamp)
    }

    /// The order once its reservation was confirmed and these were released. What was to be confirmed or released and is
    /// not among them failed, and is retried later.
    ///
    /// No client sees any of it, so it makes no version: except that nothing is reserved any more.
    #[must_use]
    pub fn followed_up(&self, confirmed: bool, released: &[ReservationId], stamp: Stamp) -> Self {
        let (at, spread) = (stamp.at, self.spread());
        let note = |order: &mut OrderData| {
            order.forget(|kind| confirmed && kind == FollowUpKind::Confirm);
            order.forget(|kind| kind.released().is_some_and(|id| released.contains(&id)));
            order.postpone(at, spread, |kind| kind == FollowUpKind::Confirm || kind.released().is_some());
        };
        if self.inventory != Inventory::ReleasePending || !released.contains(&self.reservation) {
            return self.noted(note);
        }
        let changes = inventory_change(self.inventory, Inventory::Released);
        self.next(stamp, vec![EventKind::InventoryReleased], changes, |order| {
            order.inventory = Inventory::Released;
            note(order);
        })
    }

    /// The pending order when a partner could not be asked; it is asked again later.
    #[must_use]
    pub fn still_pending(&self, now: Timestamp) -> Self {
        let spread = self.spread();
        self.noted(|order| order.postpone(now, spread, |kind| kind == FollowUpKind::Complete))
    }

    /// What stays of a deleted order for ever: its key and its fingerprint, so that nobody places it again, what it still
    /// has to release, and nothing that tells of a person.
    #[must_use]
    pub fn erased(&self) -> Self {
        self.noted(|order| {
            order.customer = Customer::erased();
            order.lines = Lines::default();
            order.details = Details::default();
            order.shipping = None;
            order.history = Vec::new();
            order.forget(|kind| kind == FollowUpKind::Erase);
        })
    }

    /// A number that differs from order to order.
    const fn spread(&self) -> u64 {
        self.0.id.as_uuid().as_u64_pair().1
    }

    /// The same version: what no client sees.
    fn noted(&self, note: impl FnOnce(&mut OrderData)) -> Self {
        let mut data = self.0.clone();
        note(&mut data);
        Self(data)
    }
}

impl OrderData {
    fn reserve(&mut self, lines: Lines, at: Timestamp) {
        self.lines = lines;
        if self.inventory != Inventory::Reserved {
            self.inventory = Inventory::Reserved;
            self.follow_ups.push(FollowUp::new(FollowUpKind::Confirm, at));
        }
    }

    fn postpone(&mut self, now: Timestamp, spread: u64, is_meant: impl Fn(FollowUpKind) -> bool) {
        for follow_up in self.follow_ups.iter_mut().filter(|follow_up| follow_up.at <= now && is_meant(follow_up.kind))
        {
            *follow_up = follow_up.clone().postponed(now, spread);
        }
    }
}

impl FollowUpKind {
    /// The reservation to release.
    pub(super) fn released(self) -> Option<ReservationId> {
        match self {
            Self::Release(id) => Some(id),
            Self::Complete | Self::Confirm | Self::Erase | Self::Unrecognized { .. } => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory::sample;

    fn at(n: u32) -> Timestamp {
        sample::stamp(n).at
    }

    fn order(follow_ups: &[FollowUp]) -> Order {
        Order::restore(OrderData { follow_ups: follow_ups.to_vec(), ..(*sample::order()).clone() })
    }

    fn failed(kind: FollowUpKind, n: u32) -> FollowUp {
        FollowUp { attempts: 1, ..FollowUp::new(kind, at(n)) }
    }

    fn old() -> ReservationId {
        ReservationId::of_attempt(sample::order_id(1), "request", 0)
    }

    #[test]
    fn what_was_replaced_is_released_together_with_the_confirmation_and_not_before() {
        let order = order(&[failed(FollowUpKind::Release(old()), 10), failed(FollowUpKind::Confirm, 20)]);
        assert_eq!((order.due(at(15)), order.swept_at()), (None, Some(at(20))));
        assert_eq!(order.due(at(20)), Some(Due::Reservations { confirm: true, release: vec![old()] }));
    }

    #[test]
    fn what_was_replaced_is_kept_while_a_pending_order_waits_for_its_units() {
        let follow_ups = [failed(FollowUpKind::Complete, 20), FollowUp::new(FollowUpKind::Release(old()), at(10))];
        let data = OrderData { follow_ups: follow_ups.to_vec(), ..(*sample::bare_order()).clone() };
        let pending = Order::restore(OrderData { inventory: Inventory::Unconfirmed, ..data.clone() });
        assert_eq!((pending.due(at(15)), pending.swept_at()), (None, Some(at(20))));
        let reserved = Order::restore(OrderData { inventory: Inventory::Reserved, ..data });
        assert_eq!(reserved.due(at(15)), Some(Due::Reservations { confirm: false, release: vec![old()] }));
    }

    #[test]
    fn the_newest_of_the_unreleased_reservations_is_replaced() {
        let newer = ReservationId::of_attempt(sample::order_id(1), "request", 1);
        let order = order(&[old(), newer].map(|id| failed(FollowUpKind::Release(id), 10)));
        assert_eq!(order.unreleased().collect::<Vec<_>>(), [newer, old()]);
        assert_eq!(order.reservation().replaces, Some(newer));
    }

    #[test]
    fn pauses_double_up_to_four_minutes_and_are_an_hour_after_a_day() {
        let mut follow_up = FollowUp::new(FollowUpKind::Complete, at(0));
        let mut pauses = Vec::new();
        for _ in 0..8 {
            let next = follow_up.clone().postponed(follow_up.at, 0);
            pauses.push(next.at.as_millis() - follow_up.at.as_millis());
            follow_up = next;
        }
        let within = |pause: &i64, longest: i64| (longest / 2..=longest).contains(pause);
        let longest = [15_000, 30_000, 60_000, 120_000, 240_000, 240_000, 240_000, 240_000];
        assert!(pauses.iter().zip(longest).all(|(pause, longest)| within(pause, longest)), "{pauses:?}");
        let a_day_later = at(0).plus(A_DAY);
        let pause = follow_up.postponed(a_day_later, 0).at.as_millis() - a_day_later.as_millis();
        assert!(within(&pause, 3_600_000), "{pause}");
    }

    #[test]
    fn what_waits_to_be_confirmed_is_retried_every_minute_at_least() {
        for (since, attempts) in [(at(0), 2), (at(0), 9), (at(0), 2_000)] {
            let now = since.plus(A_DAY * attempts.min(2));
            let waiting = FollowUp { attempts, ..FollowUp::new(FollowUpKind::Confirm, since) };
            let pause = waiting.postponed(now, 0).at.as_millis() - now.as_millis();
            assert!((30_000..=60_000).contains(&pause), "{pause} ms after {attempts} attempts");
        }
    }

    #[test]
    fn stock_that_is_held_is_confirmed_before_the_customer_service_is_asked() {
        let both = [FollowUpKind::Complete, FollowUpKind::Confirm].map(|kind| failed(kind, 10));
        let unconfirmed = OrderData { status: Status::Pending, ..(*order(&both)).clone() };
        let reserved = OrderData { inventory: Inventory::Reserved, ..unconfirmed.clone() };
        let first = Due::Reservations { confirm: true, release: vec![] };
        assert_eq!(Order::restore(reserved).due(at(20)), Some(first));
        let unconfirmed = OrderData { inventory: Inventory::Unconfirmed, ..unconfirmed };
        assert_eq!(Order::restore(unconfirmed).due(at(20)), Some(Due::Complete));
    }
}
