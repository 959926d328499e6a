//! Edit one order; new lines are reserved before they are committed, and the old reservation is released after.

use std::iter;

use crate::details::Edit;
use crate::line::{Lines, RequestedLines};
use crate::order::{NewLines, Order, Refused};
use crate::ports::{InventoryService, OrderStore, ReserveError, Unavailable};
use crate::reservation::{Reservation, ReservationId};
use crate::status::Inventory;
use crate::use_cases::lines::reserve_in_place_of;
use crate::use_cases::{Change, ChangeError, LinesError, Target, change_order};

/// The use case and the ports it needs.
#[derive(Debug, Clone)]
pub struct EditOrder<S, I> {
    /// Where orders are kept.
    pub store: S,
    /// The inventory service.
    pub inventory: I,
}

/// Why an order was not edited.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EditError {
    /// As for any change.
    #[error(transparent)]
    Change(#[from] ChangeError),
    /// The new lines cannot be had.
    #[error(transparent)]
    Lines(#[from] LinesError),
    /// The inventory service could not be asked.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

impl From<Refused> for EditError {
    fn from(refused: Refused) -> Self {
        Self::Change(refused.into())
    }
}

impl<S: OrderStore, I: InventoryService> EditOrder<S, I> {
    /// Replaces the fields given, and the lines when `lines` differ from the order's.
    ///
    /// # Errors
    /// [`EditError`]; see [`change_order()`] for what may have been written. A refused edit has reserved nothing.
    pub async fn run(&self, target: &Target, edit: &Edit, lines: Option<&RequestedLines>) -> Result<Order, EditError> {
        change_order(&self.store, target, &Edited { inventory: &self.inventory, target, edit, lines }).await
    }
}

/// The edit that a client asks for.
struct Edited<'a, I> {
    inventory: &'a I,
    target: &'a Target,
    edit: &'a Edit,
    lines: Option<&'a RequestedLines>,
}

impl<I: InventoryService> Change for Edited<'_, I> {
    type Error = EditError;

    async fn next(&self, order: &Order, attempt: usize) -> Result<Option<Order>, EditError> {
        let new = match self.other_lines(order) {
            None => None,
            Some(lines) => match self.reserve(order, lines, attempt).await {
                // The service could be asked before; the time went into losing to other writers.
                Err(EditError::Unavailable(_)) if attempt > 0 => return Err(ChangeError::Conflict.into()),
                new => Some(new?),
            },
        };
        Ok(order.edit(self.edit, new, self.target.stamp.clone())?)
    }

    async fn undo(&self, order: &Order, attempt: usize) {
        if self.other_lines(order).is_some() {
            self.release(order, attempt).await;
        }
    }
}

impl<I: InventoryService> Edited<'_, I> {
    fn other_lines(&self, order: &Order) -> Option<&RequestedLines> {
        self.lines.filter(|lines| !lines.is_same_as(&order.lines.requested()))
    }

    /// Prices and reserves new lines. While nothing is known to be reserved for the order, that is left to a follow-up.
    async fn reserve(&self, order: &Order, lines: &RequestedLines, attempt: usize) -> Result<NewLines, EditError> {
        order.may_take_lines()?;
        let id = self.reservation(order, attempt);
        if order.inventory == Inventory::Unconfirmed {
            return Ok(NewLines { lines: Lines::unpriced(lines), reservation: id });
        }
        let products = self.inventory.products(&order.tenant, &lines.products()).await?;
        let priced = Lines::priced(lines, &products).map_err(LinesError::Pricing)?;
        let wanted = Reservation { id, lines: lines.clone(), ..order.reservation() };
        let earlier = iter::once(order.reservation).chain(order.unreleased());
        match reserve_in_place_of(self.inventory, wanted, earlier).await {
            Ok(()) => Ok(NewLines { lines: priced, reservation: id }),
            // No answer is no refusal: the lines may be reserved.
            Err(ReserveError::Unavailable(error)) => {
                self.release(order, attempt).await;
                Err(error.into())
            }
            Err(refusal) => Err(LinesError::from_reserve(refusal)?.into()),
        }
    }

    fn reservation(&self, order: &Order, attempt: usize) -> ReservationId {
        ReservationId::of_attempt(order.id, &self.target.stamp.request_id, attempt)
    }

    /// A failure to release is only logged by the port: the reservation was never confirmed, so it expires.
    async fn release(&self, order: &Order, attempt: usize) {
        drop(self.inventory.release(&order.tenant, self.reservation(order, attempt)).await);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::Ordering;

    use std::time::Duration;

    use super::*;
    use crate::memory::{MemoryInventory, MemoryStore, sample};
    use crate::order::FollowUpKind;
    use crate::ports::Condition;
    use crate::status::Status;
    use crate::use_cases::IfMatch;
    use crate::use_cases::{FollowUps, Outcome};

    fn target(n: u32) -> Target {
        Target { caller: sample::caller(), id: sample::order_id(1), if_match: IfMatch::Any, stamp: sample::stamp(n) }
    }

    /// The sample order (two of product 1, one of product 2), stored and reserved.
    async fn service() -> EditOrder<MemoryStore, MemoryInventory> {
        let service = EditOrder { store: MemoryStore::default(), inventory: sample::inventory() };
        let order = sample::order();
        service.store.insert(&order).await.unwrap();
        service.inventory.reserve(&order.reservation()).await.unwrap();
        service
    }

    fn free(service: &EditOrder<MemoryStore, MemoryInventory>) -> [u32; 3] {
        [1, 2, 3].map(|n| service.inventory.available(&sample::product(n).id))
    }

    fn kinds(order: &Order) -> Vec<FollowUpKind> {
        order.follow_ups.iter().map(|follow_up| follow_up.kind).collect()
    }

    #[tokio::test]
    async fn new_lines_are_reserved_and_the_old_ones_are_to_be_released() {
        let service = service().await;
        let lines = sample::lines(&[(2, 5), (3, 1)]);
        let order = service.run(&target(2), &Edit::default(), Some(&lines)).await.unwrap();
        assert_eq!((order.lines.requested(), order.version), (lines, 2));
        assert_eq!(order.lines.total().unwrap().amount(), 5 * 199 + 299);
        assert_eq!(kinds(&order), [FollowUpKind::Release(sample::order().reservation), FollowUpKind::Confirm]);
        assert_eq!(free(&service), [98, 95, 99]);
    }

    #[tokio::test]
    async fn a_sold_out_order_can_be_reduced() {
        let service = service().await;
        service.inventory.stock(sample::product(1), 2);
        service.run(&target(2), &Edit::default(), Some(&sample::lines(&[(1, 1)]))).await.unwrap();
        let outcome = service.run(&target(3), &Edit::default(), Some(&sample::lines(&[(1, 3)]))).await;
        assert!(matches!(outcome, Err(EditError::Lines(LinesError::OutOfStock(_)))));
    }

    #[tokio::test]
    async fn the_same_lines_again_change_nothing() {
        let service = service().await;
        let lines = sample::lines(&[(1, 2), (2, 1)]);
        let order = service.run(&target(2), &Edit::default(), Some(&lines)).await.unwrap();
        assert_eq!((order.version, free(&service)), (1, [98, 99, 100]));
    }

    #[tokio::test]
    async fn two_edits_to_the_same_lines_have_reservations_of_their_own() {
        let service = service().await;
        let lines = sample::lines(&[(3, 1)]);
        let first = service.run(&target(2), &Edit::default(), Some(&lines)).await.unwrap();
        service.run(&target(3), &Edit::default(), Some(&sample::lines(&[(3, 2)]))).await.unwrap();
        let second = service.run(&target(4), &Edit::default(), Some(&lines)).await.unwrap();
        assert_ne!(first.reservation, second.reservation);
    }

    #[tokio::test]
    async fn lines_in_another_order_are_the_same_lines() {
        let service = service().await;
        let order = service.run(&target(2), &Edit::default(), Some(&sample::lines(&[(2, 1), (1, 2)]))).await.unwrap();
        assert_eq!((order.version, free(&service)), (1, [98, 99, 100]));
    }

    use crate::id::TenantId;

    /// What somebody else does to the order while an edit waits for the inventory service.
    type Interference = fn(&Order) -> Order;

    /// An inventory service that lets another writer come first before it answers.
    struct Slow {
        store: Arc<MemoryStore>,
        inventory: Arc<MemoryInventory>,
        interference: Interference,
        times: std::sync::atomic::AtomicUsize,
    }

    impl InventoryService for Slow {
        async fn products(
            &self,
            tenant: &TenantId,
            ids: &[crate::id::ProductId],
        ) -> Result<Vec<crate::line::Product>, Unavailable> {
            self.inventory.products(tenant, ids).await
        }

        async fn reserve(&self, reservation: &Reservation) -> Result<(), ReserveError> {
            self.inventory.reserve(reservation).await?;
            let order = self.store.get(&reservation.tenant, reservation.order).await.unwrap().unwrap();
            let left = |times: usize| times.checked_sub(1);
            if self.times.fetch_update(Ordering::SeqCst, Ordering::SeqCst, left).is_ok() {
                self.store.update(&order, &(self.interference)(&order), Condition::Version).await.unwrap();
            }
            Ok(())
        }

        async fn confirm(&self, tenant: &TenantId, id: ReservationId) -> Result<(), crate::ports::ConfirmError> {
            self.inventory.confirm(tenant, id).await
        }

        async fn release(&self, tenant: &TenantId, id: ReservationId) -> Result<(), Unavailable> {
            self.inventory.release(tenant, id).await
        }
    }

    async fn edit_against(interference: Interference, times: usize) -> (Result<Order, EditError>, [u32; 3]) {
        let EditOrder { store, inventory } = service().await;
        let (store, inventory) = (Arc::new(store), Arc::new(inventory));
        let slow = Slow { store: store.clone(), inventory: inventory.clone(), interference, times: times.into() };
        let outcome = EditOrder { store, inventory: slow }
            .run(&target(2), &Edit::default(), Some(&sample::lines(&[(3, 4)])))
            .await;
        (outcome, [1, 2, 3].map(|n| inventory.available(&sample::product(n).id)))
    }

    fn annotated(order: &Order) -> Order {
        let notes = crate::text::Notes::parse(format!("version {}", order.version)).unwrap();
        let edit = Edit { notes: crate::details::Patch::Set(notes), ..Edit::default() };
        order.edit(&edit, None, sample::stamp(30)).unwrap().unwrap()
    }

    fn deleted(order: &Order) -> Order {
        order.delete(std::time::Duration::from_secs(60), sample::stamp(30)).unwrap()
    }

    #[tokio::test]
    async fn an_edit_that_loses_once_is_retried_and_reserves_once() {
        let (outcome, free) = edit_against(annotated, 1).await;
        assert_eq!((outcome.unwrap().version, free), (3, [98, 99, 96]));
    }

    #[tokio::test]
    async fn an_edit_that_keeps_losing_is_a_conflict_and_reserves_nothing() {
        assert_eq!(edit_against(annotated, usize::MAX).await, (Err(ChangeError::Conflict.into()), [98, 99, 100]));
    }

    #[tokio::test]
    async fn an_edit_that_loses_to_a_deletion_finds_no_order_and_reserves_nothing() {
        assert_eq!(edit_against(deleted, 1).await, (Err(ChangeError::NotFound.into()), [98, 99, 100]));
    }

    #[tokio::test]
    async fn an_order_takes_other_lines_again_once_enough_reservations_are_released() {
        for order in [sample::order(), sample::bare_order()] {
            let (store, inventory) = (MemoryStore::default(), sample::inventory());
            store.insert(&order).await.unwrap();
            let service = EditOrder { store, inventory };
            let edit = async |service: &EditOrder<_, _>, n| {
                service.run(&target(n), &Edit::default(), Some(&sample::lines(&[(3, n)]))).await
            };
            for n in 2..12 {
                assert!(edit(&service, n).await.is_ok());
            }
            assert_eq!(edit(&service, 12).await, Err(Refused::ReservationUnconfirmed.into()));
            let (EditOrder { store, inventory }, pending_timeout) = (service, Duration::from_secs(3_600));
            let follow_ups = FollowUps { store, inventory, customers: sample::customers(), pending_timeout };
            let edited = follow_ups.store.get(&order.tenant, order.id).await.unwrap().unwrap();
            assert_eq!(follow_ups.run(edited, &sample::stamp(50)).await, Ok(Outcome::Done));
            let service = EditOrder { store: follow_ups.store, inventory: follow_ups.inventory };
            assert!(edit(&service, 12).await.is_ok(), "{:?}", order.status);
        }
    }

    #[tokio::test]
    async fn a_shortage_leaves_order_and_reservations_as_they_were() {
        let service = service().await;
        let outcome = service.run(&target(2), &Edit::default(), Some(&sample::lines(&[(3, 101)]))).await;
        assert!(matches!(outcome, Err(EditError::Lines(LinesError::OutOfStock(_)))));
        assert_eq!(free(&service), [98, 99, 100]);
    }

    #[tokio::test]
    async fn nothing_is_released_after_a_refusal_which_reserved_nothing() {
        let service = service().await;
        drop(service.run(&target(2), &Edit::default(), Some(&sample::lines(&[(3, 101)]))).await);
        let id = ReservationId::of_attempt(sample::order_id(1), &target(2).stamp.request_id, 0);
        let again = Reservation { id, lines: sample::lines(&[(3, 1)]), ..sample::order().reservation() };
        assert_eq!(service.inventory.reserve(&again).await, Ok(()), "a released id would be refused");
    }

    #[tokio::test]
    async fn lines_are_closed_once_the_order_is_processed() {
        let service = service().await;
        let order = sample::order();
        let processing = order.transition(Status::Processing, None, sample::stamp(2)).unwrap().unwrap();
        service.store.update(&order, &processing, Condition::Version).await.unwrap();
        let outcome = service.run(&target(3), &Edit::default(), Some(&sample::lines(&[(3, 1)]))).await;
        assert_eq!(outcome, Err(Refused::LinesClosed(Status::Processing).into()));
        assert_eq!(free(&service), [98, 99, 100]);
    }
}
