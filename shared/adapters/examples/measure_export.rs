//! Measures an export of many orders in one format: the peak memory of the process that writes it, and how many orders it
//! writes a second. Engine and bucket run in another process. `make measure-export ORDERS=100000`

#![allow(clippy::unwrap_used, clippy::indexing_slicing, missing_docs, reason = "a program for developers")]

mod apart;
#[allow(dead_code, unused_imports, reason = "the tests of the store use the rest")]
#[path = "../tests/store/bucket.rs"]
mod bucket;
#[allow(dead_code, unused_imports, reason = "the tests of the store use the rest")]
#[path = "../tests/store/engine/mod.rs"]
mod engine;

use std::sync::Arc;
use std::time::{Duration, Instant};

use adapters::exports::{ExportsTable, FileRows};
use adapters::store::{DynamoStore, Shards};
use adapters::system::SystemClock;
use apart::peak_megabytes;
use bucket::Bucket;
use domain::export::{Export, Format, Written};
use domain::memory::sample;
use domain::ports::{Clock, ExportStore};
use domain::use_cases::{PART, Turn, WriteExport};
use engine::{EXPORTS_TABLE, Engine, Meter, TABLE};

/// What a function that writes exports may have: 64 MB.
const MOST_MEGABYTES: u64 = 64;

/// So long is a turn.
const TURN: Duration = Duration::from_secs(60);

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let fill = async |engine: &Engine, copies| engine.fill(copies).await;
    let bucket = async || vec![Bucket::default().serve().await];
    apart::run(fill, bucket, async |addresses, copies| {
        let [database, files] = addresses else { panic!("an engine and a bucket") };
        let name = std::env::args().nth(2).unwrap();
        measure(database, files, Format::parse(&name).unwrap(), copies).await;
    })
    .await;
}

/// One format a process, as memory that an allocator keeps is never given back.
async fn measure(database: &str, files: &str, format: Format, copies: u32) {
    let began = Instant::now();
    let (export, turns) = written(database, files, format).await;
    let (seconds, memory) = (began.elapsed().as_secs_f64(), peak_megabytes());
    let Written { orders, bytes, unreadable } = export.written;
    assert_eq!((orders, unreadable), (u64::from(copies) + 1, 0), "the sample order and its copies");
    println!("| format | turns | time | orders a second | bytes | peak memory |");
    let pace = f64::from(copies) / seconds;
    println!("| {} | {turns} | {seconds:.0} s | {pace:.0} | {bytes} | {memory} MB |", format.as_str());
    assert!(memory < MOST_MEGABYTES, "{memory} MB");
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
