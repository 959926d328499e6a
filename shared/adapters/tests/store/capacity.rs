//! What each operation costs: calls, capacity units, items read. Run with `--nocapture` to see the table.

use std::time::Duration;

use domain::caller::Caller;
use domain::details::{Edit, Patch};
use domain::id::CustomerId;
use domain::listing::{Filter, Limit, ListQuery};
use domain::memory::{CountingIds, sample};
use domain::metadata::Metadata;
use domain::order::{Order, OrderData};
use domain::ports::{ChangedOrders, Condition, OrderStore, Segment, StoreError};
use domain::status::Status;
use domain::use_cases::{EditOrder, IfMatch, OrderRequest, PlaceOrder, Target, change_order, get_order};

use crate::engine::{Call, Engine};

fn target(n: u32) -> Target {
    Target { caller: sample::caller(), id: sample::order_id(1), if_match: IfMatch::Any, stamp: sample::stamp(n) }
}

/// Asserts the calls of one use case and prints its row of the table.
fn costs(what: &str, calls: &[Call], expected: &[(&'static str, f64)]) {
    let row: Vec<String> = calls.iter().map(|call| format!("{} {}", call.operation, call.units)).collect();
    println!("| {what:<28} | {:<30} |", row.join(" + "));
    let calls: Vec<_> = calls.iter().map(|call| (call.operation, call.units)).collect();
    assert_eq!(calls, expected, "{what}");
}

#[tokio::test]
async fn every_use_case_makes_the_calls_and_costs_the_units_of_its_budget() {
    let engine = Engine::start().await;
    let store = engine.store(1);
    store.insert(&sample::order()).await.unwrap();
    costs("create (budget 4)", &engine.meter.take(), &[("PutItem", 4.0)]);
    get_order(&store, &sample::caller(), sample::order_id(1)).await.unwrap();
    costs("get (budget 1)", &engine.meter.take(), &[("GetItem", 1.0)]);
    get_order(&store.eventually_consistent(), &sample::caller(), sample::order_id(1)).await.unwrap();
    costs("get, eventually consistent (budget 0.5)", &engine.meter.take(), &[("GetItem", 0.5)]);
    let order = sample::order();
    let confirmed = order.followed_up(true, &[], sample::stamp(1));
    store.update(&order, &confirmed, Condition::VersionAndFollowUps).await.unwrap();
    costs("confirm the reservation", &engine.meter.take(), &[("UpdateItem", 2.0)]);
    for (n, to) in [(2, Status::Processing), (3, Status::Shipped), (4, Status::Delivered)] {
        let target = target(n);
        let change = |order: &Order| order.transition(to, None, target.stamp.clone());
        change_order(&store, &target, &change).await.unwrap();
        costs(&format!("status -> {to} (budget 4)"), &engine.meter.take(), &[("GetItem", 1.0), ("UpdateItem", 4.0)]);
    }
    let target = target(5);
    change_order(&store, &target, &|order: &Order| {
        order.delete(Duration::from_secs(1), target.stamp.clone()).map(Some)
    })
    .await
    .unwrap();
    assert_eq!(engine.meter.take().len(), 2);
}

#[tokio::test]
async fn a_page_of_what_is_due_costs_the_units_of_its_keys() {
    let engine = Engine::start().await;
    let store = engine.store(1);
    for n in 0..1_000 {
        let order = Order::restore(OrderData { id: sample::order_id(n), ..(*sample::order()).clone() });
        store.insert(&order).await.unwrap();
    }
    engine.meter.take();
    let page = store.due(0, sample::stamp(3_600).at, None, 1_000).await.unwrap();
    assert_eq!(page.orders.len(), 1_000);
    let [call] = &engine.meter.take()[..] else { panic!("one call") };
    println!("| a page of 1,000 due keys     | {} {:<24} |", call.operation, call.units);
    assert!(call.units <= 8.0, "{}", call.units);
}

#[tokio::test]
async fn placing_and_replaying_make_one_call_each_and_an_edit_two() {
    let engine = Engine::start().await;
    let orders = PlaceOrder {
        store: engine.store(1),
        customers: sample::customers(),
        inventory: sample::inventory(),
        ids: CountingIds::default(),
        home_region: "eu-central-1".to_owned(),
    };
    let key = Some(domain::id::IdempotencyKey::parse("key").unwrap());
    let request = |n| OrderRequest {
        caller: sample::caller(),
        key: key.clone(),
        draft: sample::draft(),
        stamp: sample::stamp(n),
    };
    let placed = orders.run(request(1)).await.unwrap();
    costs("POST /orders (budget 4)", &engine.meter.take(), &[("PutItem", 4.0)]);
    assert!(orders.run(request(2)).await.unwrap().replayed);
    costs("POST /orders, replayed", &engine.meter.take(), &[("refused", 0.0)]);

    let editing = EditOrder { store: engine.store(1), inventory: sample::inventory() };
    let target = Target { id: placed.order.id, ..target(3) };
    editing.run(&target, &Edit::default(), Some(&sample::lines(&[(3, 1)]))).await.unwrap();
    let operations: Vec<_> = engine.meter.take().iter().map(|call| call.operation).collect();
    assert_eq!(operations, ["GetItem", "UpdateItem"]);
}

fn page_of_25(filter: Filter) -> ListQuery {
    let (created_after, created_before, after) = (None, None, None);
    ListQuery { tenant: sample::tenant(), filter, created_after, created_before, after, limit: Limit::default() }
}

#[tokio::test]
async fn a_page_of_25_costs_the_same_at_1_000_and_at_100_000_orders() {
    let engine = Engine::start().await;
    let store = engine.store(1);
    let customer = CustomerId::parse("cust-1").unwrap();
    let filters = [Filter::Status(Status::Confirmed), Filter::Customer(customer), Filter::All];
    let mut measured = Vec::new();
    for orders in [2..1_000, 1_000..100_000] {
        let stored = orders.end;
        engine.fill(orders).await;
        for filter in &filters {
            let page = store.list(&page_of_25(filter.clone())).await.unwrap();
            assert_eq!((page.orders.len(), page.has_more), (25, true));
            let calls: Vec<Call> = engine.meter.take();
            let units: f64 = calls.iter().map(|call| call.units).sum();
            let read: i32 = calls.iter().map(|call| call.items).sum();
            println!("| {stored:>7} orders, {filter:?}: {} queries, {units} read units, {read} items", calls.len());
            assert_eq!(read, 25, "no query reads more than the page shows");
            measured.push(calls);
        }
    }
    assert_eq!(measured[..3], measured[3..]);
}

#[tokio::test]
async fn a_page_of_the_audit_reads_a_thousand_orders_at_most() {
    let engine = Engine::start().await;
    engine.fill(2..1_600).await;
    let store = engine.store(1);
    let (whole, from) = (Segment { index: 0, of: 1 }, sample::stamp(0).at);
    let first = store.changed_since(from, whole, None).await.unwrap();
    let second = store.changed_since(from, whole, first.next.as_ref()).await.unwrap();
    assert_eq!((first.orders.len(), second.orders.len(), second.next), (1_000, 599, None));
}

#[tokio::test]
async fn an_order_beyond_400_kb_is_refused_before_the_write() {
    let engine = Engine::start().await;
    let store = engine.store(1);
    let mut order = sample::order();
    let wide = |n: u32| {
        let pairs = (0..50).map(|k| (format!("{k:040}"), format!("{n:04}").repeat(125)));
        Metadata::parse(pairs.collect()).unwrap()
    };
    let edit = Edit { metadata: Patch::Set(wide(1)), ..Edit::default() };
    order = order.edit(&edit, None, sample::stamp(2)).unwrap().unwrap();
    // History is bounded in entries, so it takes long actor names to make an order too large.
    let mut data = (*order).clone();
    for entry in (1..=100).map(|version| domain::history::HistoryEntry { version, ..order.history[0].clone() }) {
        let stamp = domain::history::Stamp { actor: "a".repeat(4_000), ..entry.stamp.clone() };
        data.history.push(domain::history::HistoryEntry { stamp, ..entry });
    }
    let order = Order::restore(data);
    assert_eq!(store.insert(&order).await, Err(StoreError::TooLarge));
    assert_eq!(engine.meter.take(), [], "nothing was sent");
}

#[tokio::test]
async fn a_confined_caller_pays_for_one_read() {
    let engine = Engine::start().await;
    let store = engine.store(1);
    store.insert(&sample::order()).await.unwrap();
    engine.meter.take();
    let confined = Caller { customer: Some(CustomerId::parse("cust-9").unwrap()), ..sample::caller() };
    assert!(get_order(&store, &confined, sample::order_id(1)).await.is_err());
    assert_eq!(engine.meter.take().len(), 1);
}
