//! The table of exports and the bucket of their files keep their contracts, and an export of them all is whole.

use std::time::Duration;

use adapters::exports::{ExportBucket, ExportsTable, FileRows};
use adapters::system::SystemClock;
use domain::export::{Export, Format, Upload, Written};
use domain::memory::sample;
use domain::ports::{Clock, ExportFiles, ExportStore};
use domain::use_cases::{Turn, WriteExport};
use serde_json::Value;

use crate::bucket::{self, Bucket};
use crate::engine::{EXPORTS_TABLE, Engine};

mod table {
    domain::export_store_contract!(async {
        let client = crate::engine::Engine::start().await.client;
        adapters::exports::ExportsTable::new(client, crate::engine::EXPORTS_TABLE)
    });
}

/// Files, and the bucket that they are in.
struct Files {
    bucket: Bucket,
    files: ExportBucket,
}

async fn files() -> Files {
    let bucket = Bucket::default();
    let endpoint = bucket.serve().await;
    Files { bucket, files: bucket::files(&endpoint, Duration::from_secs(40)) }
}

mod in_a_bucket {
    use std::time::Duration;

    use domain::export::{Export, Upload};
    use domain::ports::{ExportFiles, FileError};

    use super::{Files, key};

    impl ExportFiles for Files {
        async fn begin(&self, export: &Export) -> Result<String, FileError> {
            self.files.begin(export).await
        }

        async fn put_part(&self, export: &Export, upload: &Upload, bytes: Vec<u8>) -> Result<String, FileError> {
            self.files.put_part(export, upload, bytes).await
        }

        async fn complete(&self, export: &Export, upload: &Upload) -> Result<(), FileError> {
            self.files.complete(export, upload).await
        }

        async fn link(&self, export: &Export, valid: Duration) -> Result<String, FileError> {
            self.files.link(export, valid).await
        }
    }

    domain::export_files_contract!(super::files(), async |files: &Files, export: &Export| {
        files.bucket.file(&key(export))
    });
}

fn key(export: &Export) -> String {
    format!("{}/{}/{}", export.tenant, export.id, export.created_at.as_millis())
}

#[tokio::test]
async fn to_complete_a_file_may_take_longer_than_a_part() {
    let (bucket, part) = (Bucket::slow(Duration::from_secs(4)), Duration::from_secs(3));
    let files = bucket::files(&bucket.serve().await, part);
    let export = sample::export(Format::Csv);
    let mut upload = Upload { id: files.begin(&export).await.unwrap(), parts: Vec::new() };
    upload.parts.push(files.put_part(&export, &upload, b"all".to_vec()).await.unwrap());
    files.complete(&export, &upload).await.unwrap();
    assert_eq!(bucket.file(&key(&export)), Some(b"all".to_vec()));
}

#[tokio::test]
async fn the_index_of_those_that_run_takes_a_write_at_the_beginning_and_at_the_end_alone() {
    let engine = Engine::start().await;
    let exports = ExportsTable::new(engine.client.clone(), EXPORTS_TABLE);
    let units = || engine.meter.take().iter().map(|call| call.units).sum::<f64>();
    let export = sample::export(Format::Csv);
    exports.insert(&export).await.unwrap();
    assert_eq!(units(), 2.0);
    let upload = Upload { id: "upload".to_owned(), parts: vec!["tag".to_owned()] };
    let part = export.with_part(upload, None, true, Written::default(), sample::stamp(101).at);
    let handed_over = part.handed_over(sample::stamp(102).at);
    let put_off = handed_over.put_off(sample::stamp(103).at);
    for saved in [&part, &handed_over, &put_off] {
        exports.replace(saved).await.unwrap();
        assert_eq!(units(), 1.0, "{:?}", saved.state);
    }
    exports.replace(&put_off.succeeded(sample::stamp(104).at)).await.unwrap();
    assert_eq!(units(), 2.0);
    exports.running(&export.tenant, export.created_at, 10).await.unwrap();
    assert_eq!(units(), 0.5);
}

#[tokio::test]
async fn an_export_of_many_pages_and_parts_has_every_order_once() {
    let (engine, files) = (Engine::start().await, files().await);
    engine.fill(2..1_202).await;
    let export = Export { created_at: SystemClock.now(), ..sample::export(Format::JsonLines) };
    let exports = ExportsTable::new(engine.client.clone(), EXPORTS_TABLE);
    exports.insert(&export).await.unwrap();
    let latest = engine.store(1);
    let store = latest.eventually_consistent();
    let part = 64 * 1_024;
    let writing = WriteExport { store, latest, exports, files: files.files, rows: FileRows, clock: SystemClock, part };
    let mut turns = 1;
    let over = loop {
        // A part a turn.
        match writing.run(&export.tenant, export.id, export.created_at).await.unwrap() {
            Turn::HandedOver(_) => turns += 1,
            Turn::Over(export) => break export,
            other => panic!("{other:?}"),
        }
    };
    let file = files.bucket.file(&key(&export)).unwrap();
    let orders: Vec<Value> =
        file.split(|byte| *byte == b'\n').filter_map(|line| serde_json::from_slice(line).ok()).collect();
    assert_eq!((orders.len(), over.written.orders, over.written.bytes), (1_201, 1_201, file.len() as u64));
    assert!(turns > 10, "{turns}");
    let mut ids: Vec<_> = orders.iter().map(|order| order["id"].as_str().unwrap()).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 1_201);
}
