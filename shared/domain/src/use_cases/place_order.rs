//! Place an order: ask the partners, reserve the stock, commit once.

use futures_util::future::join;

use crate::caller::{Caller, Forbidden};
use crate::draft::OrderDraft;
use crate::fingerprint::Fingerprint;
use crate::history::Stamp;
use crate::id::{IdempotencyKey, OrderId, TenantId};
use crate::line::Lines;
use crate::order::{Contact, Order, Placement, Stock};
use crate::ports::{CustomerService, Ids, Inserted, InventoryService, OrderStore, StoreError, Unavailable};
use crate::reservation::{Reservation, ReservationId};
use crate::use_cases::LinesError;

/// The use case and the ports it needs.
#[derive(Debug, Clone)]
pub struct PlaceOrder<S, C, I, N> {
    /// Where orders are kept.
    pub store: S,
    /// The customer service.
    pub customers: C,
    /// The inventory service.
    pub inventory: I,
    /// New ids for orders without an idempotency key.
    pub ids: N,
    /// The region that owns the orders placed here.
    pub home_region: String,
}

/// One request to place an order.
#[derive(Debug, Clone)]
pub struct OrderRequest {
    /// Who asks.
    pub caller: Caller,
    /// The client's idempotency key.
    pub key: Option<IdempotencyKey>,
    /// What it asks for.
    pub draft: OrderDraft,
    /// When, by whom, on behalf of which request.
    pub stamp: Stamp,
}

/// An order that exists because of this request, or of an earlier one with the same key and body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placed {
    /// The order as it is now.
    pub order: Order,
    /// Whether an earlier request made it.
    pub replayed: bool,
}

/// Why no order was placed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlaceOrderError {
    /// The caller may not order for this customer.
    #[error(transparent)]
    Forbidden(#[from] Forbidden),
    /// The customer service does not know the customer.
    #[error("no such customer")]
    UnknownCustomer,
    /// The lines cannot be had.
    #[error(transparent)]
    Lines(#[from] LinesError),
    /// The key was used for another request.
    #[error("the idempotency key was used with another body")]
    KeyReused,
    /// The key's order was deleted.
    #[error("the order of this idempotency key was deleted")]
    Gone,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl<S: OrderStore, C: CustomerService, I: InventoryService, N: Ids> PlaceOrder<S, C, I, N> {
    /// Places the order, or finds the one that the same request placed before.
    ///
    /// Stock is reserved before the order is committed. A crash in between is harmless: a reservation that is never
    /// confirmed expires.
    ///
    /// # Errors
    /// [`PlaceOrderError`]; no order was placed, except that after a [`StoreError`] it may have been: see
    /// [`OrderStore::insert`].
    pub async fn run(&self, request: OrderRequest) -> Result<Placed, PlaceOrderError> {
        let OrderRequest { caller, key, draft, stamp } = request;
        if !caller.may_act_for(&draft.customer) {
            return Err(Forbidden::OtherCustomer.into());
        }
        let derived = key.as_ref().map(|key| OrderId::derive(&caller.tenant, caller.customer.as_ref(), key));
        let id = derived.unwrap_or_else(|| self.ids.order_id());
        let fingerprint = Fingerprint::of(&draft);
        let placed = self.reserve_and_commit(caller.tenant.clone(), id, draft, stamp).await;
        match placed {
            Err(refusal) if key.is_some() && refusal.is_from_a_partner() => {
                self.replay_or(refusal, &caller.tenant, id, fingerprint).await
            }
            outcome => outcome,
        }
    }

    async fn reserve_and_commit(
        &self,
        tenant: TenantId,
        id: OrderId,
        draft: OrderDraft,
        stamp: Stamp,
    ) -> Result<Placed, PlaceOrderError> {
        let products = draft.lines.products();
        let contact = self.customers.find(&tenant, &draft.customer);
        let (contact, products) = join(contact, self.inventory.products(&tenant, &products)).await;
        let contact = known_customer(contact)?;
        let reservation = ReservationId::of_new_order(id, &draft.lines);
        let stock = match products {
            Ok(products) => {
                let lines = Lines::priced(&draft.lines, &products).map_err(LinesError::Pricing)?;
                let (tenant, requested) = (tenant.clone(), draft.lines.clone());
                let wanted = Reservation { id: reservation, tenant, order: id, lines: requested, replaces: None };
                self.reserve(lines, &wanted).await?
            }
            Err(Unavailable { .. }) => Stock::Unknown(Lines::unpriced(&draft.lines)),
        };
        let home_region = self.home_region.clone();
        let placement = Placement { tenant, id, home_region, draft, contact, stock, reservation };
        self.commit(Order::place(placement, stamp)).await
    }

    /// Reserves the lines. When no answer comes they may be reserved or not: a follow-up asks again, under the same id.
    async fn reserve(&self, lines: Lines, reservation: &Reservation) -> Result<Stock, PlaceOrderError> {
        match self.inventory.reserve(reservation).await.map_err(LinesError::from_reserve) {
            Ok(()) => Ok(Stock::Reserved(lines)),
            Err(Ok(refusal)) => Err(refusal.into()),
            Err(Err(Unavailable { .. })) => Ok(Stock::Unknown(lines)),
        }
    }

    async fn commit(&self, order: Order) -> Result<Placed, PlaceOrderError> {
        match self.store.insert(&order).await {
            Ok(Inserted::New) => Ok(Placed { order, replayed: false }),
            Ok(Inserted::Existing(existing)) => self.yield_to(*existing, &order).await,
            // The reservation expires, unless the write did happen: now, or for an earlier request with the same key.
            Err(error) => Err(error.into()),
        }
    }

    /// The id was taken: by this very request, whose first attempt did arrive, by an earlier one with the same body,
    /// or by another body under the same key.
    async fn yield_to(&self, existing: Order, attempted: &Order) -> Result<Placed, PlaceOrderError> {
        let is_known = |id| existing.reservation == id || existing.unreleased().any(|unreleased| unreleased == id);
        if !is_known(attempted.reservation) {
            // A failure to release is only logged by the port: the reservation was never confirmed, so it expires.
            drop(self.inventory.release(&attempted.tenant, attempted.reservation).await);
        }
        let replayed = !is_same_request(&existing, attempted);
        replay(existing, attempted.fingerprint).map(|order| Placed { order, replayed })
    }

    /// A retry finds its order even when a partner would refuse it today: the key decides, not the stock.
    async fn replay_or(
        &self,
        refusal: PlaceOrderError,
        tenant: &TenantId,
        id: OrderId,
        fingerprint: Fingerprint,
    ) -> Result<Placed, PlaceOrderError> {
        match self.store.get(tenant, id).await? {
            None => Err(refusal),
            Some(existing) => replay(existing, fingerprint).map(|order| Placed { order, replayed: true }),
        }
    }
}

impl PlaceOrderError {
    /// Whether a partner refused, so that the store was not asked yet.
    const fn is_from_a_partner(&self) -> bool {
        match self {
            Self::UnknownCustomer | Self::Lines(_) => true,
            Self::Forbidden(_) | Self::KeyReused | Self::Gone | Self::Store(_) => false,
        }
    }
}

/// The customer; `None` while the service cannot be asked.
fn known_customer(answer: Result<Option<Contact>, Unavailable>) -> Result<Option<Contact>, PlaceOrderError> {
    match answer {
        Ok(Some(contact)) => Ok(Some(contact)),
        Ok(None) => Err(PlaceOrderError::UnknownCustomer),
        Err(Unavailable { .. }) => Ok(None),
    }
}

fn replay(existing: Order, fingerprint: Fingerprint) -> Result<Order, PlaceOrderError> {
    match existing {
        order if order.fingerprint != fingerprint => Err(PlaceOrderError::KeyReused),
        order if order.is_deleted() => Err(PlaceOrderError::Gone),
        order => Ok(order),
    }
}

/// Whether the stored order was made by this very request: a write can succeed and its answer be lost, and the
/// client library then sends it again.
fn is_same_request(existing: &Order, attempted: &Order) -> bool {
    let first = |order: &Order| order.history.first().filter(|entry| entry.version == 1).cloned();
    let request_id = |order| first(order).map(|entry| entry.stamp.request_id);
    request_id(existing).is_some() && request_id(existing) == request_id(attempted)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::details::{Details, Edit};
    use crate::id::CustomerId;
    use crate::line::PricingError;
    use crate::memory::{CountingIds, MemoryCustomers, MemoryInventory, MemoryStore, sample};
    use crate::order::NewLines;
    use crate::ports::Condition;
    use crate::reservation::Shortage;
    use crate::status::{Inventory, Status};

    type Service = PlaceOrder<MemoryStore, MemoryCustomers, MemoryInventory, CountingIds>;

    fn service() -> Service {
        PlaceOrder {
            store: MemoryStore::default(),
            customers: sample::customers(),
            inventory: sample::inventory(),
            ids: CountingIds::default(),
            home_region: "eu-central-1".to_owned(),
        }
    }

    fn request(n: u32) -> OrderRequest {
        let key = Some(IdempotencyKey::parse("key-1").unwrap());
        OrderRequest { caller: sample::caller(), key, draft: sample::draft(), stamp: sample::stamp(n) }
    }

    fn with_lines(n: u32, lines: &[(u32, u32)]) -> OrderRequest {
        OrderRequest { draft: OrderDraft { lines: sample::lines(lines), ..sample::draft() }, ..request(n) }
    }

    fn available(service: &Service, n: u32) -> u32 {
        service.inventory.available(&sample::product(n).id)
    }

    #[tokio::test]
    async fn an_order_is_confirmed_priced_and_its_stock_reserved() {
        let service = service();
        let placed = service.run(request(1)).await.unwrap();
        assert!(!placed.replayed);
        assert_eq!((placed.order.status, placed.order.inventory), (Status::Confirmed, Inventory::Reserved));
        assert_eq!(placed.order.lines.total().unwrap().amount(), 2 * 99 + 199);
        assert_eq!((available(&service, 1), available(&service, 2)), (98, 99));
    }

    #[tokio::test]
    async fn a_replay_finds_the_first_order_and_reserves_nothing_more() {
        let service = service();
        let first = service.run(request(1)).await.unwrap();
        let second = service.run(request(2)).await.unwrap();
        assert_eq!(second, Placed { order: first.order, replayed: true });
        assert_eq!((service.store.len(), available(&service, 1)), (1, 98));
    }

    #[tokio::test]
    async fn a_request_whose_first_write_arrived_unnoticed_is_not_a_replay() {
        let service = service();
        service.run(request(1)).await.unwrap();
        assert!(!service.run(request(1)).await.unwrap().replayed);
    }

    #[tokio::test]
    async fn a_request_whose_first_write_arrived_unnoticed_is_not_a_replay_although_the_order_changed_since() {
        let service = service();
        let order = service.run(request(1)).await.unwrap().order;
        let processing = order.transition(Status::Processing, None, sample::stamp(2)).unwrap().unwrap();
        service.store.update(&order, &processing, Condition::Version).await.unwrap();
        let again = service.run(request(1)).await.unwrap();
        assert_eq!((again.replayed, again.order.version), (false, 2));
    }

    #[tokio::test]
    async fn a_replay_leaves_a_reservation_that_was_replaced_to_its_follow_up() {
        let service = service();
        let order = service.run(request(1)).await.unwrap().order;
        service.inventory.confirm(&order.tenant, order.reservation).await.unwrap();
        let lines = Lines::unpriced(&sample::lines(&[(3, 1)]));
        let new = NewLines { lines, reservation: ReservationId::of_attempt(order.id, "request", 0) };
        let edited = order.edit(&Edit::default(), Some(new), sample::stamp(2)).unwrap().unwrap();
        service.store.update(&order, &edited, Condition::Version).await.unwrap();
        assert!(service.run(request(3)).await.unwrap().replayed);
        assert!(service.inventory.is_confirmed(order.reservation));
    }

    #[tokio::test]
    async fn another_body_under_the_same_key_is_refused_and_touches_no_stock() {
        let service = service();
        service.run(request(1)).await.unwrap();
        assert_eq!(service.run(with_lines(2, &[(1, 5)])).await, Err(PlaceOrderError::KeyReused));
        let other_notes = OrderRequest {
            draft: OrderDraft {
                details: Details {
                    notes: Some(crate::text::Notes::parse("other").unwrap()),
                    ..sample::draft().details
                },
                ..sample::draft()
            },
            ..request(3)
        };
        assert_eq!(service.run(other_notes).await, Err(PlaceOrderError::KeyReused));
        assert_eq!((available(&service, 1), available(&service, 2)), (98, 99));
        assert_eq!(service.inventory.reservations(), 1);
    }

    #[tokio::test]
    async fn a_retry_finds_its_order_although_the_stock_ran_out_since() {
        let service = service();
        let first = service.run(request(1)).await.unwrap();
        service.inventory.stock(sample::product(1), 0);
        service.inventory.release(&first.order.tenant, first.order.reservation().id).await.unwrap();
        assert_eq!(service.run(request(2)).await.unwrap().order, first.order);
    }

    #[tokio::test]
    async fn without_a_key_every_request_is_another_order() {
        let service = service();
        let keyless = |n| OrderRequest { key: None, ..request(n) };
        let first = service.run(keyless(1)).await.unwrap();
        let second = service.run(keyless(2)).await.unwrap();
        assert_ne!(first.order.id, second.order.id);
    }

    #[tokio::test]
    async fn a_shortage_is_named_and_nothing_is_reserved_or_stored() {
        let service = service();
        let outcome = service.run(with_lines(1, &[(1, 101), (2, 1)])).await;
        let shortage = Shortage { product: sample::product(1).id, requested: 101, available: 100 };
        assert_eq!(outcome, Err(LinesError::OutOfStock(vec![shortage]).into()));
        assert_eq!((service.store.is_empty(), service.inventory.reservations()), (true, 0));
    }

    #[tokio::test]
    async fn unknown_customers_and_products_are_refused() {
        let service = service();
        let customer = CustomerId::parse("nobody").unwrap();
        let stranger = OrderRequest { draft: OrderDraft { customer, ..sample::draft() }, ..request(1) };
        assert_eq!(service.run(stranger).await, Err(PlaceOrderError::UnknownCustomer));
        let outcome = service.run(with_lines(1, &[(1, 1), (77, 1)])).await;
        assert_eq!(
            outcome,
            Err(LinesError::Pricing(PricingError::UnknownProducts(vec![sample::product(77).id])).into())
        );
        assert_eq!(service.inventory.reservations(), 0);
    }

    #[tokio::test]
    async fn an_order_waits_for_a_partner_that_is_down() {
        let mut service = service();
        service.inventory.set_down(true);
        let order = service.run(request(1)).await.unwrap().order;
        assert_eq!((order.status, order.inventory), (Status::Pending, Inventory::Unconfirmed));
        assert_eq!((order.lines.total(), order.customer.contact.is_some()), (None, true));
        service.inventory.set_down(false);
        service.customers.known = None;
        let order = service.run(OrderRequest { key: None, ..request(2) }).await.unwrap().order;
        assert_eq!((order.status, order.inventory), (Status::Pending, Inventory::Reserved));
        assert_eq!((order.lines.total().is_some(), order.customer.contact.is_some()), (true, false));
    }

    #[tokio::test]
    async fn a_replay_while_a_partner_is_down_finds_the_first_order() {
        let service = service();
        let first = service.run(request(1)).await.unwrap();
        service.inventory.set_down(true);
        assert_eq!(service.run(request(2)).await.unwrap(), Placed { order: first.order, replayed: true });
    }

    #[tokio::test]
    async fn the_keys_of_a_confined_caller_are_its_own() {
        let service = service();
        let confined = Caller { customer: Some(sample::draft().customer), ..sample::caller() };
        let of_the_shop = service.run(request(1)).await.unwrap();
        let own = service.run(OrderRequest { caller: confined.clone(), ..request(2) }).await.unwrap();
        let again = service.run(OrderRequest { caller: confined, ..request(3) }).await.unwrap();
        assert_ne!(own.order.id, of_the_shop.order.id);
        assert_eq!((own.replayed, again.replayed, again.order.id), (false, true, own.order.id));
    }

    #[tokio::test]
    async fn a_confined_caller_cannot_order_for_another_customer() {
        let service = service();
        let confined = Caller { customer: Some(CustomerId::parse("cust-2").unwrap()), ..sample::caller() };
        let outcome = service.run(OrderRequest { caller: confined, ..request(1) }).await;
        assert_eq!(outcome, Err(PlaceOrderError::Forbidden(Forbidden::OtherCustomer)));
    }
}
