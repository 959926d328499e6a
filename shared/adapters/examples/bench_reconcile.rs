//! Measures a whole comparison on the test engine, which runs in a process of its own: time, peak memory of the
//! reconciler, units. `make bench-reconcile ORDERS=1000000`

#![allow(clippy::unwrap_used, clippy::indexing_slicing, missing_docs, reason = "a program for developers")]

mod apart;
#[allow(dead_code, unused_imports, reason = "the tests of the store use the rest")]
#[path = "../tests/store/engine/mod.rs"]
mod engine;

use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, Instant};

use adapters::audit::{AuditTable, MarkerQueue};
use adapters::store::{DynamoStore, Shards};
use adapters::system::SystemClock;
use apart::peak_megabytes;
use domain::memory::{MemoryPublisher, sample};
use domain::ports::{AuditRuns, Clock, EventRecorder, PerChannel, Run, TrailError, Window};
use domain::use_cases::{Advance, Reconcile};
use dynoxide::{AttributeValue as Stored, Item};
use engine::{AUDIT_TABLE, Engine, Meter, TABLE};

/// Of so many orders one lacks an event on the bus, and one on the feed.
const LOST: u32 = 10_000;

/// So long one invocation works.
const INVOCATION: Duration = Duration::from_secs(60);

/// What a run took.
struct Measured {
    invocations: u32,
    elapsed: Duration,
    run: Run,
}

type Service = Reconcile<DynamoStore, AuditTable<Markers>, MemoryPublisher, SystemClock>;

/// A queue whose markers are recorded as soon as they are put into it.
struct Markers(AuditTable);

impl MarkerQueue for Markers {
    async fn put(&self, marker: &str) -> Result<(), TrailError> {
        self.0.pass(marker, SystemClock.now()).await
    }

    async fn is_empty(&self) -> Result<bool, TrailError> {
        Ok(true)
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let fill = async |engine: &Engine, copies: Range<u32>| {
        engine.fill(copies.clone()).await;
        engine.import(AUDIT_TABLE, copies.map(trail_item).collect());
    };
    apart::run(fill, async || Vec::new(), async |addresses, copies| measure(&addresses[0], copies).await).await;
}

/// What came out of the nth order.
fn trail_item(n: u32) -> Item {
    let events = |lost: bool| {
        let events = ["1:0", "1:1", "1:2"].iter().skip(usize::from(lost)).map(|event| (*event).to_owned());
        Stored::SS(events.collect())
    };
    let key = format!("order#{}", engine::fill::copy_id(n));
    let item = [("pk", Stored::S(key)), ("b", events(n.is_multiple_of(LOST))), ("f", events(n % LOST == 1))];
    item.map(|(name, value)| (name.to_owned(), value)).into()
}

async fn measure(endpoint: &str, copies: u32) {
    let meter = Arc::new(Meter::default());
    let service = service(endpoint, &meter);
    println!("memory before the first run: {} MB", peak_megabytes());
    println!(
        "| changed | invocations of {} s | time | peak memory | scan | trail reads | checkpoints |",
        INVOCATION.as_secs()
    );
    for (changed, seconds) in [("none", 1_000..2_000), ("all", 0..1_000)] {
        let Measured { invocations, elapsed, run } = run(&service, seconds).await;
        let calls = meter.take();
        let units = |name| calls.iter().filter(|call| call.operation == name).fold(0.0, |sum, call| sum + call.units);
        let (scan, trail, saves) = (units("Scan"), units("BatchGetItem"), units("PutItem"));
        let (seconds, memory) = (elapsed.as_secs_f64(), peak_megabytes());
        println!("| {changed} | {invocations} | {seconds:.0} s | {memory} MB | {scan} | {trail} | {saves} |");
        let missing = (run.tally.missing.bus.count, run.tally.missing.feed.count);
        println!("{} orders, {} events, missing {missing:?}", run.tally.orders, run.tally.events);
        let lost = |rest| apart::copies_of(copies).filter(|n| n % LOST == rest).count() as u64;
        let expected = if changed == "all" { (lost(0) + 3, lost(1) + 3) } else { (0, 0) };
        assert_eq!(missing, expected, "the sample order itself, of three events, is in no trail");
    }
}

fn service(endpoint: &str, meter: &Arc<Meter>) -> Service {
    let client = engine::client(endpoint, meter);
    let markers = Markers(AuditTable::new(client.clone(), AUDIT_TABLE, ()));
    Reconcile {
        store: DynamoStore::new(client.clone(), TABLE, Shards { status: 1, follow_up: 1 }, "eu-central-1"),
        trail: AuditTable::new(client, AUDIT_TABLE, markers),
        channels: PerChannel::default(),
        clock: SystemClock,
    }
}

/// A run over a window of the sample's clock, in as many invocations as it takes; each begins with what was saved.
async fn run(service: &Service, seconds: Range<u32>) -> Measured {
    let window = Window { from: sample::stamp(seconds.start).at, to: sample::stamp(seconds.end).at };
    let began = Instant::now();
    let mut invocations = 0;
    loop {
        invocations += 1;
        let now = SystemClock.now();
        let last = service.trail.load(&Run::name_of(window, true)).await.unwrap();
        let mut run = Run::asked_for(last, window, true, now);
        match service.advance(&mut run, now.plus(INVOCATION)).await.unwrap() {
            Advance::Done => return Measured { invocations, elapsed: began.elapsed(), run },
            Advance::TimeUp => {}
            Advance::TrailBehind | Advance::Refused(_) => panic!("nothing is behind or refused here"),
        }
    }
}
