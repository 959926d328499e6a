//! The table's stream -> EventBridge and SNS

use adapters::dead_letters::{DeadLetterQueue, DeadLetters};
use adapters::publisher::SelectedPublisher;
use adapters::stream::StreamBatch;
use adapters::{aws, config, connections, telemetry};
use aws_lambda_events::dynamodb::Event;
use aws_lambda_events::streams::DynamoDbEventResponse;
use domain::ports::EventPublisher;
use lambda_runtime::{Error, LambdaEvent, service_fn};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    telemetry::init(module_path!());
    let aws = aws::config()?;
    let (publisher, dead_letters) = (SelectedPublisher::from_env(&aws)?, DeadLetterQueue::from_env(&aws)?);
    let home_region = config::required("AWS_REGION")?;
    connections::made(publisher.connections()).await;
    lambda_runtime::run(service_fn(|event: LambdaEvent<Event>| {
        let (publisher, dead_letters, home_region) = (&publisher, &dead_letters, home_region.as_str());
        async move {
            let work = handle(publisher, dead_letters, home_region, event.payload);
            Ok::<_, Error>(telemetry::invocation("published", &event.context, work).await)
        }
    }))
    .await
}

async fn handle(
    publisher: &impl EventPublisher,
    dead_letters: &impl DeadLetters,
    home_region: &str,
    event: Event,
) -> DynamoDbEventResponse {
    StreamBatch::read(event, home_region).publish(publisher, dead_letters).await
}

#[cfg(test)]
mod tests {
    use adapters::testing::{self, MemoryDeadLetters};
    use domain::event::EventId;
    use domain::history::EventKind;
    use domain::memory::{MemoryPublisher, sample};

    use super::*;

    /// Publishes a batch; the sequence number from which it is retried.
    async fn resume_at(publisher: &MemoryPublisher, dead_letters: &MemoryDeadLetters, event: Event) -> Option<String> {
        let response = handle(publisher, dead_letters, "eu-central-1", event).await;
        assert!(response.batch_item_failures.len() <= 1);
        response.batch_item_failures.into_iter().find_map(|failure| failure.item_identifier)
    }

    fn sample() -> Event {
        testing::sample_event("publish-events")
    }

    /// A batch of three: the sample, a record that is no order, and another order.
    fn with_unreadable() -> Event {
        let mut event = sample();
        let mut unreadable = event.records[0].clone();
        unreadable.change.sequence_number = Some("112".to_owned());
        unreadable.change.new_image =
            serde_dynamo::to_item(std::collections::HashMap::from([("pk", "demo#x")])).unwrap();
        let mut other = serde_json::to_string(&event.records[0]).unwrap();
        other = other.replace(&sample::order_id(1).to_string(), &sample::order_id(2).to_string());
        other = other.replace("\"111\"", "\"113\"");
        event.records.extend([unreadable, serde_json::from_str(&other).unwrap()]);
        event
    }

    #[tokio::test]
    async fn the_sample_event_publishes_a_new_order() {
        let publisher = MemoryPublisher::default();
        assert_eq!(resume_at(&publisher, &MemoryDeadLetters::default(), sample()).await, None);
        let kinds: Vec<_> = publisher.published().into_iter().map(|event| event.kind).collect();
        assert_eq!(kinds, [EventKind::OrderCreated, EventKind::InventoryReserved, EventKind::OrderConfirmed]);
    }

    #[tokio::test]
    async fn a_failed_event_is_retried() {
        let publisher = MemoryPublisher::default();
        publisher.refuse(EventId { order: sample::order_id(1), version: 1, index: 0 });
        let resumed = resume_at(&publisher, &MemoryDeadLetters::default(), sample()).await;
        assert_eq!(resumed.as_deref(), Some("111"));
    }

    #[tokio::test]
    async fn an_order_at_home_elsewhere_is_left_to_its_region() {
        let publisher = MemoryPublisher::default();
        handle(&publisher, &MemoryDeadLetters::default(), "us-east-1", sample()).await;
        assert!(publisher.published().is_empty());
    }

    #[tokio::test]
    async fn a_record_that_is_no_order_is_set_aside_and_stops_nobody() {
        let (publisher, dead_letters) = (MemoryPublisher::default(), MemoryDeadLetters::default());
        assert_eq!(resume_at(&publisher, &dead_letters, with_unreadable()).await, None);
        assert_eq!(publisher.published().len(), 6);
        let buried = dead_letters.buried();
        assert_eq!((buried.len(), buried[0].sequence_number.as_str()), (1, "112"));
        assert_eq!(buried[0].key.as_deref(), Some(format!("demo#{}", sample::order_id(1)).as_str()));
    }

    #[tokio::test]
    async fn a_record_that_cannot_be_set_aside_is_retried_and_nothing_passes_it() {
        let (publisher, dead_letters) = (MemoryPublisher::default(), MemoryDeadLetters::default());
        dead_letters.set_down(true);
        assert_eq!(resume_at(&publisher, &dead_letters, with_unreadable()).await.as_deref(), Some("112"));
        assert_eq!(publisher.published().len(), 3);
    }

    #[tokio::test]
    async fn a_record_that_only_a_newer_release_can_read_is_retried_not_set_aside() {
        let (publisher, dead_letters) = (MemoryPublisher::default(), MemoryDeadLetters::default());
        let mut event = with_unreadable();
        let newer = serde_dynamo::to_item(serde_json::json!({"pk": "demo#x", "fm": 2})).unwrap();
        event.records[1].change.new_image = newer;
        assert_eq!(resume_at(&publisher, &dead_letters, event).await.as_deref(), Some("112"));
        assert_eq!((publisher.published().len(), dead_letters.buried().len()), (3, 0));
    }

    #[tokio::test]
    async fn a_write_that_makes_no_version_is_passed_over_also_when_nobody_can_read_it() {
        for stored in [serde_json::json!({"v": 7}), serde_json::json!({"v": 7, "fm": 2}), serde_json::json!({"v": "x"})]
        {
            let (publisher, dead_letters) = (MemoryPublisher::default(), MemoryDeadLetters::default());
            let mut event = with_unreadable();
            event.records[1].change.old_image = serde_dynamo::to_item(&stored).unwrap();
            event.records[1].change.new_image = serde_dynamo::to_item(&stored).unwrap();
            assert_eq!(resume_at(&publisher, &dead_letters, event).await, None);
            assert_eq!((publisher.published().len(), dead_letters.buried().len()), (6, 0));
        }
    }

    #[tokio::test]
    async fn an_order_that_was_unreadable_before_is_published() {
        let (publisher, dead_letters) = (MemoryPublisher::default(), MemoryDeadLetters::default());
        let mut event = sample();
        event.records[0].change.old_image = serde_dynamo::to_item(serde_json::json!({"v": 0})).unwrap();
        assert_eq!(resume_at(&publisher, &dead_letters, event).await, None);
        assert_eq!((publisher.published().len(), dead_letters.buried().len()), (3, 0));
    }

    #[tokio::test]
    async fn what_a_newer_release_wrote_in_a_known_format_is_published() {
        let newer = serde_json::to_string(&sample()).unwrap().replace("confirmed", "on_hold");
        let newer = newer.replace("\"crf\"", "\"c[order.held]r\"").replace("\"EUR\"", "\"HRK\"");
        let publisher = MemoryPublisher::default();
        let event = serde_json::from_str(&newer).unwrap();
        assert_eq!(resume_at(&publisher, &MemoryDeadLetters::default(), event).await, None);
        let kinds: Vec<_> = publisher.published().into_iter().map(|event| event.kind).collect();
        assert_eq!(kinds, [EventKind::OrderCreated, EventKind::restore("order.held"), EventKind::InventoryReserved]);
    }

    #[tokio::test]
    async fn the_lowest_failure_is_reported() {
        let publisher = MemoryPublisher::default();
        for n in [1, 2] {
            publisher.refuse(EventId { order: sample::order_id(n), version: 1, index: 1 });
        }
        let resumed = resume_at(&publisher, &MemoryDeadLetters::default(), with_unreadable()).await;
        assert_eq!(resumed.as_deref(), Some("111"));
    }
}
