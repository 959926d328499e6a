//! Settle an order with its partners, later than the request: finish what waited, keep what is held, release the rest.

use futures_util::future::join;

use crate::history::Stamp;
use crate::line::{Lines, PricingError};
use crate::order::{CancelReason, Contact, Order, Step};
use crate::ports::{
    ConfirmError, CustomerService, InventoryService, OrderKey, OrderStore, ReserveError, StoreError, Unavailable,
    UpdateError,
};

/// Each order takes at most three steps (complete, then confirm; or call off, then release); the rest are conflicts.
const MAX_STEPS: usize = 8;

/// The use case and the ports it needs.
#[derive(Debug, Clone)]
pub struct SettleOrder<S, C, I> {
    /// Where orders are kept.
    pub store: S,
    /// The customer service.
    pub customers: C,
    /// The inventory service.
    pub inventory: I,
}

/// Why an order is not settled yet; it is tried again.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SettleError {
    /// A partner could not be asked.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
    /// Others kept changing the order.
    #[error("the order is being changed by others")]
    Conflict,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What the partners said of a pending order.
enum Verdict {
    Complete(Contact, Lines),
    CallOff(CancelReason),
}

impl<S: OrderStore, C: CustomerService, I: InventoryService> SettleOrder<S, C, I> {
    /// Does all that is owed for the order. Every call of a partner may be repeated, and every commit is conditional, so
    /// a crash at any point and a second run are harmless.
    ///
    /// # Errors
    /// [`SettleError`]; what was done so far stays done.
    pub async fn run(&self, key: &OrderKey, stamp: &Stamp) -> Result<(), SettleError> {
        for _ in 0..MAX_STEPS {
            let Some(order) = self.store.get(&key.tenant, key.id).await? else { return Ok(()) };
            let Some(step) = order.step(stamp.at) else { return Ok(()) };
            let next = match step {
                Step::Release => self.release(&order, stamp).await?,
                Step::Complete => self.complete(&order, stamp).await?,
                Step::Confirm => self.confirm(&order, stamp).await?,
                Step::ReleaseAgain => self.release_again(&order).await?,
            };
            match self.store.update(&order, &next).await {
                Ok(()) | Err(UpdateError::Conflict) => {}
                Err(UpdateError::Store(error)) => return Err(error.into()),
            }
        }
        Err(SettleError::Conflict)
    }

    async fn release(&self, order: &Order, stamp: &Stamp) -> Result<Order, SettleError> {
        self.release_superseded(order).await?;
        self.inventory.release(order.reservation().id).await?;
        Ok(order.released(stamp.clone()))
    }

    async fn release_superseded(&self, order: &Order) -> Result<(), SettleError> {
        for id in &order.settlement.superseded {
            self.inventory.release(*id).await?;
        }
        Ok(())
    }

    async fn complete(&self, order: &Order, stamp: &Stamp) -> Result<Order, SettleError> {
        let next = match self.ask(order).await? {
            Verdict::Complete(contact, lines) => order.completed(contact, lines, stamp.clone()),
            Verdict::CallOff(reason) => called_off(order, reason, stamp),
        };
        Ok(next)
    }

    /// Asks the partners what is still unknown, and holds the lines.
    async fn ask(&self, order: &Order) -> Result<Verdict, SettleError> {
        let (contact, lines) = join(self.contact(order), self.lines(order)).await;
        let Some(contact) = contact? else { return Ok(Verdict::CallOff(CancelReason::UnknownCustomer)) };
        let lines = match lines? {
            Ok(lines) => lines,
            Err(reason) => return Ok(Verdict::CallOff(reason)),
        };
        match self.inventory.reserve(&order.reservation()).await {
            Ok(()) => Ok(Verdict::Complete(contact, lines)),
            Err(ReserveError::OutOfStock(_)) => Ok(Verdict::CallOff(CancelReason::OutOfStock)),
            Err(ReserveError::Unavailable(error)) => Err(error.into()),
        }
    }

    async fn contact(&self, order: &Order) -> Result<Option<Contact>, Unavailable> {
        match &order.customer.contact {
            Some(contact) => Ok(Some(contact.clone())),
            None => self.customers.find(&order.customer.id).await,
        }
    }

    /// The lines with prices: those the order was given, or today's where it has none.
    async fn lines(&self, order: &Order) -> Result<Result<Lines, CancelReason>, Unavailable> {
        if order.lines.total().is_some() {
            return Ok(Ok(order.lines.clone()));
        }
        let requested = order.lines.requested();
        let products = self.inventory.products(&requested.products()).await?;
        Ok(match Lines::priced(&requested, &products) {
            Ok(lines) => Ok(lines.numbered_after(&order.lines)),
            Err(PricingError::UnknownProducts(_)) => Err(CancelReason::UnknownProduct),
            Err(PricingError::Money(_)) => Err(CancelReason::InvalidTotal),
        })
    }

    /// Keeps the hold for good. One that expired is taken anew; when that fails, the order is called off.
    async fn confirm(&self, order: &Order, stamp: &Stamp) -> Result<Order, SettleError> {
        self.release_superseded(order).await?;
        let reservation = order.reservation();
        match self.inventory.confirm(reservation.id).await {
            Ok(()) => return Ok(order.settled(stamp.at)),
            Err(ConfirmError::Unavailable(error)) => return Err(error.into()),
            Err(ConfirmError::Expired) => {}
        }
        match self.inventory.reserve(&reservation).await {
            Ok(()) => {}
            Err(ReserveError::OutOfStock(_)) => return Ok(called_off(order, CancelReason::OutOfStock, stamp)),
            Err(ReserveError::Unavailable(error)) => return Err(error.into()),
        }
        match self.inventory.confirm(reservation.id).await {
            Ok(()) => Ok(order.settled(stamp.at)),
            Err(ConfirmError::Unavailable(error)) => Err(error.into()),
            Err(ConfirmError::Expired) => {
                let detail = "a new reservation expired at once".to_owned();
                Err(Unavailable { service: "inventory service", detail }.into())
            }
        }
    }

    async fn release_again(&self, order: &Order) -> Result<Order, SettleError> {
        self.release_superseded(order).await?;
        Ok(order.released_again())
    }
}

/// The order called off. One that is on its way already goes on, but says that nothing is held for it.
fn called_off(order: &Order, reason: CancelReason, stamp: &Stamp) -> Order {
    order.called_off(reason, stamp.clone()).unwrap_or_else(|| order.released(stamp.clone()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::Change;
    use crate::memory::{CountingIds, MemoryCustomers, MemoryInventory, MemoryStore, sample};
    use crate::order::{Edit, RELEASE_AGAIN_AFTER};
    use crate::status::{Inventory, Status};
    use crate::use_cases::{EditOrder, IfMatch, PlaceOrder, Request, Target, change_order};

    /// The whole service on one set of ports.
    struct World {
        store: std::sync::Arc<MemoryStore>,
        inventory: std::sync::Arc<MemoryInventory>,
        customers: MemoryCustomers,
    }

    impl World {
        fn new() -> Self {
            let inventory = std::sync::Arc::new(sample::inventory());
            Self { store: std::sync::Arc::default(), inventory, customers: sample::customers() }
        }

        async fn place(&self, n: u32) -> Order {
            let place = PlaceOrder {
                store: self.store.clone(),
                customers: self.customers.clone(),
                inventory: self.inventory.clone(),
                ids: CountingIds::default(),
                home_region: "eu-central-1".to_owned(),
            };
            let request =
                Request { caller: sample::caller(), key: None, draft: sample::draft(), stamp: sample::stamp(n) };
            place.run(request).await.unwrap().order
        }

        async fn settle(&self, order: &Order) -> Result<Order, SettleError> {
            self.settle_at(order, sample::stamp(50)).await
        }

        async fn settle_at(&self, order: &Order, stamp: Stamp) -> Result<Order, SettleError> {
            let settle = SettleOrder {
                store: self.store.clone(),
                customers: self.customers.clone(),
                inventory: self.inventory.clone(),
            };
            let key = OrderKey { tenant: order.tenant.clone(), id: order.id };
            settle.run(&key, &stamp).await?;
            Ok(self.store.get(&key.tenant, key.id).await.unwrap().unwrap())
        }

        async fn change(&self, order: &Order, to: Status) -> Order {
            let target = target(order);
            change_order(&*self.store, &target, |order| order.transition(to, None, target.stamp.clone())).await.unwrap()
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

    #[tokio::test]
    async fn a_confirmed_orders_hold_is_kept_for_good_without_a_new_version() {
        let world = World::new();
        let order = world.place(1).await;
        let settled = world.settle(&order).await.unwrap();
        assert_eq!((settled.version, settled.settlement.due), (1, None));
        world.inventory.expire();
        assert_eq!(world.free(), [98, 99, 100]);
    }

    #[tokio::test]
    async fn a_pending_order_is_finished_when_its_partners_are_back() {
        let mut world = World::new();
        world.inventory.set_down(true);
        let customers = world.customers.known.take();
        let order = world.place(1).await;
        assert_eq!(order.status, Status::Pending);
        assert!(matches!(world.settle(&order).await, Err(SettleError::Unavailable(_))));
        world.inventory.set_down(false);
        world.customers.known = customers;
        let settled = world.settle(&order).await.unwrap();
        assert_eq!((settled.status, settled.inventory), (Status::Confirmed, Inventory::Reserved));
        assert_eq!((settled.lines.total().unwrap().amount(), settled.settlement.due), (397, None));
        assert_eq!((world.free(), world.inventory.confirmed()), ([98, 99, 100], 1));
    }

    #[tokio::test]
    async fn a_pending_order_that_cannot_be_held_is_called_off_with_a_reason() {
        let world = World::new();
        world.inventory.set_down(true);
        let order = world.place(1).await;
        world.inventory.set_down(false);
        world.inventory.stock(sample::product(1), 1);
        let settled = world.settle(&order).await.unwrap();
        assert_eq!((settled.status, settled.inventory), (Status::Canceled, Inventory::Released));
        assert_eq!(reason(&settled).as_deref(), Some("out_of_stock"));
        assert_eq!(world.free(), [1, 100, 100]);
    }

    #[tokio::test]
    async fn a_pending_order_of_an_unknown_customer_is_called_off() {
        let mut world = World::new();
        world.customers.known = None;
        let order = world.place(1).await;
        world.customers.known = Some(std::collections::BTreeMap::new());
        let settled = world.settle(&order).await.unwrap();
        assert_eq!((settled.status, reason(&settled).as_deref()), (Status::Canceled, Some("unknown_customer")));
        assert_eq!(world.free(), [100, 100, 100]);
    }

    #[tokio::test]
    async fn a_canceled_order_gives_everything_back() {
        let world = World::new();
        let order = world.place(1).await;
        world.settle(&order).await.unwrap();
        world.change(&order, Status::Canceled).await;
        let settled = world.settle(&order).await.unwrap();
        assert_eq!((settled.inventory, settled.step(sample::stamp(50).at)), (Inventory::Released, None));
        assert_eq!(world.free(), [100, 100, 100]);
    }

    #[tokio::test]
    async fn what_someone_late_took_anew_is_given_back_again() {
        let world = World::new();
        let order = world.place(1).await;
        world.change(&order, Status::Canceled).await;
        world.settle(&order).await.unwrap();
        // Someone who read the order before it was canceled finds the hold gone, and takes it again for good.
        world.inventory.reserve(&order.reservation()).await.unwrap();
        world.inventory.confirm(order.reservation().id).await.unwrap();
        assert_eq!(world.free(), [98, 99, 100]);
        let later = Stamp { at: sample::stamp(50).at.plus(RELEASE_AGAIN_AFTER), ..sample::stamp(51) };
        let settled = world.settle_at(&order, later).await.unwrap();
        assert_eq!((world.free(), settled.settlement.due), ([100, 100, 100], None));
    }

    #[tokio::test]
    async fn a_hold_that_expired_is_taken_anew() {
        let world = World::new();
        let order = world.place(1).await;
        world.inventory.expire();
        let settled = world.settle(&order).await.unwrap();
        assert_eq!((settled.status, settled.settlement.due), (Status::Confirmed, None));
        assert_eq!(world.free(), [98, 99, 100]);
    }

    #[tokio::test]
    async fn a_hold_that_expired_and_cannot_be_taken_anew_cancels_the_order() {
        let world = World::new();
        let order = world.place(1).await;
        world.inventory.expire();
        world.inventory.stock(sample::product(1), 0);
        let settled = world.settle(&order).await.unwrap();
        assert_eq!((settled.status, reason(&settled).as_deref()), (Status::Canceled, Some("out_of_stock")));
        assert_eq!(world.free(), [0, 100, 100]);
    }

    #[tokio::test]
    async fn an_order_on_its_way_whose_hold_was_lost_says_so() {
        let world = World::new();
        let order = world.place(1).await;
        world.change(&order, Status::Processing).await;
        let shipped = Target { stamp: sample::stamp(41), ..target(&order) };
        change_order(&*world.store, &shipped, |order| order.ship(sample::shipment(), shipped.stamp.clone()))
            .await
            .unwrap();
        world.inventory.expire();
        world.inventory.stock(sample::product(1), 0);
        let settled = world.settle(&order).await.unwrap();
        assert_eq!((settled.status, settled.inventory), (Status::Shipped, Inventory::Released));
        assert_eq!(settled.step(sample::stamp(50).at), None);
    }

    #[tokio::test]
    async fn replaced_lines_are_given_back_and_the_new_ones_kept() {
        let world = World::new();
        let order = world.place(1).await;
        world.settle(&order).await.unwrap();
        let edit = EditOrder { store: world.store.clone(), inventory: world.inventory.clone() };
        edit.run(&target(&order), &Edit::default(), Some(&sample::lines(&[(3, 4)]))).await.unwrap();
        let settled = world.settle(&order).await.unwrap();
        assert_eq!((settled.step(sample::stamp(50).at), settled.version), (None, 2));
        assert_eq!((world.free(), world.inventory.confirmed()), ([100, 100, 96], 1));
    }

    #[tokio::test]
    async fn settling_twice_changes_nothing() {
        let world = World::new();
        let order = world.place(1).await;
        let once = world.settle(&order).await.unwrap();
        assert_eq!(world.settle(&order).await.unwrap(), once);
    }
}
