//! The table's stream -> EventBridge

use adapters::publisher::SelectedPublisher;
use adapters::stream::StreamBatch;
use adapters::{aws, config, telemetry};
use aws_lambda_events::dynamodb::Event;
use aws_lambda_events::streams::DynamoDbEventResponse;
use domain::ports::EventPublisher;
use domain::use_cases::publish_changes;
use lambda_runtime::{Error, LambdaEvent, service_fn};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    telemetry::init();
    let publisher = SelectedPublisher::from_env(&aws::config().await?)?;
    let home_region = config::required("AWS_REGION")?;
    lambda_runtime::run(service_fn(|event: LambdaEvent<Event>| {
        let (publisher, home_region) = (&publisher, home_region.as_str());
        async move { Ok::<_, Error>(handle(publisher, home_region, event.payload).await) }
    }))
    .await
}

async fn handle(publisher: &impl EventPublisher, home_region: &str, event: Event) -> DynamoDbEventResponse {
    let batch = StreamBatch::read(event, home_region);
    let published = publish_changes(publisher, batch.changes()).await;
    batch.report(&published)
}

#[cfg(test)]
mod tests {
    use adapters::testing;
    use domain::event::EventId;
    use domain::memory::{MemoryPublisher, sample};

    use super::*;

    #[tokio::test]
    async fn the_sample_event_publishes_a_new_order() {
        let publisher = MemoryPublisher::default();
        let response = handle(&publisher, "eu-central-1", testing::sample_event("publish-events")).await;
        assert!(response.batch_item_failures.is_empty());
        let kinds: Vec<_> = publisher.published().iter().map(|event| event.kind.as_str()).collect();
        assert_eq!(kinds, ["order.created", "inventory.reserved", "order.confirmed"]);
    }

    #[tokio::test]
    async fn a_failed_event_is_asked_for_again() {
        let publisher = MemoryPublisher::default();
        publisher.refuse(EventId { order: sample::order_id(1), version: 1, index: 0 });
        let response = handle(&publisher, "eu-central-1", testing::sample_event("publish-events")).await;
        let failed: Vec<_> =
            response.batch_item_failures.iter().map(|failure| failure.item_identifier.as_deref()).collect();
        assert_eq!(failed, [Some("111")]);
    }

    #[tokio::test]
    async fn an_order_at_home_elsewhere_is_left_to_its_region() {
        let publisher = MemoryPublisher::default();
        handle(&publisher, "us-east-1", testing::sample_event("publish-events")).await;
        assert!(publisher.published().is_empty());
    }
}
