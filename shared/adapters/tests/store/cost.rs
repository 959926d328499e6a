//! What a million orders cost: units, events and bytes as measured here, at the prices of `docs/prices.json`.
//!
//! `docs/cost.md` has the table that comes of it; `UPDATE_COST=1` writes it anew.

use std::collections::BTreeSet;
use std::path::Path;

use adapters::publisher::CloudEvent;
use adapters::reports::ReportsTable;
use domain::event::new_events;
use domain::memory::{MemoryStore, sample};
use domain::order::{Order, OrderData};
use domain::ports::{Condition, OrderKey, OrderStore};
use domain::status::Status;
use domain::use_cases::{CountOrders, IfMatch, Target, change_order};
use serde_json::Value;

use crate::engine::{Call, Engine, REPORTS_TABLE};

/// Milliseconds that functions take on AWS: a few calls within the region, and what the customer and inventory service take.
const CREATE_MS: f64 = 60.0;
const CHANGE_MS: f64 = 15.0;
const CONFIRM_MS: f64 = 30.0;
const PUBLISH_MS: f64 = 30.0;
const COUNT_MS: f64 = 50.0;

/// How much comes together.
#[derive(Clone, Copy)]
struct Load {
    name: &'static str,
    /// Records of an invocation of the publisher and of the follow-ups, which work on them side by side.
    records: f64,
    /// Orders of an invocation of the reports.
    counted: u32,
}

const LOADS: [Load; 2] = [
    Load { name: "one at a time", records: 1.0, counted: 1 },
    Load { name: "10 a second", records: 10.0, counted: 50 },
];

/// What one order takes, from being placed to being delivered.
struct Life {
    write_units: f64,
    read_units: f64,
    /// Stream records.
    writes: f64,
    events: f64,
    event_bytes: f64,
    stages: Vec<Order>,
}

fn of(calls: &[Call], wanted: &[&str]) -> f64 {
    calls.iter().filter(|call| wanted.contains(&call.operation)).map(|call| call.units).sum()
}

const WRITES: [&str; 3] = ["PutItem", "UpdateItem", "TransactWriteItems"];
const READS: [&str; 1] = ["GetItem"];

/// Places the sample order, confirms its reservation, and moves it three times.
async fn life() -> Life {
    let engine = Engine::start().await;
    let store = engine.store(1);
    let placed = sample::order();
    store.insert(&placed).await.unwrap();
    let confirmed = placed.followed_up(true, &[], sample::stamp(1));
    store.update(&placed, &confirmed, Condition::VersionAndFollowUps).await.unwrap();
    let mut stages = vec![confirmed];
    for (n, to) in [(2, Status::Processing), (3, Status::Shipped), (4, Status::Delivered)] {
        let (caller, stamp) = (sample::caller(), sample::stamp(n));
        let target = Target { caller, id: placed.id, if_match: IfMatch::Any, stamp: stamp.clone() };
        let change = |order: &Order| order.transition(to, None, stamp.clone());
        stages.push(change_order(&store, &target, &change).await.unwrap());
    }
    let calls = engine.meter.take();
    let (mut events, mut event_bytes, mut known) = (0.0, 0.0, 0);
    for order in &stages {
        for event in new_events(known, order) {
            events += 1.0;
            event_bytes += serde_json::to_vec(&CloudEvent::from(&event)).unwrap().len() as f64;
        }
        known = order.version;
    }
    let writes = calls.iter().filter(|call| WRITES.contains(&call.operation)).count() as f64;
    let (write_units, read_units) = (of(&calls, &WRITES), of(&calls, &READS));
    Life { write_units, read_units, writes, events, event_bytes, stages }
}

/// The write and read units that the reports take for one order's life, when so many orders are counted together. The orders
/// themselves are read from memory, which is one more read unit each time.
async fn counted(stages: &[Order], orders: u32) -> (f64, f64) {
    let engine = Engine::start().await;
    let mut units = (0.0, 0.0);
    for stage in stages {
        let copies = (1..=orders).map(|n| Order::restore(OrderData { id: sample::order_id(n), ..(**stage).clone() }));
        let (store, mut keys) = (MemoryStore::default(), BTreeSet::new());
        for copy in copies {
            keys.insert(OrderKey { tenant: copy.tenant.clone(), id: copy.id });
            store.insert(&copy).await.unwrap();
        }
        let reports = ReportsTable::new(engine.client.clone(), REPORTS_TABLE, 8);
        assert!(CountOrders { store, reports }.run(keys).await.is_empty());
        let calls = engine.meter.take();
        units.0 += of(&calls, &WRITES) / f64::from(orders);
        units.1 += of(&calls, &READS) / f64::from(orders) + 1.0;
    }
    units
}

fn document(name: &str) -> String {
    std::fs::read_to_string(path(name)).unwrap()
}

fn path(name: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs").join(name)
}

/// The bytes of the lines of an order's life, by the table of docs/metrics.md, which another test compares with the code.
fn log_bytes(load: Load) -> f64 {
    let metrics = document("metrics.md");
    let row = |start: &str| -> f64 {
        let row = metrics.lines().find(|line| line.starts_with(&format!("| {start}"))).unwrap();
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        (cells[2].parse::<f64>().unwrap() + 26.0) * cells[3].parse::<f64>().unwrap()
    };
    row("a create") + row("a change") + (row("`published`") + row("`followed up`")) / load.records
}

/// Dollars for a million orders, by what they are paid for.
async fn costs(load: Load, life: &Life, price: &impl Fn(&str) -> f64) -> Vec<(&'static str, f64)> {
    const GIB: f64 = (1 << 30) as f64;
    let seconds = |millis: f64, memory_gb: f64| millis / 1_000.0 * memory_gb * price("lambda_arm64_gb_seconds");
    let invocations = 4.0 + (life.writes + 1.0) / load.records;
    let busy = CREATE_MS + 3.0 * CHANGE_MS + (life.writes * PUBLISH_MS + CONFIRM_MS) / load.records;
    let feed_gb = life.event_bytes * 1e6 / GIB;
    let (count_writes, count_reads) = counted(&life.stages, load.counted).await;
    let batches = life.stages.len() as f64 / f64::from(load.counted);
    // Received and deleted ten messages at a time.
    let queue_requests = life.events + 2.0 * (life.events / 10.0).max(batches);
    vec![
        ("API Gateway, four requests", 4.0 * price("rest_api_requests")),
        ("Lambda", invocations * price("lambda_requests") + seconds(busy, 0.5)),
        (
            "DynamoDB, on demand",
            life.write_units * price("dynamodb_write_units") + life.read_units * price("dynamodb_read_units"),
        ),
        ("EventBridge", life.events * price("eventbridge_events")),
        (
            "SNS FIFO, one subscriber",
            life.events * (price("sns_fifo_messages") + price("sns_deliveries"))
                + feed_gb * (price("sns_fifo_published_gb") + price("sns_delivered_gb")),
        ),
        ("CloudWatch Logs", log_bytes(load) * 1e6 / GIB * price("logs_gb")),
        (
            REPORTS,
            queue_requests * price("sqs_requests")
                + batches * price("lambda_requests")
                + seconds(batches * COUNT_MS, 0.5)
                + count_writes * price("dynamodb_write_units")
                + count_reads * price("dynamodb_read_units"),
        ),
    ]
}

const REPORTS: &str = "reports: queue, function, table";
/// The part of provisioned units that are used.
const USED: f64 = 0.7;

/// What the same units cost when they are provisioned, of which [`USED`] are used, and requests come through an HTTP API.
fn saved(life: &Life, price: &impl Fn(&str) -> f64) -> (f64, f64) {
    let per_hour = |units: f64, on_demand: &str, provisioned: &str| {
        units * (price(on_demand) - price(provisioned) / 3_600.0 / USED)
    };
    let provisioned = per_hour(life.write_units, "dynamodb_write_units", "dynamodb_provisioned_write_unit_hours")
        + per_hour(life.read_units, "dynamodb_read_units", "dynamodb_provisioned_read_unit_hours");
    (provisioned, 4.0 * (price("rest_api_requests") - price("http_api_requests")))
}

#[tokio::test]
async fn the_table_of_the_document_is_what_the_units_and_prices_come_to() {
    let prices: Value = serde_json::from_str(&document("prices.json")).unwrap();
    let price = |name: &str| prices[name].as_f64().unwrap();
    let life = life().await;
    let mut columns = Vec::new();
    for load in LOADS {
        columns.push(costs(load, &life, &price).await);
    }
    let row = |name: &str, figures: [f64; 2]| format!("| {name} | {:.2} | {:.2} |\n", figures[0], figures[1]);
    let names = LOADS.map(|load| load.name);
    let mut table = format!("| dollars for a million orders | {} | {} |\n| --- | --- | --- |\n", names[0], names[1]);
    for (one, other) in columns[0].iter().zip(&columns[1]).filter(|((name, _), _)| *name != REPORTS) {
        table += &row(one.0, [one.1, other.1]);
    }
    let sum = |with_reports: bool| {
        [0, 1].map(|n: usize| {
            let counted = columns[n].iter().filter(|(name, _)| with_reports || *name != REPORTS);
            counted.map(|(_, dollars)| dollars).sum::<f64>()
        })
    };
    let whole = sum(false);
    let (provisioned, http_api) = saved(&life, &price);
    let less = |by: f64| whole.map(|dollars| dollars - by);
    table += &row("**whole life**", whole);
    table += &row("the same with provisioned units", less(provisioned));
    table += &row("the same with an HTTP API as well", less(provisioned + http_api));
    table += &row(REPORTS, [0, 1].map(|n: usize| sum(true)[n] - whole[n]));
    println!("{table}");
    println!("{} write units, {} read units, {} events", life.write_units, life.read_units, life.events);
    let (begin, end) = ("<!-- computed -->\n", "<!-- end -->");
    let text = document("cost.md");
    let (before, rest) = text.split_once(begin).unwrap();
    let (present, after) = rest.split_once(end).unwrap();
    if std::env::var("UPDATE_COST").is_ok() {
        std::fs::write(path("cost.md"), format!("{before}{begin}{table}{end}{after}")).unwrap();
    } else {
        assert_eq!(present, table, "UPDATE_COST=1 writes docs/cost.md anew");
    }
}
