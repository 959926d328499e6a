//! Place several orders with one request, each as if it came alone.

use std::collections::HashMap;

use futures_util::stream::{self, StreamExt};

use crate::caller::Caller;
use crate::draft::OrderDraft;
use crate::fingerprint::Fingerprint;
use crate::history::Stamp;
use crate::id::IdempotencyKey;
use crate::ports::{CustomerService, Ids, InventoryService, OrderStore};
use crate::use_cases::{OrderRequest, PlaceOrder, PlaceOrderError, Placed};

/// The most orders of a batch.
pub const MAX_BATCH: usize = 50;

/// So many orders of a batch are placed at a time: a full batch takes four turns, and its partners see no more than this
/// many calls at once.
const AT_ONCE: usize = 16;

/// One request to place several orders.
#[derive(Debug, Clone)]
pub struct BatchRequest<E> {
    /// Who asks.
    pub caller: Caller,
    /// The client's idempotency key of the batch, from which each order has its own, wherever it stands: an order that is sent
    /// again in a shorter batch, or in another place, is the same order.
    pub key: Option<IdempotencyKey>,
    /// What it asks for; of an order that cannot be read, why.
    pub drafts: Vec<Result<OrderDraft, E>>,
    /// When, by whom, on behalf of which request.
    pub stamp: Stamp,
}

impl<S: OrderStore, C: CustomerService, I: InventoryService, N: Ids> PlaceOrder<S, C, I, N> {
    /// Places each order, or finds the one that the same batch placed before. The outcomes are in the order of the drafts.
    /// What becomes of one order changes nothing for the others.
    pub async fn run_batch<E: From<PlaceOrderError>>(&self, batch: BatchRequest<E>) -> Vec<Result<Placed, E>> {
        let BatchRequest { caller, key, drafts, stamp } = batch;
        let mut equals = HashMap::<Fingerprint, usize>::new();
        let orders = drafts.into_iter().enumerate().map(|(index, draft)| {
            let key = key.as_ref().zip(draft.as_ref().ok()).map(|(key, draft)| {
                let fingerprint = Fingerprint::of(draft);
                let equal_before = equals.entry(fingerprint).or_default();
                *equal_before += 1;
                key.of_item(fingerprint.0, *equal_before - 1)
            });
            let (caller, stamp) = (caller.clone(), stamp.clone());
            async move { (index, self.place_one(caller, key, draft, stamp).await) }
        });
        let mut outcomes: Vec<_> = stream::iter(orders).buffer_unordered(AT_ONCE).collect().await;
        outcomes.sort_unstable_by_key(|(index, _)| *index);
        outcomes.into_iter().map(|(_, outcome)| outcome).collect()
    }

    async fn place_one<E: From<PlaceOrderError>>(
        &self,
        caller: Caller,
        key: Option<IdempotencyKey>,
        draft: Result<OrderDraft, E>,
        stamp: Stamp,
    ) -> Result<Placed, E> {
        Ok(self.run(OrderRequest { caller, key, draft: draft?, stamp }).await?)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    use super::*;
    use crate::id::{CustomerId, ProductId, TenantId};
    use crate::line::Product;
    use crate::memory::{CountingIds, MemoryCustomers, MemoryInventory, MemoryStore, sample};
    use crate::order::Contact;
    use crate::ports::{ConfirmError, ReserveError, Unavailable};
    use crate::reservation::{Reservation, ReservationId};

    type Service<C = MemoryCustomers, I = MemoryInventory> = PlaceOrder<MemoryStore, C, I, CountingIds>;

    #[derive(Debug, PartialEq, Eq)]
    enum Failure {
        Unreadable,
        Refused(PlaceOrderError),
    }

    impl From<PlaceOrderError> for Failure {
        fn from(error: PlaceOrderError) -> Self {
            Self::Refused(error)
        }
    }

    fn service<C, I>(customers: C, inventory: I) -> Service<C, I> {
        let home_region = "eu-central-1".to_owned();
        PlaceOrder { store: MemoryStore::default(), customers, inventory, ids: CountingIds::default(), home_region }
    }

    fn draft(product: u32, quantity: u32) -> Result<OrderDraft, Failure> {
        Ok(OrderDraft { lines: sample::lines(&[(product, quantity)]), ..sample::draft() })
    }

    fn batch(n: u32, drafts: Vec<Result<OrderDraft, Failure>>) -> BatchRequest<Failure> {
        let key = Some(IdempotencyKey::parse("batch-1").unwrap());
        BatchRequest { caller: sample::caller(), key, drafts, stamp: sample::stamp(n) }
    }

    #[tokio::test]
    async fn an_order_that_fails_changes_nothing_for_the_others() {
        let orders = service(sample::customers(), sample::inventory());
        let unknown = OrderDraft { customer: CustomerId::parse("nobody").unwrap(), ..sample::draft() };
        let drafts = vec![draft(1, 1), Err(Failure::Unreadable), draft(1, 101), Ok(unknown), draft(2, 1)];
        let outcomes = orders.run_batch(batch(1, drafts)).await;
        let placed: Vec<bool> = outcomes.iter().map(Result::is_ok).collect();
        assert_eq!(placed, [true, false, false, false, true]);
        assert_eq!(outcomes[1], Err(Failure::Unreadable));
        assert!(matches!(outcomes[2], Err(Failure::Refused(PlaceOrderError::Lines(_)))));
        assert_eq!(outcomes[3], Err(Failure::Refused(PlaceOrderError::UnknownCustomer)));
    }

    #[tokio::test]
    async fn a_batch_that_is_sent_again_finds_the_orders_that_it_placed_and_tries_the_others() {
        let orders = service(sample::customers(), sample::inventory());
        let first = orders.run_batch(batch(1, vec![draft(1, 1), draft(3, 101)])).await;
        orders.inventory.stock(sample::product(3), 200);
        let again = orders.run_batch(batch(2, vec![draft(1, 1), draft(3, 101)])).await;
        let (first_order, again_order) = (first[0].as_ref().unwrap(), again[0].as_ref().unwrap());
        assert_eq!(first_order.order, again_order.order);
        assert!(!first_order.replayed && again_order.replayed);
        assert!(first[1].is_err() && !again[1].as_ref().unwrap().replayed);
    }

    #[tokio::test]
    async fn a_known_batch_without_the_order_that_was_refused_places_no_other_twice() {
        let orders = service(sample::customers(), sample::inventory());
        let first = orders.run_batch(batch(1, vec![draft(1, 1), draft(3, 101), draft(2, 1), draft(2, 1)])).await;
        let again = orders.run_batch(batch(2, vec![draft(2, 1), draft(1, 1), draft(2, 1), draft(1, 2)])).await;
        let ids = |outcomes: &[Result<Placed, Failure>], indices: &[usize]| -> Vec<_> {
            indices.iter().map(|index| outcomes[*index].as_ref().unwrap().order.id).collect()
        };
        assert_eq!(ids(&first, &[0, 2, 3]), ids(&again, &[1, 0, 2]));
        let replayed: Vec<bool> = again.iter().map(|outcome| outcome.as_ref().unwrap().replayed).collect();
        assert_eq!(replayed, [true, true, true, false], "the last one is new");
    }

    #[tokio::test]
    async fn without_a_key_every_order_is_new() {
        let orders = service(sample::customers(), sample::inventory());
        let send = async || {
            let batch = BatchRequest { key: None, ..batch(1, vec![draft(1, 1), draft(1, 1)]) };
            let outcomes = orders.run_batch(batch).await;
            outcomes.into_iter().map(|outcome| outcome.unwrap().order.id).collect::<Vec<_>>()
        };
        let mut ids = [send().await, send().await].concat();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), 4);
    }

    /// How long a partner takes to answer.
    const ANSWER: Duration = Duration::from_millis(50);

    /// Counts the calls that are made at the same time.
    #[derive(Debug, Default)]
    struct Counting {
        now: AtomicUsize,
        most: AtomicUsize,
    }

    impl CustomerService for Counting {
        async fn find(&self, _: &TenantId, customer: &CustomerId) -> Result<Option<Contact>, Unavailable> {
            let now = self.now.fetch_add(1, Ordering::SeqCst) + 1;
            self.most.fetch_max(now, Ordering::SeqCst);
            tokio::time::sleep(if customer.as_str() == "slow" { 20 * ANSWER } else { ANSWER }).await;
            self.now.fetch_sub(1, Ordering::SeqCst);
            Ok(Some(sample::contact(1)))
        }
    }

    /// Refuses nothing.
    #[derive(Debug)]
    struct Plenty;

    impl InventoryService for Plenty {
        async fn products(&self, _: &TenantId, _: &[ProductId]) -> Result<Vec<Product>, Unavailable> {
            Ok(vec![sample::product(1)])
        }

        async fn reserve(&self, _: &Reservation) -> Result<(), ReserveError> {
            tokio::time::sleep(ANSWER).await;
            Ok(())
        }

        async fn confirm(&self, _: &TenantId, _: ReservationId) -> Result<(), ConfirmError> {
            Ok(())
        }

        async fn release(&self, _: &TenantId, _: ReservationId) -> Result<(), Unavailable> {
            Ok(())
        }
    }

    #[tokio::test(start_paused = true)]
    async fn fifty_orders_take_four_times_as_long_as_one() {
        let orders = service(Counting::default(), Plenty);
        let time = async |count: usize| {
            let began = tokio::time::Instant::now();
            let drafts = (0..count).map(|_| draft(1, 1)).collect();
            let outcomes = orders.run_batch(BatchRequest { key: None, ..batch(1, drafts) }).await;
            assert!(outcomes.iter().all(Result::is_ok));
            began.elapsed().as_millis()
        };
        let (one, fifty) = (time(1).await, time(MAX_BATCH).await);
        assert!((4 * one..5 * one).contains(&fifty), "{fifty} ms for fifty, {one} ms for one");
    }

    #[tokio::test(start_paused = true)]
    async fn the_outcomes_keep_the_order_of_a_batch_that_is_placed_16_at_a_time() {
        let orders = service(Counting::default(), Plenty);
        let of = |n: u32| {
            let customer = if n == 1 { "slow" } else { "quick" };
            draft(1, n).map(|draft| OrderDraft { customer: CustomerId::parse(customer).unwrap(), ..draft })
        };
        let outcomes = orders.run_batch(batch(1, (1..=50).map(of).collect())).await;
        let quantities: Vec<u32> =
            outcomes.iter().map(|outcome| outcome.as_ref().unwrap().order.lines.as_slice()[0].quantity.get()).collect();
        assert_eq!(quantities, (1..=50).collect::<Vec<_>>());
        assert_eq!(orders.customers.most.load(Ordering::SeqCst), AT_ONCE);
    }
}
