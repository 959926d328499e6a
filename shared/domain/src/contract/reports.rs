//! The contract of report stores.

#![expect(clippy::expect_used, clippy::missing_panics_doc, reason = "a broken contract must fail the test")]

use crate::id::{ProductId, TenantId};
use crate::memory::sample;
use crate::ports::{Counted, OrderKey, ReportStore, RowsQuery, Step, UpdateError};
use crate::report::{Day, Row, Rows, Subject, Sums, difference, rows_of};
use crate::status::Status;

/// Declares one test per rule for the store that `$make` builds anew for each.
#[macro_export]
macro_rules! report_store_contract {
    ($make:expr) => {
        $crate::report_store_contract!(@tests $make;
            what_is_counted_of_an_order_reads_back
            an_order_is_counted_on_condition_of_what_was_counted
            a_step_is_counted_whole_or_not_at_all
            rows_are_those_of_the_storefront_the_days_and_the_kind
            many_orders_add_up_in_their_rows
            what_a_newer_release_wrote_counts_like_everything_else
        );
    };
    (@tests $make:expr; $($rule:ident)+) => {
        $(#[tokio::test]
        async fn $rule() {
            let store = $make.await;
            $crate::contract::reports::$rule(&store).await;
        })+
    };
}

fn key(tenant: &str, n: u32) -> OrderKey {
    OrderKey { tenant: TenantId::restore(tenant), id: sample::order_id(n) }
}

async fn counted(store: &impl ReportStore, order: &OrderKey) -> Counted {
    let counted = store.counted(std::slice::from_ref(order)).await;
    counted.into_iter().next().expect("one for each order").expect("an answer")
}

/// What must be added for the order to count in these rows.
async fn step(store: &impl ReportStore, order: OrderKey, wanted: &Rows) -> Step {
    let before = counted(store, &order).await;
    let added = difference(&before.rows, wanted);
    Step { order, version: before.version + 1, before, added }
}

fn query(tenant: &str, of_products: bool, from: &str, to: &str) -> RowsQuery {
    let day = |text| Day::parse(text).expect("a day");
    RowsQuery { tenant: TenantId::restore(tenant), of_products, from: day(from), to: day(to) }
}

/// The rows of January, each once, without those that are nothing.
async fn rows(store: &impl ReportStore, tenant: &str, of_products: bool) -> Rows {
    let mut rows = store.rows(&query(tenant, of_products, "2026-01-01", "2026-01-31")).await.expect("an answer");
    rows.retain(|_, sums| *sums != Sums::default());
    rows
}

/// Priced and unpriced orders, in every row of theirs.
pub async fn what_is_counted_of_an_order_reads_back(store: &impl ReportStore) {
    assert_eq!(counted(store, &key("demo", 1)).await, Counted::default());
    for (n, order) in [(1, sample::order()), (2, sample::bare_order())] {
        let first = step(store, key("demo", n), &rows_of(&order)).await;
        store.count(std::slice::from_ref(&first)).await.expect("counted");
        let read = counted(store, &key("demo", n)).await;
        assert_eq!((read.revision, &read.rows), (1, &rows_of(&order)));
        assert_eq!(read, first.after());
    }
    let both = store.counted(&[key("demo", 2), key("demo", 1)]).await;
    let wanted = [rows_of(&sample::bare_order()), rows_of(&sample::order())];
    assert_eq!(both.into_iter().map(|counted| counted.expect("an answer").rows).collect::<Vec<_>>(), wanted);
}

/// Sending a step again, and a step of another writer, count nothing.
pub async fn an_order_is_counted_on_condition_of_what_was_counted(store: &impl ReportStore) {
    let order = sample::order();
    let canceled = order.transition(Status::Canceled, None, sample::stamp(2)).expect("legal").expect("a change");
    let first = step(store, key("demo", 1), &rows_of(&order)).await;
    let late = step(store, key("demo", 1), &rows_of(&canceled)).await;
    store.count(std::slice::from_ref(&first)).await.expect("counted");
    for overtaken in [&first, &late] {
        assert_eq!(store.count(std::slice::from_ref(overtaken)).await, Err(UpdateError::Conflict));
    }
    let next = step(store, key("demo", 1), &rows_of(&canceled)).await;
    store.count(&[next]).await.expect("counted");
    let statuses = rows(store, "demo", false).await;
    assert!(statuses.keys().all(|row| row.subject == Subject::Status(Status::Canceled)));
    assert_eq!(counted(store, &key("demo", 1)).await.revision, 2);
}

/// One order of which other is counted stops all.
pub async fn a_step_is_counted_whole_or_not_at_all(store: &impl ReportStore) {
    let order = sample::order();
    let stale = step(store, key("demo", 1), &rows_of(&order)).await;
    store.count(std::slice::from_ref(&stale)).await.expect("counted");
    let fresh = step(store, key("demo", 2), &rows_of(&order)).await;
    assert_eq!(store.count(&[fresh, stale]).await, Err(UpdateError::Conflict));
    assert_eq!(counted(store, &key("demo", 2)).await, Counted::default());
    assert!(rows(store, "demo", false).await.values().all(|sums| sums.orders == 1));
}

/// Nothing of another storefront, of another day or of the other kind.
pub async fn rows_are_those_of_the_storefront_the_days_and_the_kind(store: &impl ReportStore) {
    let on = |day: &str| -> Rows {
        let of_day = |(row, sums)| (Row { day: Day::parse(day).expect("a day"), ..row }, sums);
        rows_of(&sample::order()).into_iter().map(of_day).collect()
    };
    for (n, day) in [(1, "2026-01-01"), (2, "2026-01-31"), (3, "2026-02-01"), (4, "2025-12-31")] {
        let step = step(store, key("demo", n), &on(day)).await;
        store.count(&[step]).await.expect("counted");
    }
    let other = step(store, key("demo-2", 1), &on("2026-01-10")).await;
    store.count(&[other]).await.expect("counted");
    let days = |rows: &Rows| rows.keys().map(|row| row.day.to_string()).collect::<Vec<_>>();
    assert_eq!(days(&rows(store, "demo", false).await), ["2026-01-01", "2026-01-31"]);
    assert_eq!(days(&rows(store, "demo-2", false).await), ["2026-01-10"]);
    let products = rows(store, "demo", true).await;
    assert_eq!(products.len(), 4, "two products on two days: {products:?}");
    let items: i64 = products.values().map(|sums| sums.items).sum();
    assert_eq!(items, 6);
}

/// The sums are exact, together and one after the other.
pub async fn many_orders_add_up_in_their_rows(store: &impl ReportStore) {
    let wanted = rows_of(&sample::order());
    for start in [1, 40] {
        let mut steps = Vec::new();
        for n in start..start + 30 {
            steps.push(step(store, key("demo", n), &wanted).await);
        }
        store.count(&steps).await.expect("counted");
    }
    let summed: Rows = rows(store, "demo", false).await.into_iter().chain(rows(store, "demo", true).await).collect();
    assert_eq!(summed.len(), wanted.len());
    for (row, sums) in summed {
        assert_eq!((sums.orders, sums.value), (60, wanted.get(&row).map_or(0, |one| one.value) * 60));
    }
}

/// A status and a product that this release would not accept in a request.
pub async fn what_a_newer_release_wrote_counts_like_everything_else(store: &impl ReportStore) {
    let newer = |row: Row| match row.subject {
        Subject::Status(_) => Row { subject: Subject::Status(Status::restore("on_hold")), ..row },
        Subject::Product(_) => Row { subject: Subject::Product(ProductId::restore("p#\u{1f6d2} ")), ..row },
    };
    let wanted: Rows = rows_of(&sample::order()).into_iter().map(|(row, sums)| (newer(row), sums)).collect();
    let step = step(store, key("demo", 1), &wanted).await;
    store.count(&[step]).await.expect("counted");
    assert_eq!(counted(store, &key("demo", 1)).await.rows, wanted);
    let read: Rows = rows(store, "demo", false).await.into_iter().chain(rows(store, "demo", true).await).collect();
    assert_eq!(read, wanted);
}
