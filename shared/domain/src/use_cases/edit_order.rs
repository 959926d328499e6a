//! Edit one order; new lines are held before they are committed, and settlement gives the old ones back after.

use crate::id::ProductId;
use crate::line::{Lines, PricingError, RequestedLines};
use crate::money::MoneyError;
use crate::order::{Edit, Order, Refused};
use crate::ports::{InventoryService, OrderStore, ReserveError, Unavailable, UpdateError};
use crate::reservation::{Reservation, Shortage};
use crate::status::Inventory;
use crate::use_cases::change_order::RETRIES;
use crate::use_cases::{ChangeError, Target};

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
    /// The inventory service does not know these products.
    #[error("no such products")]
    UnknownProducts(Vec<ProductId>),
    /// Fewer units are free than asked for.
    #[error("out of stock")]
    OutOfStock(Vec<Shortage>),
    /// The prices cannot be summed.
    #[error(transparent)]
    Money(#[from] MoneyError),
    /// The inventory service could not be asked.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

impl From<Refused> for EditError {
    fn from(refused: Refused) -> Self {
        Self::Change(refused.into())
    }
}

impl From<PricingError> for EditError {
    fn from(error: PricingError) -> Self {
        match error {
            PricingError::UnknownProducts(ids) => Self::UnknownProducts(ids),
            PricingError::Money(error) => Self::Money(error),
        }
    }
}

impl From<ReserveError> for EditError {
    fn from(error: ReserveError) -> Self {
        match error {
            ReserveError::OutOfStock(shortages) => Self::OutOfStock(shortages),
            ReserveError::Unavailable(unavailable) => Self::Unavailable(unavailable),
        }
    }
}

impl<S: OrderStore, I: InventoryService> EditOrder<S, I> {
    /// Replaces the fields given, and the lines when `lines` differ from the order's.
    ///
    /// # Errors
    /// [`EditError`]; see [`ChangeError`] for what may have been written.
    pub async fn run(&self, target: &Target, edit: &Edit, lines: Option<&RequestedLines>) -> Result<Order, EditError> {
        let mut held = None;
        for _ in 0..=RETRIES {
            let order = target.read(&self.store).await?;
            if target.has_written(&order) {
                return Ok(order);
            }
            self.give_back(held.take(), &order).await;
            target.check(&order)?;
            let New { lines, reservation } = match lines.filter(|lines| **lines != order.lines.requested()) {
                Some(lines) => self.hold(&order, lines).await?,
                None => New::default(),
            };
            let Some(next) = order.edit(edit, lines, target.stamp.clone())? else { return Ok(order) };
            match self.store.update(&order, &next).await {
                Ok(()) => return Ok(next),
                Err(UpdateError::Conflict) => held = reservation,
                // The hold expires, unless the write did happen or another request for the same lines needs it.
                Err(UpdateError::Store(error)) => return Err(ChangeError::Store(error).into()),
            }
        }
        Err(ChangeError::Conflict.into())
    }

    /// Prices and holds new lines for the order's next version. While nothing of the order is held, that is left to
    /// settlement.
    async fn hold(&self, order: &Order, lines: &RequestedLines) -> Result<New, EditError> {
        if !order.status.lines_are_open() {
            return Err(Refused::LinesClosed(order.status).into());
        }
        if order.inventory == Inventory::Unconfirmed {
            return Ok(New { lines: Some(Lines::unpriced(lines)), reservation: None });
        }
        let products = self.inventory.products(&lines.products()).await?;
        let priced = Lines::priced(lines, &products)?;
        let reservation = Reservation::of(order.tenant.clone(), order.id, order.version + 1, lines.clone());
        self.inventory.reserve(&reservation).await?;
        Ok(New { lines: Some(priced), reservation: Some(reservation) })
    }

    /// Gives the hold of an attempt back that came too late, unless whoever came first asked for the same lines: then
    /// it is the order's. A failure to release is only logged by the port: the hold was never confirmed, so it expires.
    async fn give_back(&self, held: Option<Reservation>, order: &Order) {
        if let Some(held) = held.filter(|held| held.id != order.reservation().id) {
            drop(self.inventory.release(held.id).await);
        }
    }
}

/// New lines, and what holds them.
#[derive(Default)]
struct New {
    lines: Option<Lines>,
    reservation: Option<Reservation>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory::{MemoryInventory, MemoryStore, sample};
    use crate::status::Status;
    use crate::use_cases::IfMatch;

    fn target(n: u32) -> Target {
        Target { caller: sample::caller(), id: sample::order_id(1), if_match: IfMatch::Any, stamp: sample::stamp(n) }
    }

    /// The sample order (two of product 1, one of product 2), stored and held.
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

    #[tokio::test]
    async fn new_lines_are_held_and_the_old_ones_are_to_be_given_back() {
        let service = service().await;
        let lines = sample::lines(&[(2, 5), (3, 1)]);
        let order = service.run(&target(2), &Edit::default(), Some(&lines)).await.unwrap();
        assert_eq!((order.lines.requested(), order.version), (lines, 2));
        assert_eq!(order.lines.total().unwrap().amount(), 5 * 199 + 299);
        assert_eq!(order.settlement.superseded, [sample::order().reservation().id]);
        assert_eq!(free(&service), [98, 94, 99]);
    }

    #[tokio::test]
    async fn the_same_lines_again_change_nothing() {
        let service = service().await;
        let lines = sample::lines(&[(1, 2), (2, 1)]);
        let order = service.run(&target(2), &Edit::default(), Some(&lines)).await.unwrap();
        assert_eq!((order.version, free(&service)), (1, [98, 99, 100]));
    }

    #[tokio::test]
    async fn lines_that_come_back_are_held_anew() {
        let service = service().await;
        service.run(&target(2), &Edit::default(), Some(&sample::lines(&[(3, 1)]))).await.unwrap();
        let lines = sample::lines(&[(1, 2), (2, 1)]);
        let order = service.run(&target(3), &Edit::default(), Some(&lines)).await.unwrap();
        let first = sample::order().reservation().id;
        assert_ne!(order.reservation().id, first);
        assert!(order.settlement.superseded.contains(&first) && order.settlement.superseded.len() == 2);
    }

    #[tokio::test]
    async fn a_shortage_leaves_order_and_holds_as_they_were() {
        let service = service().await;
        let outcome = service.run(&target(2), &Edit::default(), Some(&sample::lines(&[(3, 101)]))).await;
        assert!(matches!(outcome, Err(EditError::OutOfStock(_))));
        assert_eq!(free(&service), [98, 99, 100]);
    }

    #[tokio::test]
    async fn lines_are_closed_once_the_order_is_processed() {
        let service = service().await;
        let order = sample::order();
        let processing = order.transition(Status::Processing, None, sample::stamp(2)).unwrap().unwrap();
        service.store.update(&order, &processing).await.unwrap();
        let outcome = service.run(&target(3), &Edit::default(), Some(&sample::lines(&[(3, 1)]))).await;
        assert_eq!(outcome, Err(Refused::LinesClosed(Status::Processing).into()));
        assert_eq!(free(&service), [98, 99, 100]);
    }
}
