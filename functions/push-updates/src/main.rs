//! Events of the feed -> messages to the connections that subscribe

use adapters::live::{ApiSockets, SubscriptionsTable, UpdateBatch};
use adapters::system::SystemClock;
use adapters::{aws, connections, telemetry};
use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent};
use domain::ports::{Clock, RecentChanges, Sockets, Subjects, Subscriptions};
use domain::use_cases::PushUpdates;
use lambda_runtime::{Error, LambdaEvent, service_fn};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    telemetry::init(module_path!());
    let aws = aws::config()?;
    let (table, sockets) = (SubscriptionsTable::from_env(&aws)?, ApiSockets::from_env(&aws)?);
    let push = PushUpdates { table, sockets, clock: SystemClock };
    connections::made([push.table.connection()]).await;
    lambda_runtime::run(service_fn(|event: LambdaEvent<SqsEvent>| {
        let push = &push;
        async move {
            let LambdaEvent { payload, context } = event;
            Ok::<_, Error>(telemetry::invocation("pushed", &context, handle(push, payload)).await)
        }
    }))
    .await
}

async fn handle<T: Subscriptions + Subjects + RecentChanges, S: Sockets, C: Clock>(
    push: &PushUpdates<T, S, C>,
    event: SqsEvent,
) -> SqsBatchResponse {
    UpdateBatch::read(event).push(push).await
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use adapters::testing;
    use domain::memory::{Heard, MemorySockets, MemorySubscriptions, sample};
    use domain::subscription::{ConnectionId, Subscription, SubscriptionKey};

    use super::*;

    type Push = PushUpdates<MemorySubscriptions, MemorySockets, SystemClock>;

    /// A subscriber to all orders of the sample's storefront.
    async fn subscribed() -> (Push, ConnectionId) {
        let push = PushUpdates {
            table: MemorySubscriptions::default(),
            sockets: MemorySockets::default(),
            clock: SystemClock,
        };
        let connection = ConnectionId::parse("L0SM9cOFvHcCIhw=").unwrap();
        let subscription = Subscription {
            key: SubscriptionKey::Tenant(sample::tenant()),
            connection: connection.clone(),
            subject: None,
            confined_to: None,
            expires_at: SystemClock.now().plus(Duration::from_secs(60)),
        };
        let now = SystemClock.now();
        push.table.keep(&sample::tenant(), now, now.plus(Duration::from_secs(60))).await.unwrap();
        push.table.add(&subscription).await.unwrap();
        (push, connection)
    }

    /// Pushes a batch; the messages that come again.
    async fn pushed(push: &Push, event: SqsEvent) -> Vec<String> {
        let response = handle(push, event).await;
        response.batch_item_failures.into_iter().map(|failure| failure.item_identifier).collect()
    }

    #[tokio::test]
    async fn the_sample_event_reaches_its_subscriber_as_the_feed_has_it() {
        let (push, connection) = subscribed().await;
        let event: SqsEvent = testing::sample_event("push-updates");
        let bodies: Vec<_> = event.records.iter().map(|record| Heard::Text(record.body.clone().unwrap())).collect();
        assert!(pushed(&push, event).await.is_empty());
        assert_eq!(push.sockets.heard(&connection), bodies);
    }

    #[tokio::test]
    async fn what_reaches_nobody_comes_again_with_all_that_follows_it_of_its_order() {
        let (push, connection) = subscribed().await;
        push.sockets.set_down(true);
        assert_eq!(pushed(&push, testing::sample_event("push-updates")).await, ["1", "2"]);
        push.sockets.set_down(false);
        assert!(pushed(&push, testing::sample_event("push-updates")).await.is_empty());
        assert_eq!(push.sockets.heard(&connection).len(), 2);
    }

    #[tokio::test]
    async fn a_message_that_is_no_event_stops_nobody() {
        let (push, connection) = subscribed().await;
        let mut event: SqsEvent = testing::sample_event("push-updates");
        event.records[0].body = Some("nonsense".to_owned());
        assert!(pushed(&push, event).await.is_empty());
        assert_eq!(push.sockets.heard(&connection).len(), 1);
    }
}
