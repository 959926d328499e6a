//! The rows of a report that an order counts in.

use std::collections::BTreeMap;

use super::{Day, Sums, Times};
use crate::history::Change;
use crate::id::ProductId;
use crate::money::{Currency, Money};
use crate::order::Order;
use crate::status::Status;

/// What is added up: all orders that were created on one day, in one currency, with this in common.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Row {
    /// The day of creation.
    pub day: Day,
    /// What the orders have in common.
    pub subject: Subject,
    /// The currency; `None` while the orders have no price.
    pub currency: Option<Currency>,
}

/// What the orders of a row have in common. Each order is in one row of its status, and in one of each of its products.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Subject {
    /// Their status.
    Status(Status),
    /// A product that each has a line of; items and value are those of these lines.
    Product(ProductId),
}

/// Rows and what they add up to.
pub type Rows = BTreeMap<Row, Sums>;

/// The rows that an order counts in, and with what. A deleted order counts in none.
///
/// It follows from the order alone, so that a recount comes to the same. An order whose history no longer has the version
/// that shipped it counts in no time.
#[must_use]
pub fn rows_of(order: &Order) -> Rows {
    if order.is_deleted() {
        return Rows::new();
    }
    let currency = order.lines.total().map(Money::currency);
    let row = |subject| Row { day: Day::of(order.created_at), subject, currency };
    let sums = |items: i64, value: Option<Money>| Sums {
        orders: 1,
        items,
        value: value.map_or(0, Money::amount).into(),
        canceled: (order.status == Status::Canceled).into(),
        shipped: times(order, Status::Shipped),
        delivered: times(order, Status::Delivered),
    };
    let lines = order.lines.as_slice();
    let items = lines.iter().map(|line| i64::from(line.quantity.get())).sum();
    let mut rows = Rows::from([(row(Subject::Status(order.status)), sums(items, order.lines.total()))]);
    for line in lines {
        let price = line.price.as_ref().map(|price| price.total);
        rows.insert(row(Subject::Product(line.product.clone())), sums(line.quantity.get().into(), price));
    }
    rows
}

/// How long the order took to get there, if it did.
fn times(order: &Order, status: Status) -> Times {
    let moves = |change: &Change| match change {
        Change::Status { to, .. } => *to == status,
        Change::Inventory { .. } | Change::Total { .. } | Change::Replaced(_) => false,
    };
    let entry = order.history.iter().find(|entry| entry.changes.iter().any(moves));
    entry.map_or_else(Times::default, |entry| {
        let millis = entry.stamp.at.as_millis() - order.created_at.as_millis();
        // Two clocks may differ.
        Times { orders: 1, millis: millis.max(0) }
    })
}

/// Adds to a row.
pub fn add(rows: &mut Rows, row: Row, sums: Sums) {
    let present = rows.entry(row).or_default();
    *present = present.plus(sums);
}

/// What must be added to the one for the other: the rows that differ, and by how much.
#[must_use]
pub fn difference(counted: &Rows, wanted: &Rows) -> Rows {
    let of = |rows: &Rows, row: &Row| rows.get(row).copied().unwrap_or_default();
    let rows = counted.keys().chain(wanted.keys());
    let differences = rows.map(|row| (row.clone(), of(wanted, row).minus(of(counted, row))));
    differences.filter(|(_, sums)| *sums != Sums::default()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory::sample;

    #[test]
    fn an_order_counts_once_by_its_status_and_once_by_each_product() {
        let rows = rows_of(&sample::order());
        let counted: Vec<_> = rows.iter().map(|(row, sums)| (row.subject.clone(), sums.items, sums.value)).collect();
        let product = |n, items, value| (Subject::Product(sample::product(n).id), items, value);
        assert_eq!(counted, [(Subject::Status(Status::Confirmed), 3, 397), product(1, 2, 198), product(2, 1, 199)]);
        assert!(rows.keys().all(|row| row.day.to_string() == "2026-01-01" && row.currency.is_some()));
        assert!(rows.values().all(|sums| sums.orders == 1 && sums.canceled == 0));
    }

    #[test]
    fn an_order_without_a_price_counts_without_a_value() {
        let rows = rows_of(&sample::bare_order());
        assert!(rows.iter().all(|(row, sums)| row.currency.is_none() && sums.value == 0 && sums.items == 1));
    }

    #[test]
    fn a_delivered_order_tells_how_long_it_took() {
        let order =
            sample::followed_up_order().transition(Status::Processing, None, sample::stamp(2)).unwrap().unwrap();
        let order = order.transition(Status::Shipped, None, sample::stamp(11)).unwrap().unwrap();
        let order = order.transition(Status::Delivered, None, sample::stamp(101)).unwrap().unwrap();
        for sums in rows_of(&order).values() {
            assert_eq!(sums.shipped, Times { orders: 1, millis: 10_000 });
            assert_eq!(sums.delivered, Times { orders: 1, millis: 100_000 });
        }
    }

    #[test]
    fn a_deleted_order_counts_in_nothing() {
        let deleted = sample::order().delete(std::time::Duration::from_secs(1), sample::stamp(2)).unwrap();
        assert_eq!(rows_of(&deleted), Rows::new());
        let taken = difference(&rows_of(&sample::order()), &rows_of(&deleted));
        assert!(taken.values().all(|sums| sums.orders == -1), "{taken:?}");
    }

    #[test]
    fn what_is_counted_and_the_difference_come_to_what_is_wanted() {
        let order = sample::order();
        let canceled = order.transition(Status::Canceled, None, sample::stamp(2)).unwrap().unwrap();
        let (counted, wanted) = (rows_of(&order), rows_of(&canceled));
        let mut sum = counted.clone();
        for (row, sums) in difference(&counted, &wanted) {
            let present = sum.entry(row).or_default();
            *present = present.plus(sums);
        }
        sum.retain(|_, sums| *sums != Sums::default());
        assert_eq!(sum, wanted);
        assert_eq!(difference(&wanted, &wanted), Rows::new());
    }
}
