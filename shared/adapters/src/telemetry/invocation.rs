//! The line of an invocation that answers no HTTP request: a batch of the stream, a sweep.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use domain::history::Stamp;
use domain::timestamp::Timestamp;
use domain::trace;
use lambda_runtime::Context;

use super::line::Line;
use super::notes::{Notes, millis, noting};
use super::trace_of;

/// Whether this is the first time that the process is asked.
pub fn is_cold_start() -> bool {
    static IS_COLD: AtomicBool = AtomicBool::new(true);
    IS_COLD.swap(false, Ordering::Relaxed)
}

/// What the history says of an invocation that acts on its own.
#[must_use]
pub fn stamp_of(actor: &'static str, at: Timestamp, context: &Context) -> Stamp {
    let trace = trace_of(None, context.xray_trace_id.as_deref(), &context.request_id);
    Stamp { at, actor: actor.to_owned(), request_id: context.request_id.clone(), trace }
}

/// Does the work of one invocation in its trace, then writes its line; none for one that measured nothing, such as a batch
/// without a new version.
pub async fn invocation<F: Future>(message: &'static str, context: &Context, work: F) -> F::Output {
    let (done, line) = told(message, context, work).await;
    if let Some(line) = line {
        line.write();
    }
    done
}

/// Does the work of one invocation, and returns its line.
pub(crate) async fn told<F: Future>(message: &'static str, context: &Context, work: F) -> (F::Output, Option<Line>) {
    let (started, is_cold) = (Instant::now(), is_cold_start());
    let trace = trace_of(None, context.xray_trace_id.as_deref(), &context.request_id);
    let (done, notes) = noting(trace::within(trace, work)).await;
    if notes.is_empty() {
        return (done, None);
    }
    let line = Line::info(message)
        .with("lambda_request_id", context.request_id.as_str())
        .with_some("trace_id", trace.map(trace::TraceParent::trace_id))
        .with("ms", millis(started.elapsed()))
        .with("cold_start", is_cold);
    (done, Some(Notes::tell(notes, line)))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::telemetry::{count, failed, metrics};
    use crate::testing;

    #[tokio::test]
    async fn a_batch_is_one_line_of_known_members() {
        let context = testing::lambda_context("6f1c9a52-0d4e-4c1b-9a51-000000000001");
        let (done, line) = told("published", &context, async {
            count(&metrics::DEAD_LETTERS, 1);
            trace::current()
        })
        .await;
        let mut line = line.unwrap().into_json();
        for varying in ["timestamp", "_aws", "ms", "cold_start"] {
            assert!(line.as_object_mut().unwrap().remove(varying).is_some(), "{varying}");
        }
        let expected = json!({
            "level": "INFO",
            "message": "published",
            "lambda_request_id": "6f1c9a52-0d4e-4c1b-9a51-000000000001",
            "trace_id": "6f1c9a520d4e4c1b9a51000000000001",
            "DeadLetters": 1,
        });
        assert_eq!(line, expected);
        assert_eq!(done.unwrap().to_string(), "00-6f1c9a520d4e4c1b9a51000000000001-6f1c9a520d4e4c1b-00");
    }

    #[tokio::test]
    async fn a_batch_with_nothing_to_do_has_no_line_and_one_that_failed_has() {
        let context = testing::lambda_context("lambda");
        assert!(told("published", &context, async {}).await.1.is_none());
        assert!(told("published", &context, async { failed("the bus did not take an event") }).await.1.is_some());
    }
}
