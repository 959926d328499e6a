//! Exports that wait for a turn -> parts of their files

use std::time::Duration;

use adapters::exports::{ExportBucket, ExportsTable, FileRows, take_turns};
use adapters::store::DynamoStore;
use adapters::system::SystemClock;
use adapters::{aws, telemetry};
use aws_lambda_events::dynamodb::Event;
use domain::ports::{Clock, ExportFiles, ExportRows, ExportStore, OrderStore};
use domain::use_cases::{PART, WriteExport, WriteExportError};
use lambda_runtime::{Error, LambdaEvent, service_fn};

/// Nothing is begun after this; the function's timeout leaves time to finish what was.
const TURN: Duration = Duration::from_secs(60);

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    telemetry::init(module_path!());
    let aws = aws::config()?;
    let latest = DynamoStore::from_env(&aws)?;
    let writing = WriteExport {
        store: latest.eventually_consistent(),
        latest,
        exports: ExportsTable::from_env(&aws)?,
        files: ExportBucket::from_env(&aws)?,
        rows: FileRows,
        clock: SystemClock,
        part: PART,
    };
    lambda_runtime::run(service_fn(|event: LambdaEvent<Event>| {
        let writing = &writing;
        async move {
            let LambdaEvent { payload, context } = event;
            Ok::<_, Error>(telemetry::invocation("exported", &context, handle(writing, payload)).await?)
        }
    }))
    .await
}

async fn handle<S, E, F, R, K>(writing: &WriteExport<S, E, F, R, K>, event: Event) -> Result<(), WriteExportError>
where
    S: OrderStore,
    E: ExportStore,
    F: ExportFiles,
    R: ExportRows,
    K: Clock,
{
    take_turns(writing, event, writing.clock.now().plus(TURN)).await
}

#[cfg(test)]
mod tests {
    use adapters::testing;
    use domain::export::{Export, Format, State, Upload};
    use domain::memory::{FixedClock, MemoryExports, MemoryFiles, MemoryStore, sample};
    use domain::ports::FileError;

    use super::*;

    fn writing() -> WriteExport<MemoryStore, MemoryExports, MemoryFiles, FileRows, FixedClock> {
        WriteExport {
            store: MemoryStore::default(),
            latest: MemoryStore::default(),
            exports: MemoryExports::default(),
            files: MemoryFiles::default(),
            rows: FileRows,
            clock: FixedClock(sample::stamp(200).at),
            part: PART,
        }
    }

    #[tokio::test]
    async fn the_sample_event_has_its_export_written_once() {
        let (writing, export) = (writing(), sample::export(Format::JsonLines));
        writing.store.insert(&sample::order()).await.unwrap();
        writing.exports.insert(&export).await.unwrap();
        for _ in 0..2 {
            handle(&writing, testing::sample_event("write-export")).await.unwrap();
            let stored = writing.exports.load(&export.tenant, export.id).await.unwrap().unwrap();
            assert_eq!((&stored.state, stored.written.orders, stored.revision), (&State::Succeeded, 1, 3));
        }
        let file = String::from_utf8(writing.files.file(&export).unwrap()).unwrap();
        let order: serde_json::Value = serde_json::from_str(file.trim_end()).unwrap();
        assert_eq!((order["id"].as_str(), order.get("history")), (Some(&*sample::order_id(1).to_string()), None));
    }

    /// Is never there.
    struct NoFiles;

    impl ExportFiles for NoFiles {
        async fn begin(&self, _: &Export) -> Result<String, FileError> {
            Err(FileError::Unavailable("no files".to_owned()))
        }

        async fn put_part(&self, _: &Export, _: &Upload, _: Vec<u8>) -> Result<String, FileError> {
            Err(FileError::Unavailable("no files".to_owned()))
        }

        async fn complete(&self, _: &Export, _: &Upload) -> Result<(), FileError> {
            Err(FileError::Unavailable("no files".to_owned()))
        }

        async fn link(&self, _: &Export, _: Duration) -> Result<String, FileError> {
            Err(FileError::Unavailable("no files".to_owned()))
        }
    }

    #[tokio::test]
    async fn an_export_that_fails_waits_again_and_fails_no_batch() {
        let WriteExport { store, latest, exports, rows, clock, part, .. } = writing();
        let writing = WriteExport { store, latest, exports, files: NoFiles, rows, clock, part };
        let export = sample::export(Format::JsonLines);
        writing.exports.insert(&export).await.unwrap();
        handle(&writing, testing::sample_event("write-export")).await.unwrap();
        let stored = writing.exports.load(&export.tenant, export.id).await.unwrap().unwrap();
        let progress = stored.progress().unwrap();
        assert_eq!((stored.revision, progress.is_waiting, progress.attempts), (2, true, 1));
    }

    #[tokio::test]
    async fn a_record_that_names_no_export_stops_nobody() {
        let writing = writing();
        let mut event: Event = testing::sample_event("write-export");
        event.records[0].change.keys.clear();
        handle(&writing, event).await.unwrap();
        handle(&writing, testing::sample_event("write-export")).await.unwrap();
    }
}
