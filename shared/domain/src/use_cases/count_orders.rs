//! Count orders in the reports: what differs between what is counted of an order and what it amounts to now is added.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::stream::{self, StreamExt};

use crate::ports::{Counted, MOST_CHANGED, OrderKey, OrderStore, ReportStore, Step, StoreError, UpdateError};
use crate::report::{Row, difference, rows_of};

/// So many orders are read at a time.
const READ_AT_ONCE: usize = 16;

/// One order changes at most so many rows in a step; one with more takes several.
const MOST_ROWS: usize = MOST_CHANGED - 10;

/// How often what met another writer, or was not counted whole, is taken up again.
const ROUNDS: u32 = 8;

/// From this round on each order is counted alone, so that none has to wait for another's conflict, or is refused with it.
const ALONE_FROM: u32 = 2;

/// The use case and the ports it needs.
#[derive(Debug, Clone)]
pub struct CountOrders<S, R> {
    /// Where orders are kept.
    pub store: S,
    /// Where it is kept what they amount to.
    pub reports: R,
}

/// Why an order is not counted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CountError {
    /// Others kept counting it, or what it is counted with.
    #[error("other writers kept coming first")]
    Conflict,
    /// A store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The orders that were not counted, and why.
pub type Uncounted = BTreeMap<OrderKey, CountError>;

impl<S: OrderStore, R: ReportStore> CountOrders<S, R> {
    /// Counts each of these orders as it is now. That may be repeated at any time: what is counted already adds nothing.
    pub async fn run(&self, orders: BTreeSet<OrderKey>) -> Uncounted {
        let mut uncounted = Uncounted::new();
        let mut waiting: Vec<OrderKey> = orders.into_iter().collect();
        for round in 0..ROUNDS {
            let steps = self.steps(&waiting, &mut uncounted).await;
            let groups = grouped(steps, round >= ALONE_FROM);
            if groups.is_empty() {
                return uncounted;
            }
            waiting = self.count(groups, &mut uncounted).await;
        }
        // The last round may have finished what waits; to find that out is another round.
        uncounted.extend(waiting.into_iter().map(|order| (order, CountError::Conflict)));
        uncounted
    }

    /// What is to be done for these orders. What is counted is read before the order is: so it is never newer than the order,
    /// and a step on condition of it never takes back what another counted.
    async fn steps(&self, orders: &[OrderKey], uncounted: &mut Uncounted) -> Vec<Step> {
        let counted = self.reports.counted(orders).await;
        let reads = orders.iter().cloned().zip(counted).map(|(order, before)| async move {
            let step = match before {
                Ok(before) => self.step(order.clone(), before).await,
                Err(error) => Err(error),
            };
            (order, step)
        });
        let reads: Vec<_> = stream::iter(reads).buffer_unordered(READ_AT_ONCE).collect().await;
        let mut steps = Vec::new();
        for (order, step) in reads {
            match step {
                Ok(step) => steps.extend(step),
                Err(error) => drop(uncounted.insert(order, error.into())),
            }
        }
        steps
    }

    /// What is to be done for an order. A version that changes no row is noted as well: otherwise somebody who has read an
    /// earlier version, but not yet written, could still have it counted.
    async fn step(&self, order: OrderKey, before: Counted) -> Result<Option<Step>, StoreError> {
        let found = self.store.get(&order.tenant, order.id).await?;
        let (version, wanted) = found.map_or_else(Default::default, |found| (found.version, rows_of(&found)));
        let added = difference(&before.rows, &wanted);
        let is_counted = added.is_empty() && version == before.version;
        let added = added.into_iter().take(MOST_ROWS).collect();
        Ok(Some(Step { order, version, before, added }).filter(|_| !is_counted))
    }

    /// The orders that must be looked at again. The groups go one after the other: most have a row in common, and would
    /// conflict.
    async fn count(&self, groups: Vec<Vec<Step>>, uncounted: &mut Uncounted) -> Vec<OrderKey> {
        let mut again = Vec::new();
        for steps in groups {
            let is_whole = |step: &Step| step.added.len() < MOST_ROWS;
            let orders = steps.iter().map(|step| step.order.clone());
            match self.reports.count(&steps).await {
                Ok(()) => again.extend(steps.iter().filter(|step| !is_whole(step)).map(|step| step.order.clone())),
                Err(UpdateError::Conflict) => again.extend(orders),
                Err(UpdateError::Store(error)) if steps.len() > 1 && is_perhaps_of_one(&error) => again.extend(orders),
                Err(UpdateError::Store(error)) => uncounted.extend(orders.map(|order| (order, error.clone().into()))),
            }
        }
        again
    }
}

/// Whether a group may have met it because of one of its orders.
const fn is_perhaps_of_one(error: &StoreError) -> bool {
    match error {
        StoreError::Throttled(_) | StoreError::Rejected(_) | StoreError::TooLarge => true,
        StoreError::Unavailable(_) | StoreError::Corrupt(_) => false,
    }
}

/// The steps in groups of which each is counted at once: the more orders have a row in common, the fewer writes.
fn grouped(steps: Vec<Step>, is_alone: bool) -> Vec<Vec<Step>> {
    let mut groups: Vec<(Vec<Step>, BTreeSet<Row>)> = Vec::new();
    for step in steps {
        let fits = |(group, rows): &&mut (Vec<Step>, BTreeSet<Row>)| {
            let new = step.added.keys().filter(|row| !rows.contains(*row)).count();
            !is_alone && group.len() + rows.len() + new < MOST_CHANGED
        };
        match groups.last_mut().filter(fits) {
            Some((group, rows)) => {
                rows.extend(step.added.keys().cloned());
                group.push(step);
            }
            None => {
                let rows = step.added.keys().cloned().collect();
                groups.push((vec![step], rows));
            }
        }
    }
    groups.into_iter().map(|(group, _)| group).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::details::Edit;
    use crate::draft::OrderDraft;
    use crate::id::{CustomerId, OrderId, ProductId};
    use crate::line::{Lines, Product, RequestedLines};
    use crate::memory::{MemoryReports, MemoryStore, sample};
    use crate::order::{NewLines, Order, Placement, Stock};
    use crate::ports::Condition;
    use crate::quantity::Quantity;
    use crate::report::{Rows, add};
    use crate::reservation::ReservationId;
    use crate::status::Status;

    type Counting = CountOrders<MemoryStore, MemoryReports>;

    fn counting() -> Counting {
        CountOrders { store: MemoryStore::default(), reports: MemoryReports::default() }
    }

    fn key(order: &Order) -> OrderKey {
        OrderKey { tenant: order.tenant.clone(), id: order.id }
    }

    fn recount(orders: &[Order]) -> Rows {
        let mut all = Rows::new();
        for (row, sums) in orders.iter().flat_map(rows_of) {
            add(&mut all, row, sums);
        }
        all
    }

    /// An order `n` of products `from` to `to`.
    fn order(n: u32, products: std::ops::RangeInclusive<u32>) -> Order {
        let products: Vec<Product> = products
            .map(|n| Product { id: ProductId::parse(format!("p-{n}")).unwrap(), ..sample::product(1) })
            .collect();
        let lines = products.iter().map(|product| (product.id.clone(), Quantity::new(1).unwrap())).collect();
        let requested = RequestedLines::parse(lines).unwrap();
        let lines = Lines::priced(&requested, &products).unwrap();
        let id: OrderId = sample::order_id(n);
        let customer = CustomerId::parse("cust-1").unwrap();
        let draft = OrderDraft { customer, lines: requested.clone(), ..sample::draft() };
        let reservation = ReservationId::of_new_order(id, &requested);
        let (tenant, home_region) = (sample::tenant(), "eu-central-1".to_owned());
        let stock = Stock::Reserved(lines);
        Order::place(Placement { tenant, id, home_region, draft, contact: None, stock, reservation }, sample::stamp(1))
    }

    async fn placed(counting: &Counting, orders: &[Order]) -> BTreeSet<OrderKey> {
        for order in orders {
            counting.store.insert(order).await.unwrap();
        }
        orders.iter().map(key).collect()
    }

    #[tokio::test]
    async fn an_order_is_counted_once_however_often_it_is_named() {
        let counting = counting();
        let orders = [order(1, 1..=2), order(2, 2..=3)];
        let keys = placed(&counting, &orders).await;
        for _ in 0..3 {
            assert_eq!(counting.run(keys.clone()).await, Uncounted::new());
            assert_eq!(counting.reports.total(), recount(&orders));
        }
        assert_eq!(counting.reports.steps(), 2, "what is counted already costs no write");
    }

    #[tokio::test]
    async fn a_change_moves_an_order_from_row_to_row() {
        let counting = counting();
        let placed_order = sample::order();
        let keys = placed(&counting, std::slice::from_ref(&placed_order)).await;
        counting.run(keys.clone()).await;
        let canceled = placed_order.transition(Status::Canceled, None, sample::stamp(2)).unwrap().unwrap();
        counting.store.update(&placed_order, &canceled, Condition::Version).await.unwrap();
        assert_eq!(counting.run(keys).await, Uncounted::new());
        assert_eq!(counting.reports.total(), recount(&[canceled]));
    }

    #[tokio::test]
    async fn an_order_with_more_rows_than_a_step_takes_several() {
        let counting = counting();
        let first = order(1, 1..=100);
        let keys = placed(&counting, std::slice::from_ref(&first)).await;
        assert_eq!(counting.run(keys.clone()).await, Uncounted::new());
        assert_eq!(counting.reports.total(), recount(std::slice::from_ref(&first)));
        let other = order(1, 101..=200);
        let reservation = ReservationId::of_attempt(first.id, "r", 1);
        let edit = Edit::default();
        let lines = NewLines { lines: other.lines.clone(), reservation };
        let edited = first.edit(&edit, Some(lines), sample::stamp(2)).unwrap().unwrap();
        counting.store.update(&first, &edited, Condition::Version).await.unwrap();
        assert_eq!(counting.run(keys).await, Uncounted::new());
        assert_eq!(counting.reports.total(), recount(&[edited]));
    }

    #[tokio::test]
    async fn a_conflict_is_taken_up_again_and_the_rest_is_counted() {
        let counting = counting();
        let orders: Vec<Order> = (1..=30).map(|n| order(n, n..=n + 5)).collect();
        let keys = placed(&counting, &orders).await;
        counting.reports.refuse(3);
        assert_eq!(counting.run(keys.clone()).await, Uncounted::new());
        assert_eq!(counting.reports.total(), recount(&orders));
        let other = self::counting();
        let keys = placed(&other, &orders).await;
        other.reports.refuse(usize::MAX);
        let uncounted = other.run(keys.clone()).await;
        assert!(uncounted.keys().eq(&keys) && uncounted.values().all(|error| *error == CountError::Conflict));
        assert_eq!(other.reports.total(), Rows::new());
    }

    #[tokio::test]
    async fn an_order_that_cannot_be_counted_stops_no_other() {
        let counting = counting();
        let orders = [order(1, 1..=2), order(2, 1..=2), order(3, 1..=2), order(4, 1..=2)];
        let keys = placed(&counting, &orders).await;
        counting.reports.damage(key(&orders[1]));
        counting.reports.reject(key(&orders[2]));
        let uncounted = counting.run(keys).await;
        assert!(uncounted.keys().eq([&key(&orders[1]), &key(&orders[2])]), "{uncounted:?}");
        assert_eq!(counting.reports.total(), recount(&[orders[0].clone(), orders[3].clone()]));
    }

    /// Others may have read an earlier version, and would count it if they came last.
    #[tokio::test]
    async fn a_version_that_changes_no_row_is_noted() {
        let counting = counting();
        let order = sample::order();
        let keys = placed(&counting, std::slice::from_ref(&order)).await;
        let before = counting.reports.counted(&[key(&order)]).await.remove(0).unwrap();
        let late = counting.step(key(&order), before).await.unwrap().unwrap();
        let deleted = order.delete(std::time::Duration::from_secs(1), sample::stamp(2)).unwrap();
        counting.store.update(&order, &deleted, Condition::Version).await.unwrap();
        assert_eq!(counting.run(keys.clone()).await, Uncounted::new());
        assert_eq!(counting.reports.count(&[late]).await, Err(UpdateError::Conflict));
        assert_eq!(counting.reports.total(), Rows::new());
        counting.run(keys).await;
        assert_eq!(counting.reports.steps(), 1);
    }

    #[tokio::test]
    async fn an_order_that_is_gone_counts_in_nothing() {
        let counting = counting();
        assert_eq!(counting.run(BTreeSet::from([key(&sample::order())])).await, Uncounted::new());
        assert_eq!(counting.reports.total(), Rows::new());
    }
}
