//! Do what orders still need after their commit: complete, confirm, release, erase.

use std::collections::HashMap;
use std::time::Duration;

use futures_util::future::{join, join_all};
use futures_util::{StreamExt, stream};

use crate::history::Stamp;
use crate::line::Lines;
use crate::order::{CancelReason, Contact, Due, Order};
use crate::ports::{
    Condition, ConfirmError, CustomerService, InventoryService, OrderStore, Outage, StoreError, Unavailable,
    UpdateError,
};
use crate::reservation::ReservationId;
use crate::status::Inventory;
use crate::trace;
use crate::use_cases::LinesError;
use crate::use_cases::lines::reserve_in_place_of;

/// So many orders of one batch are worked on at a time: each may begin with a connection of its own.
const AT_ONCE: usize = 20;

/// The use case and the ports it needs.
#[derive(Debug, Clone)]
pub struct FollowUps<S, C, I> {
    /// Where orders are kept.
    pub store: S,
    /// The customer service.
    pub customers: C,
    /// The inventory service.
    pub inventory: I,
    /// How long an order may stay pending before it is canceled.
    pub pending_timeout: Duration,
}

/// How far an order's follow-ups got.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Nothing is due any more.
    Done,
    /// The order is not as it was read: somebody else is at work on it, or wrote what this release cannot write.
    Overtaken,
    /// Something failed and is retried later.
    Postponed,
    /// What is due only a newer release can do.
    NeedsNewerRelease,
}

/// A partner's answer for the order, or why the order cannot go on.
type Verdict<T> = Result<Result<T, CancelReason>, Unavailable>;

impl<S: OrderStore, C: CustomerService, I: InventoryService> FollowUps<S, C, I> {
    /// Tries at once what has just been committed, given as the table's stream tells it, orders side by side. An order
    /// that fails keeps its follow-ups, which the sweep retries. What was committed is due, also by a clock that is slow.
    pub async fn run_committed(&self, committed: Vec<Order>, stamp: &Stamp) -> Vec<Result<Outcome, StoreError>> {
        let newest: HashMap<_, _> = committed.into_iter().map(|order| (order.id, order)).collect();
        let run = async |order: Order| {
            let stamp = Stamp { at: stamp.at.max(order.updated_at), ..stamp.clone() };
            self.run(order, &stamp).await
        };
        stream::iter(newest.into_values()).map(run).buffer_unordered(AT_ONCE).collect().await
    }

    /// Does all that is due for the order, as part of the trace of its last change. Every call of a partner may be
    /// repeated, and every commit is conditional, so a crash at any point, a second run and an order that was read long ago
    /// are harmless.
    ///
    /// # Errors
    /// [`StoreError`]; what was done so far stays done, and its follow-up stays due.
    pub async fn run(&self, order: Order, stamp: &Stamp) -> Result<Outcome, StoreError> {
        let stamp = stamp.continuing(order.trace());
        trace::within(stamp.trace, self.run_in_trace(order, &stamp)).await
    }

    async fn run_in_trace(&self, mut order: Order, stamp: &Stamp) -> Result<Outcome, StoreError> {
        while let Some(due) = order.due(stamp.at) {
            let next = match due {
                Due::Complete => self.complete(&order, stamp).await,
                Due::Reservations { confirm, release } => {
                    match self.reservations(&order, confirm, &release, stamp).await {
                        None if order.is_complete_due(stamp.at) => self.complete(&order, stamp).await,
                        next => next,
                    }
                }
                Due::Erase => Some(order.erased()),
            };
            let Some(next) = next else { return Ok(Outcome::Postponed) };
            match self.store.update(&order, &next, Condition::VersionAndFollowUps).await {
                Ok(()) => order = next,
                // Whoever came first has either done the same, or made a version that the stream tells of.
                Err(UpdateError::Conflict) => return Ok(Outcome::Overtaken),
                Err(UpdateError::Store(error)) => return Err(error),
            }
        }
        let has_failed = order.follow_ups.iter().any(|follow_up| follow_up.attempts > 0);
        Ok(match order.needs_newer_release(stamp.at) {
            true => Outcome::NeedsNewerRelease,
            false if has_failed => Outcome::Postponed,
            false => Outcome::Done,
        })
    }

    /// Asks the partners what is still unknown. Stock is reserved also while the customer service is down. `None`: nothing
    /// was tried, because a circuit is open; nothing is noted, and the order stays due.
    async fn complete(&self, order: &Order, stamp: &Stamp) -> Option<Order> {
        let (contact, lines) = join(self.contact(order), self.lines(order)).await;
        let stamp = stamp.clone();
        Some(match (contact, lines) {
            (Ok(Err(reason)), _) | (_, Ok(Err(reason))) => order.canceled(reason, stamp),
            (Ok(Ok(contact)), Ok(Ok(lines))) => order.completed(contact, lines, stamp),
            (Err(_), _) | (_, Err(_)) if order.is_pending_for_too_long(stamp.at, self.pending_timeout) => {
                order.canceled(CancelReason::PartnerUnavailable, stamp)
            }
            (Err(_), Ok(Ok(lines))) if order.inventory != Inventory::Reserved => order.reserved(lines, stamp),
            (Err(error), Ok(_)) | (Ok(_), Err(error)) if error.outage == Outage::CircuitOpen => return None,
            (Err(one), Err(other)) if [one.outage, other.outage] == [Outage::CircuitOpen; 2] => return None,
            (Err(_), _) | (_, Err(_)) => order.still_pending(stamp.at),
        })
    }

    async fn contact(&self, order: &Order) -> Verdict<Contact> {
        if let Some(contact) = &order.customer.contact {
            return Ok(Ok(contact.clone()));
        }
        Ok(self.customers.find(&order.tenant, &order.customer.id).await?.ok_or(CancelReason::UnknownCustomer))
    }

    /// The lines, reserved, with the prices that the order was given, or today's where it has none.
    async fn lines(&self, order: &Order) -> Verdict<Lines> {
        if order.inventory == Inventory::Reserved {
            return Ok(Ok(order.lines.clone()));
        }
        let lines = match order.lines.total() {
            Some(_) => order.lines.clone(),
            None => {
                let requested = order.lines.requested();
                let products = self.inventory.products(&order.tenant, &requested.products()).await?;
                match Lines::priced(&requested, &products) {
                    Ok(lines) => lines.numbered_after(&order.lines),
                    Err(error) => return Ok(Err(LinesError::Pricing(error).into())),
                }
            }
        };
        Ok(self.reserve(order).await?.map(|()| lines))
    }

    async fn reserve(&self, order: &Order) -> Verdict<()> {
        match reserve_in_place_of(&self.inventory, order.reservation(), order.unreleased()).await {
            Ok(()) => Ok(Ok(())),
            Err(error) => Ok(Err(LinesError::from_reserve(error)?.into())),
        }
    }

    /// Confirms the order's reservation, then releases those that it no longer wants, side by side. `None` as in
    /// [`Self::complete`].
    async fn reservations(
        &self,
        order: &Order,
        confirm: bool,
        release: &[ReservationId],
        stamp: &Stamp,
    ) -> Option<Order> {
        if confirm {
            match self.confirm(order).await {
                Ok(Ok(())) => {}
                Ok(Err(reason)) => return Some(order.canceled(reason, stamp.clone())),
                Err(Unavailable { outage: Outage::CircuitOpen, .. }) => return None,
                Err(Unavailable { outage: Outage::NoAnswer, .. }) => {
                    return Some(order.followed_up(false, &[], stamp.clone()));
                }
            }
        }
        let answers = join_all(release.iter().map(|id| self.inventory.release(&order.tenant, *id))).await;
        let is_not_called =
            |answer: &Result<(), Unavailable>| answer.as_ref().is_err_and(|error| error.outage == Outage::CircuitOpen);
        if !confirm && answers.iter().all(is_not_called) {
            return None;
        }
        let released: Vec<_> =
            release.iter().zip(answers).filter(|(_, done)| done.is_ok()).map(|(id, _)| *id).collect();
        Some(order.followed_up(confirm, &released, stamp.clone()))
    }

    /// Makes the reservation permanent. One that expired is made anew; when that fails, the order cannot go on.
    async fn confirm(&self, order: &Order) -> Verdict<()> {
        match self.inventory.confirm(&order.tenant, order.reservation).await {
            Err(ConfirmError::NotReserved) => {}
            Ok(()) => return Ok(Ok(())),
            Err(ConfirmError::Unavailable(error)) => return Err(error),
        }
        if let Err(reason) = self.reserve(order).await? {
            return Ok(Err(reason));
        }
        match self.inventory.confirm(&order.tenant, order.reservation).await {
            Ok(()) => Ok(Ok(())),
            Err(ConfirmError::Unavailable(error)) => Err(error),
            // It contradicts itself, which says nothing of the order.
            Err(ConfirmError::NotReserved) => {
                let detail = "a new reservation expired at once".to_owned();
                Err(Unavailable { service: "inventory service", outage: Outage::NoAnswer, detail })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::Arc;

    use super::*;
    use crate::details::Edit;
    use crate::history::Change;
    use crate::memory::{CountingIds, MemoryCustomers, MemoryInventory, MemoryStore, sample};
    use crate::order::FollowUpKind;
    use crate::ports::Ids;
    use crate::status::Status;
    use crate::timestamp::Timestamp;
    use crate::use_cases::{EditOrder, IfMatch, OrderRequest, PlaceOrder, Target, change_order};

    const PENDING_TIMEOUT: Duration = Duration::from_secs(24 * 3_600);

    /// The whole service on one set of ports.
    struct World {
        store: Arc<MemoryStore>,
        inventory: Arc<MemoryInventory>,
        customers: MemoryCustomers,
    }

    impl World {
        fn new() -> Self {
            Self { store: Arc::default(), inventory: Arc::new(sample::inventory()), customers: sample::customers() }
        }

        fn customers_are_known(&mut self, are_known: bool) {
            self.customers = if are_known { sample::customers() } else { MemoryCustomers { known: None } };
        }

        async fn place(&self) -> Order {
            self.place_as(1).await
        }

        async fn place_again(&self) -> Order {
            let placed = u64::try_from(self.store.len()).unwrap();
            self.place_as(placed + 1).await
        }

        /// The order with this number.
        async fn place_as(&self, n: u64) -> Order {
            let ids = CountingIds::default();
            for _ in 1..n {
                let _ = ids.order_id();
            }
            let place = PlaceOrder {
                store: self.store.clone(),
                customers: self.customers.clone(),
                inventory: self.inventory.clone(),
                ids,
                home_region: "eu-central-1".to_owned(),
            };
            let (caller, draft, stamp) = (sample::caller(), sample::draft(), sample::stamp(1));
            place.run(OrderRequest { caller, key: None, draft, stamp }).await.unwrap().order
        }

        async fn follow_up(&self, order: &Order) -> Order {
            self.follow_up_at(order, sample::stamp(50).at).await
        }

        async fn follow_up_at(&self, order: &Order, at: Timestamp) -> Order {
            self.run(self.read(order).await, at).await.unwrap();
            self.read(order).await
        }

        async fn run(&self, order: Order, at: Timestamp) -> Result<Outcome, StoreError> {
            let follow_ups = FollowUps {
                store: self.store.clone(),
                customers: self.customers.clone(),
                inventory: self.inventory.clone(),
                pending_timeout: PENDING_TIMEOUT,
            };
            follow_ups.run(order, &Stamp { at, ..sample::stamp(50) }).await
        }

        async fn read(&self, order: &Order) -> Order {
            self.store.get(&order.tenant, order.id).await.unwrap().unwrap()
        }

        async fn change(&self, order: &Order, change: impl Fn(&Order) -> Option<Order> + Sync) -> Order {
            change_order(&*self.store, &target(order), &|order: &Order| Ok(change(order))).await.unwrap()
        }

        async fn cancel(&self, order: &Order) -> Order {
            self.change(order, |order| order.transition(Status::Canceled, None, sample::stamp(40)).unwrap()).await
        }

        fn free(&self) -> [u32; 3] {
            [1, 2, 3].map(|n| self.inventory.available(&sample::product(n).id))
        }
    }

    fn target(order: &Order) -> Target {
        Target { caller: sample::caller(), id: order.id, if_match: IfMatch::Any, stamp: sample::stamp(40) }
    }

    fn reason(order: &Order) -> Option<String> {
        order.history.iter().flat_map(|entry| &entry.changes).find_map(|change| match change {
            Change::Status { reason, .. } => reason.as_ref().map(|reason| reason.as_str().to_owned()),
            _ => None,
        })
    }

    /// A customer service that notes the trace of every call.
    #[derive(Default)]
    struct Traced(std::sync::Mutex<Vec<Option<trace::TraceParent>>>);

    impl CustomerService for Traced {
        async fn find(
            &self,
            tenant: &crate::id::TenantId,
            id: &crate::id::CustomerId,
        ) -> Result<Option<Contact>, Unavailable> {
            self.0.lock().unwrap().push(trace::current());
            sample::customers().find(tenant, id).await
        }
    }

    #[tokio::test]
    async fn calls_and_commits_of_a_follow_up_are_part_of_the_trace_of_the_order() {
        let (store, order) = (MemoryStore::default(), sample::bare_order());
        store.insert(&order).await.unwrap();
        let (customers, inventory) = (Traced::default(), sample::inventory());
        let follow_ups = FollowUps { store, customers, inventory, pending_timeout: PENDING_TIMEOUT };
        let own = trace::TraceParent::new(99, 99, false);
        follow_ups.run(order.clone(), &Stamp { trace: own, ..sample::stamp(50) }).await.unwrap();
        let continued = order.trace().unwrap().continued_by(own.unwrap());
        assert_eq!(*follow_ups.customers.0.lock().unwrap(), [Some(continued)]);
        let order = follow_ups.store.get(&order.tenant, order.id).await.unwrap().unwrap();
        assert_eq!((order.version, order.trace()), (2, Some(continued)));
        assert_eq!(continued.trace_id(), sample::trace(2).unwrap().trace_id());
    }

    #[tokio::test]
    async fn a_reservation_is_made_permanent_without_a_new_version() {
        let world = World::new();
        let order = world.follow_up(&world.place().await).await;
        assert_eq!((order.version, order.follow_ups.len()), (1, 0));
        world.inventory.expire();
        assert_eq!(world.free(), [98, 99, 100]);
    }

    #[tokio::test]
    async fn a_pending_order_is_completed_when_its_partners_are_back() {
        let mut world = World::new();
        world.inventory.set_down(true);
        world.customers_are_known(false);
        let order = world.place().await;
        assert_eq!(order.status, Status::Pending);
        let at = sample::stamp(50).at;
        assert_eq!(world.run(order.clone(), at).await, Ok(Outcome::Postponed));
        let waiting = world.read(&order).await;
        let [follow_up] = &waiting.follow_ups[..] else { panic!("{waiting:?}") };
        assert_eq!((waiting.version, follow_up.kind, follow_up.attempts), (1, FollowUpKind::Complete, 1));
        assert!(follow_up.at > at && waiting.due(at).is_none(), "not before its time");
        world.inventory.set_down(false);
        world.customers_are_known(true);
        let order = world.follow_up_at(&order, follow_up.at).await;
        assert_eq!((order.status, order.inventory), (Status::Confirmed, Inventory::Reserved));
        assert_eq!((order.lines.total().unwrap().amount(), order.follow_ups.len()), (397, 0));
        assert_eq!((world.free(), world.inventory.confirmed()), ([98, 99, 100], 1));
    }

    #[tokio::test]
    async fn a_reservation_is_permanent_as_soon_as_it_is_made_also_while_the_customer_service_is_down() {
        let mut world = World::new();
        world.customers_are_known(false);
        let placed = world.place().await;
        assert_eq!((placed.status, placed.inventory), (Status::Pending, Inventory::Reserved));
        world.follow_up(&placed).await;
        assert_eq!(world.inventory.confirmed(), 1);
        let world = {
            let mut world = World::new();
            world.customers_are_known(false);
            world
        };
        world.inventory.set_down(true);
        let placed = world.place().await;
        world.inventory.set_down(false);
        let order = world.follow_up(&placed).await;
        assert_eq!((order.status, order.inventory), (Status::Pending, Inventory::Reserved));
        assert_eq!((order.version, world.inventory.confirmed()), (2, 1));
    }

    #[tokio::test]
    async fn nothing_is_noted_while_the_circuit_is_open() {
        let world = World::new();
        let reserved = world.place().await;
        world.inventory.open_circuit();
        let pending = world.place_again().await;
        let canceled = world.cancel(&pending).await;
        let at = sample::stamp(50).at;
        for order in [reserved, canceled, world.place_again().await] {
            assert!(order.due(at).is_some());
            assert_eq!(world.run(order.clone(), at).await, Ok(Outcome::Postponed));
            assert_eq!(world.read(&order).await, order, "nothing is written");
        }
    }

    #[tokio::test]
    async fn a_pending_order_that_cannot_be_completed_in_a_day_is_canceled_also_while_the_circuit_is_open() {
        let mut world = World::new();
        world.customers_are_known(false);
        let reserved = world.place().await;
        world.inventory.open_circuit();
        for order in [reserved, world.place_again().await] {
            assert_eq!(order.status, Status::Pending);
            let order = world.follow_up_at(&order, order.created_at.plus(PENDING_TIMEOUT)).await;
            assert_eq!((order.status, reason(&order).as_deref()), (Status::Canceled, Some("partner_unavailable")));
        }
    }

    #[tokio::test]
    async fn a_pending_order_that_cannot_be_completed_in_a_day_is_canceled() {
        let world = World::new();
        world.inventory.set_down(true);
        let order = world.place().await;
        let a_day_later = order.created_at.plus(PENDING_TIMEOUT);
        let order = world.follow_up_at(&order, a_day_later).await;
        assert_eq!((order.status, reason(&order).as_deref()), (Status::Canceled, Some("partner_unavailable")));
        world.inventory.set_down(false);
        let order = world.follow_up_at(&order, a_day_later.plus(Duration::from_secs(60))).await;
        assert_eq!((order.inventory, order.follow_ups.len()), (Inventory::Released, 0));
    }

    #[tokio::test]
    async fn a_pending_order_that_no_partner_accepts_is_canceled_with_a_reason() {
        let world = World::new();
        world.inventory.set_down(true);
        let sold_out = world.place().await;
        world.inventory.set_down(false);
        world.inventory.stock(sample::product(1), 1);
        let order = world.follow_up(&sold_out).await;
        assert_eq!((order.status, order.inventory), (Status::Canceled, Inventory::Released));
        assert_eq!((reason(&order).as_deref(), world.free()), (Some("out_of_stock"), [1, 100, 100]));

        let mut world = World::new();
        world.customers_are_known(false);
        let stranger = world.place().await;
        world.customers.known = Some(BTreeMap::new());
        let order = world.follow_up(&stranger).await;
        assert_eq!((reason(&order).as_deref(), world.free()), (Some("unknown_customer"), [100, 100, 100]));

        let world = World::new();
        world.inventory.set_down(true);
        let refused = world.place().await;
        world.inventory.set_down(false);
        world.inventory.release(&refused.tenant, refused.reservation).await.unwrap();
        let order = world.follow_up(&refused).await;
        assert_eq!((order.status, reason(&order).as_deref()), (Status::Canceled, Some("reservation_refused")));
    }

    #[tokio::test]
    async fn a_canceled_order_is_released_once_and_nobody_late_reserves_it_again() {
        let world = World::new();
        let placed = world.place().await;
        world.cancel(&placed).await;
        let order = world.follow_up(&placed).await;
        assert_eq!((order.inventory, order.follow_ups.len()), (Inventory::Released, 0));
        // Someone who read the order before it was canceled still wants to confirm it.
        assert_eq!(world.run(placed, sample::stamp(60).at).await, Ok(Outcome::Overtaken));
        assert_eq!((world.free(), world.read(&order).await.version), ([100, 100, 100], order.version));
    }

    #[tokio::test]
    async fn a_reservation_that_expired_is_made_anew_or_cancels_the_order() {
        let world = World::new();
        let order = world.place().await;
        world.inventory.expire();
        let order = world.follow_up(&order).await;
        assert_eq!((order.status, order.follow_ups.len(), world.free()), (Status::Confirmed, 0, [98, 99, 100]));

        let world = World::new();
        let order = world.place().await;
        world.inventory.expire();
        world.inventory.stock(sample::product(1), 0);
        let order = world.follow_up(&order).await;
        assert_eq!((order.status, reason(&order).as_deref()), (Status::Canceled, Some("out_of_stock")));
        assert_eq!(world.free(), [0, 100, 100]);
    }

    #[tokio::test]
    async fn replaced_lines_are_released_once_the_new_ones_are_permanent() {
        let world = World::new();
        let order = world.follow_up(&world.place().await).await;
        let edit = EditOrder { store: world.store.clone(), inventory: world.inventory.clone() };
        let edited = edit.run(&target(&order), &Edit::default(), Some(&sample::lines(&[(3, 4)]))).await.unwrap();
        world.inventory.set_down(true);
        assert_eq!(world.run(edited.clone(), sample::stamp(50).at).await, Ok(Outcome::Postponed));
        world.inventory.set_down(false);
        assert_eq!(world.free(), [98, 99, 96]);
        let order = world.follow_up_at(&edited, sample::stamp(900).at).await;
        assert_eq!((order.version, order.follow_ups.len(), world.inventory.confirmed()), (2, 0, 1));
        assert_eq!(world.free(), [100, 100, 96]);
    }

    #[tokio::test]
    async fn the_units_of_replaced_lines_count_until_they_are_released() {
        let world = World::new();
        world.inventory.stock(sample::product(1), 2);
        let order = world.follow_up(&world.place().await).await;
        let edit = EditOrder { store: world.store.clone(), inventory: world.inventory.clone() };
        let edited = edit.run(&target(&order), &Edit::default(), Some(&sample::lines(&[(1, 1)]))).await.unwrap();
        world.inventory.expire();
        let order = world.follow_up(&edited).await;
        assert_eq!((order.status, world.free()), (Status::Confirmed, [1, 100, 100]));
    }

    /// The order with a sold-out product, whose lines are edited twice; the new reservations expire in an outage.
    async fn edited_twice_before_an_outage(world: &World) -> Order {
        world.inventory.stock(sample::product(1), 2);
        let order = world.follow_up(&world.place().await).await;
        let edit = EditOrder { store: world.store.clone(), inventory: world.inventory.clone() };
        for (request, quantity) in [(40, 1), (41, 2)] {
            let target = Target { stamp: sample::stamp(request), ..target(&order) };
            edit.run(&target, &Edit::default(), Some(&sample::lines(&[(1, quantity)]))).await.unwrap();
        }
        world.inventory.set_down(true);
        let order = world.follow_up(&order).await;
        world.inventory.expire();
        order
    }

    #[tokio::test]
    async fn an_order_keeps_its_stock_through_two_edits_and_an_outage() {
        let world = World::new();
        let order = edited_twice_before_an_outage(&world).await;
        world.inventory.set_down(false);
        let order = world.follow_up_at(&order, sample::stamp(900).at).await;
        assert_eq!((order.status, order.follow_ups.len(), world.free()), (Status::Confirmed, 0, [0, 100, 100]));
    }

    #[tokio::test]
    async fn lines_can_be_edited_again_after_an_outage_while_old_stock_is_still_reserved() {
        let world = World::new();
        let order = edited_twice_before_an_outage(&world).await;
        world.inventory.set_down(false);
        let edit = EditOrder { store: world.store.clone(), inventory: world.inventory.clone() };
        let again = Target { stamp: sample::stamp(60), ..target(&order) };
        let outcome = edit.run(&again, &Edit::default(), Some(&sample::lines(&[(1, 2), (3, 1)]))).await;
        assert!(outcome.is_ok(), "{outcome:?}");
    }

    #[tokio::test]
    async fn a_deleted_order_is_erased_when_its_time_has_come() {
        let world = World::new();
        let retention = Duration::from_secs(3_600);
        let placed = world.place().await;
        world.change(&placed, |order| order.delete(retention, sample::stamp(40)).ok()).await;
        world.inventory.set_down(true);
        let late = sample::stamp(40).at.plus(retention);
        let order = world.follow_up_at(&placed, late).await;
        assert_eq!((order.customer.contact.is_some(), order.follow_ups.len()), (false, 1), "its stock is released yet");
        world.inventory.set_down(false);
        let order = world.follow_up_at(&order, late.plus(Duration::from_secs(300))).await;
        assert_eq!((order.inventory, order.follow_ups.len()), (Inventory::Released, 0));
        assert_eq!((order.fingerprint, order.is_erased(), world.free()), (placed.fingerprint, true, [100, 100, 100]));
    }

    #[tokio::test]
    async fn following_up_twice_changes_nothing() {
        let world = World::new();
        let order = world.place().await;
        let once = world.follow_up(&order).await;
        assert_eq!(world.follow_up(&order).await, once);
        assert_eq!(world.run(order.clone(), sample::stamp(51).at).await, Ok(Outcome::Overtaken));
        assert_eq!(world.read(&order).await, once);
    }

    #[tokio::test]
    async fn what_was_just_committed_is_due_also_by_a_slow_clock() {
        let world = World::new();
        let order = world.place().await;
        let follow_ups = FollowUps {
            store: world.store.clone(),
            customers: world.customers.clone(),
            inventory: world.inventory.clone(),
            pending_timeout: PENDING_TIMEOUT,
        };
        let slow = Stamp { at: order.created_at.minus(Duration::from_secs(2)), ..sample::stamp(50) };
        assert_eq!(follow_ups.run_committed(vec![order.clone(), order], &slow).await, [Ok(Outcome::Done)]);
        assert_eq!(world.inventory.confirmed(), 1);
    }
}
