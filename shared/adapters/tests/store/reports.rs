//! The table of the reports keeps the contract of report stores, costs what it is said to cost, and can be counted anew.

use std::collections::BTreeSet;

use adapters::reports::ReportsTable;
use aws_sdk_dynamodb::types::AttributeValue;
use domain::memory::{MemoryStore, sample};
use domain::order::{Order, OrderData};
use domain::ports::{OrderKey, OrderStore, ReportStore, RowsQuery};
use domain::report::{Day, GroupBy, Report, rows_of};
use domain::use_cases::{CountOrders, Uncounted};

use crate::engine::{Engine, REPORTS_TABLE};

fn reports(engine: &Engine, shards: u32) -> ReportsTable {
    ReportsTable::new(engine.client.clone(), REPORTS_TABLE, shards)
}

mod one_shard {
    domain::report_store_contract!(async { super::reports(&crate::engine::Engine::start().await, 1) });
}

mod eight_shards {
    domain::report_store_contract!(async { super::reports(&crate::engine::Engine::start().await, 8) });
}

fn order(n: u32) -> Order {
    Order::restore(OrderData { id: sample::order_id(n), ..(*sample::order()).clone() })
}

fn keys(orders: &[Order]) -> BTreeSet<OrderKey> {
    orders.iter().map(|order| OrderKey { tenant: order.tenant.clone(), id: order.id }).collect()
}

async fn counting(engine: &Engine, orders: &[Order]) -> CountOrders<MemoryStore, ReportsTable> {
    let store = MemoryStore::default();
    for order in orders {
        store.insert(order).await.unwrap();
    }
    CountOrders { store, reports: reports(engine, 8) }
}

/// The orders of January by day.
async fn january(reports: &ReportsTable) -> Report {
    let day = |text| Day::parse(text).unwrap();
    let (from, to) = (day("2026-01-01"), day("2026-01-31"));
    let query = RowsQuery { tenant: sample::tenant(), of_products: false, from, to };
    Report::of(GroupBy::Day, reports.rows(&query).await.unwrap())
}

fn recount(orders: &[Order]) -> Report {
    Report::of(GroupBy::Day, orders.iter().flat_map(rows_of))
}

#[tokio::test]
async fn many_writers_at_once_count_each_order_once() {
    let engine = Engine::start().await;
    let orders: Vec<Order> = (1..=120).map(order).collect();
    let counting = counting(&engine, &orders).await;
    // Each order comes from three of them.
    let batches = (0..9).map(|n| keys(&orders.iter().skip(n % 3).step_by(3).cloned().collect::<Vec<_>>()));
    let all = futures_util::future::join_all(batches.map(|batch| counting.run(batch))).await;
    assert!(all.iter().all(Uncounted::is_empty), "{all:?}");
    assert_eq!(january(&counting.reports).await, recount(&orders));
}

#[tokio::test]
async fn a_release_with_fewer_shards_reads_what_one_with_more_wrote() {
    let engine = Engine::start().await;
    let orders: Vec<Order> = (1..=60).map(order).collect();
    let counting = counting(&engine, &orders).await;
    for order in &orders {
        assert!(counting.run(keys(std::slice::from_ref(order))).await.is_empty());
    }
    let taken_back = CountOrders { reports: reports(&engine, 2), ..counting };
    assert_eq!(january(&taken_back.reports).await, recount(&orders));
    assert!(taken_back.run(keys(&orders)).await.is_empty());
    assert_eq!(january(&taken_back.reports).await, recount(&orders));
    assert_eq!(january(&reports(&engine, 1)).await, recount(&orders), "a writer with fewer notes no fewer");
}

#[tokio::test]
async fn the_row_of_a_product_has_one_part_in_eight_shards() {
    let engine = Engine::start().await;
    let orders: Vec<Order> = (1..=20).map(order).collect();
    let counting = counting(&engine, &orders).await;
    for order in &orders {
        assert!(counting.run(keys(std::slice::from_ref(order))).await.is_empty());
    }
    let scanned = engine.client.scan().table_name(REPORTS_TABLE).send().await.unwrap().items.unwrap();
    let keys = scanned.iter().map(|item| (item["pk"].as_s().unwrap(), item["sk"].as_s().unwrap()));
    let products: Vec<_> = keys.filter(|(pk, _)| pk.contains("#p#")).map(|(_, sk)| sk).collect();
    assert_eq!(products.len(), rows_of(&orders[0]).len() - 1, "{products:?}");
}

#[tokio::test]
async fn while_all_orders_are_counted_anew_the_old_count_is_read_and_then_the_new() {
    let engine = Engine::start().await;
    let orders: Vec<Order> = (1..=3).map(order).collect();
    let counting = counting(&engine, &orders).await;
    assert!(counting.run(keys(&orders[..2])).await.is_empty());
    let set = async |counting: &str, reading: &str| {
        let number = |text: &str| AttributeValue::N(text.to_owned());
        let put = engine.client.put_item().table_name(REPORTS_TABLE);
        let put =
            put.item("pk", AttributeValue::S("generations".to_owned())).item("sk", AttributeValue::S("-".to_owned()));
        put.item("c", number(counting)).item("r", number(reading)).send().await.unwrap();
    };
    set("1", "0").await;
    assert_eq!(january(&counting.reports).await, recount(&orders[..2]));
    assert!(counting.run(keys(&orders)).await.is_empty());
    assert_eq!(january(&counting.reports).await, recount(&orders[..2]), "the new count is not read yet");
    set("1", "1").await;
    assert_eq!(january(&counting.reports).await, recount(&orders));
    assert!(counting.run(keys(&orders)).await.is_empty());
    assert_eq!(january(&counting.reports).await, recount(&orders));
}

#[tokio::test]
async fn orders_of_one_batch_share_the_writes_of_their_rows() {
    let engine = Engine::start().await;
    let orders: Vec<Order> = (1..=90).map(order).collect();
    let counting = counting(&engine, &orders).await;
    engine.meter.take();
    assert!(counting.run(keys(&orders)).await.is_empty());
    let calls = engine.meter.take();
    let written: f64 = calls.iter().filter(|call| call.operation == "TransactWriteItems").map(|call| call.units).sum();
    println!("{written} write units for 90 orders");
    // Two units for what is counted of each order, and for each of three rows.
    assert!(written <= 90.0 * 2.0 + 3.0 * 2.0, "{written}");
}
