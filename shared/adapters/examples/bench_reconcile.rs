//! Measures a whole comparison on the test engine, which runs in a process of its own: time, peak memory of the
//! reconciler, units. `make bench-reconcile ORDERS=1000000`

#![allow(clippy::unwrap_used, clippy::indexing_slicing, missing_docs, reason = "a program for developers")]

#[allow(dead_code, unused_imports, reason = "the tests of the store use the rest")]
#[path = "../tests/store/engine/mod.rs"]
mod engine;

use std::io::{BufRead, BufReader, Read};
use std::ops::Range;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use adapters::audit::{AuditTable, MarkerQueue};
use adapters::store::{DynamoStore, Shards};
use adapters::system::SystemClock;
use domain::memory::{MemoryPublisher, sample};
use domain::ports::{AuditRuns, Clock, EventRecorder, PerChannel, Run, TrailError, Window};
use domain::use_cases::{Advance, Reconcile};
use dynoxide::{AttributeValue as Stored, Database, Item};
use engine::{AUDIT_TABLE, Engine, Meter, TABLE};

/// Of so many orders one lacks an event on the bus, and one on the feed.
const LOST: u32 = 10_000;

/// So long one invocation works.
const INVOCATION: Duration = Duration::from_secs(60);

/// So many items are written at a time.
const CHUNK: u32 = 20_000;

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
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["engine", file, orders] => serve(file, orders.parse().unwrap()).await,
        [orders] => measure(orders.parse().unwrap()).await,
        _ => panic!("how many orders?"),
    }
}

/// Fills an engine, says where it is, and serves until its standard input is closed.
async fn serve(file: &str, orders: u32) {
    let engine = Engine::on(Database::new(file).unwrap()).await;
    engine.database.enable_bulk_loading().unwrap();
    for first in (2..orders + 2).step_by(CHUNK as usize) {
        let chunk = first..(first + CHUNK).min(orders + 2);
        engine.fill(chunk.clone()).await;
        engine.import(AUDIT_TABLE, chunk.map(trail_item).collect());
    }
    println!("{}", engine.endpoint);
    let wait = tokio::task::spawn_blocking(|| std::io::stdin().read_to_end(&mut Vec::new()));
    wait.await.unwrap().unwrap();
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

async fn measure(orders: u32) {
    let folder = std::env::temp_dir().join(format!("bench-reconcile-{}", std::process::id()));
    std::fs::create_dir(&folder).unwrap();
    let began = Instant::now();
    let (mut child, endpoint) = start(&folder.join("engine.db"), orders);
    println!("{orders} orders stored in {:.0} s", began.elapsed().as_secs_f64());
    let meter = Arc::new(Meter::default());
    let service = service(&endpoint, &meter);
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
        let lost = |rest| (2..orders + 2).filter(|n| n % LOST == rest).count() as u64;
        let expected = if changed == "all" { (lost(0) + 3, lost(1) + 3) } else { (0, 0) };
        assert_eq!(missing, expected, "the sample order itself, of three events, is in no trail");
    }
    drop(child.stdin.take());
    child.wait().unwrap();
    std::fs::remove_dir_all(folder).unwrap();
}

fn start(file: &std::path::Path, orders: u32) -> (Child, String) {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.arg("engine").arg(file).arg(orders.to_string()).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut endpoint = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut endpoint).unwrap();
    (child, endpoint.trim().to_owned())
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

/// The most memory that this process had at a time.
fn peak_megabytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    peak.trim().trim_end_matches(" kB").parse::<u64>().unwrap() / 1_024
}
