//! Copies of what came out of bus and feed -> the audit trail

use adapters::audit::{AuditBatch, AuditTable};
use adapters::system::SystemClock;
use adapters::{aws, telemetry};
use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent};
use domain::ports::{Clock, EventRecorder};
use domain::timestamp::Timestamp;
use lambda_runtime::{Error, LambdaEvent, service_fn};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    telemetry::init(module_path!());
    let table = AuditTable::from_env(&aws::config()?, ())?;
    lambda_runtime::run(service_fn(|event: LambdaEvent<SqsEvent>| {
        let table = &table;
        async move { Ok::<_, Error>(handle(table, event.payload, SystemClock.now()).await) }
    }))
    .await
}

async fn handle(recorder: &impl EventRecorder, event: SqsEvent, now: Timestamp) -> SqsBatchResponse {
    AuditBatch::read(event).record(recorder, now).await
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use adapters::testing;
    use domain::event::EventId;
    use domain::memory::{MemoryTrail, sample};
    use domain::ports::AuditTrail;

    use super::*;

    /// Records a batch; the messages that come again.
    async fn record(trail: &MemoryTrail, event: SqsEvent) -> Vec<String> {
        let response = handle(trail, event, sample::stamp(1).at).await;
        response.batch_item_failures.into_iter().map(|failure| failure.item_identifier).collect()
    }

    fn sample() -> SqsEvent {
        testing::sample_event("record-events")
    }

    fn ids(indexes: &[usize]) -> BTreeSet<EventId> {
        indexes.iter().map(|index| EventId { order: sample::order_id(1), version: 1, index: *index }).collect()
    }

    #[tokio::test]
    async fn the_sample_event_records_each_channel_and_passes_the_marker() {
        let trail = MemoryTrail::default();
        assert!(record(&trail, sample()).await.is_empty());
        let seen = trail.seen(&[sample::order_id(1)]).await.unwrap();
        let seen = &seen[&sample::order_id(1)];
        assert_eq!((&seen.bus, &seen.feed), (&ids(&[0]), &ids(&[0, 1])));
        trail.set_behind(true);
        assert!(trail.has_passed("scheduled@1767225600000", sample::stamp(1).at).await.unwrap());
    }

    #[tokio::test]
    async fn what_cannot_be_recorded_comes_again_and_no_marker_passes_it() {
        let trail = MemoryTrail::default();
        trail.set_down(true);
        assert_eq!(record(&trail, sample()).await, ["1", "2", "3", "4"]);
        trail.set_behind(true);
        assert!(!trail.has_passed("scheduled@1767225600000", sample::stamp(1).at).await.unwrap());
        trail.set_down(false);
        assert!(record(&trail, sample()).await.is_empty());
        assert!(trail.has_passed("scheduled@1767225600000", sample::stamp(1).at).await.unwrap());
    }

    #[tokio::test]
    async fn a_message_that_is_nothing_of_ours_stops_nobody() {
        let trail = MemoryTrail::default();
        let mut event = sample();
        for (message, body) in event.records.iter_mut().zip(["nonsense", r#"{"id": "1"}"#, "{}"]) {
            message.body = Some(body.to_owned());
        }
        assert!(record(&trail, event).await.is_empty());
        assert!(trail.seen(&[sample::order_id(1)]).await.unwrap().is_empty());
    }
}
