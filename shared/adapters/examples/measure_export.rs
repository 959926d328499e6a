//! Measures an export of many orders: the peak memory of the process that writes it, and how many orders it writes a
//! second. Engine and bucket run in another process. `make measure-export ORDERS=100000`

#![allow(clippy::unwrap_used, clippy::indexing_slicing, missing_docs, reason = "a program for developers")]

#[allow(dead_code, unused_imports, reason = "the tests of the store use the rest")]
#[path = "../tests/store/bucket.rs"]
mod bucket;
#[allow(dead_code, unused_imports, reason = "the tests of the store use the rest")]
#[path = "../tests/store/engine/mod.rs"]
mod engine;

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use adapters::exports::{ExportsTable, FileRows};
use adapters::store::{DynamoStore, Shards};
use adapters::system::SystemClock;
use bucket::Bucket;
use domain::export::{Export, Format};
use domain::memory::sample;
use domain::ports::{Clock, ExportStore};
use domain::use_cases::{PART, Turn, WriteExport};
use dynoxide::Database;
use engine::{EXPORTS_TABLE, Engine, Meter, TABLE};

/// What a function that writes exports may have: 64 MB.
const MOST_MEGABYTES: u64 = 64;

/// So long is a turn.
const TURN: Duration = Duration::from_secs(60);

/// So many items are written at a time.
const CHUNK: u32 = 20_000;

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["engine", file, orders] => serve(file, orders.parse().unwrap()).await,
        [orders] => measure(orders.parse().unwrap()).await,
        _ => panic!("how many orders?"),
    }
}

/// Fills an engine, says where it and the bucket are, and serves until its standard input is closed.
async fn serve(file: &str, orders: u32) {
    let engine = Engine::on(Database::new(file).unwrap()).await;
    engine.database.enable_bulk_loading().unwrap();
    for first in (2..=orders).step_by(CHUNK as usize) {
        engine.fill(first..(first + CHUNK).min(orders + 1)).await;
    }
    println!("{} {}", engine.endpoint, Bucket::default().serve().await);
    let wait = tokio::task::spawn_blocking(|| std::io::stdin().read_to_end(&mut Vec::new()));
    wait.await.unwrap().unwrap();
}

async fn measure(orders: u32) {
    let folder = std::env::temp_dir().join(format!("measure-export-{}", std::process::id()));
    std::fs::create_dir(&folder).unwrap();
    let began = Instant::now();
    let (mut child, database, files) = start(&folder.join("engine.db"), orders);
    println!("{orders} orders stored in {:.0} s", began.elapsed().as_secs_f64());
    println!("| format | turns | time | orders a second | bytes | peak memory |");
    for format in Format::ALL {
        let began = Instant::now();
        let (export, turns) = written(&database, &files, format).await;
        let (seconds, memory) = (began.elapsed().as_secs_f64(), peak_megabytes());
        let pace = f64::from(orders) / seconds;
        println!(
            "| {} | {turns} | {seconds:.0} s | {pace:.0} | {} | {memory} MB |",
            format.as_str(),
            export.written.bytes
        );
        assert_eq!((export.written.orders, export.written.unreadable), (orders.into(), 0));
        assert!(memory < MOST_MEGABYTES, "{memory} MB");
    }
    drop(child.stdin.take());
    child.wait().unwrap();
    std::fs::remove_dir_all(folder).unwrap();
}

/// Writes an export, turn after turn.
async fn written(database: &str, files: &str, format: Format) -> (Export, u32) {
    let client = engine::client(database, &Arc::new(Meter::default()));
    let shards = Shards { status: 1, follow_up: 1 };
    let latest = DynamoStore::new(client.clone(), TABLE, shards, "eu-central-1");
    let store = latest.eventually_consistent();
    let exports = ExportsTable::new(client, EXPORTS_TABLE);
    let id = domain::id::ExportId::from_uuid(*sample::order_id(format as u32 + 1).as_uuid());
    let export = Export { id, created_at: SystemClock.now(), ..sample::export(format) };
    exports.insert(&export).await.unwrap();
    let files = bucket::files(files, Duration::from_secs(40));
    let writing = WriteExport { store, latest, exports, files, rows: FileRows, clock: SystemClock, part: PART };
    for turn in 1.. {
        match writing.run(&export.tenant, export.id, SystemClock.now().plus(TURN)).await.unwrap() {
            Turn::HandedOver(_) => {}
            Turn::Over(export) => return (export, turn),
            other => panic!("{other:?}"),
        }
    }
    unreachable!("turns do not end")
}

fn start(file: &std::path::Path, orders: u32) -> (Child, String, String) {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.arg("engine").arg(file).arg(orders.to_string()).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut endpoints = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut endpoints).unwrap();
    let (database, files) = endpoints.trim().split_once(' ').unwrap();
    (child, database.to_owned(), files.to_owned())
}

/// The most memory that this process had at a time.
fn peak_megabytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    peak.trim().trim_end_matches(" kB").parse::<u64>().unwrap() / 1_024
}
