//! A writer dies before or after each of its effects, and another goes on.

use std::sync::atomic::Ordering;

use domain::export::{Export, Format, State};
use domain::memory::sample;
use domain::ports::ExportStore;
use domain::use_cases::Turn;

use crate::ports::{Death, Fate, Writing, all, ids, never, writing};

const ORDERS: u32 = 250;

/// Writes until the export is over; how often a writer died.
async fn written(writing: &Writing, export: &Export) -> usize {
    for died in 0..3 {
        match writing.run(&export.tenant, export.id, never()).await {
            Ok(Turn::Over(_)) => return died,
            Ok(Turn::Idle) => return died,
            // What failed was put off, or it was not even noted that it failed.
            Ok(Turn::Halted(..)) | Err(_) => {}
            Ok(other) => panic!("{other:?}"),
        }
    }
    panic!("the export is never over")
}

#[tokio::test]
async fn each_order_is_in_the_file_once_wherever_a_writer_dies() {
    for format in Format::ALL {
        let export = sample::export(format);
        let calm = writing(ORDERS, &export, Fate::of(usize::MAX, Death::Before)).await;
        assert_eq!(written(&calm, &export).await, 0);
        assert_eq!(ids(&calm, &export), all(ORDERS));
        let calls = calm.exports.1.calls.load(Ordering::SeqCst);
        // One upload, its parts, each noted, the completion, and that it is over.
        assert_eq!(calls, 1 + 2 * 42 + 2);
        for call in 0..calls {
            for death in [Death::Before, Death::After] {
                let writing = writing(ORDERS, &export, Fate::of(call, death)).await;
                assert_eq!(written(&writing, &export).await, 1, "{death:?} {call}");
                assert_eq!(ids(&writing, &export), all(ORDERS), "{death:?} {call}");
                let stored = writing.exports.load(&export.tenant, export.id).await.unwrap().unwrap();
                assert_eq!(stored.state, State::Succeeded);
                let file = writing.files.0.file(&export).unwrap();
                assert_eq!((stored.written.orders, stored.written.bytes), (ORDERS.into(), file.len() as u64));
            }
        }
    }
}
