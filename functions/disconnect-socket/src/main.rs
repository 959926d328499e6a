//! A connection that was closed -> its subscriptions forgotten (`$disconnect`)

use adapters::live::{SocketEvent, SocketReply, SubscriptionsTable};
use adapters::{aws, telemetry};
use domain::ports::{Subjects, Subscriptions};
use domain::use_cases::forget_connection;
use lambda_runtime::{Error, LambdaEvent, service_fn};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    telemetry::init(module_path!());
    let table = SubscriptionsTable::from_env(&aws::config()?)?;
    lambda_runtime::run(service_fn(|event: LambdaEvent<SocketEvent>| {
        let table = &table;
        async move {
            let LambdaEvent { payload, context } = event;
            Ok::<_, Error>(telemetry::invocation("disconnected", &context, handle(table, payload)).await)
        }
    }))
    .await
}

/// What cannot be forgotten now is found gone at its next update, and expires.
async fn handle(table: &(impl Subscriptions + Subjects), event: SocketEvent) -> SocketReply {
    match event.connection() {
        Ok(connection) => {
            if let Err(error) = forget_connection(table, &connection).await {
                telemetry::failed(error);
            }
        }
        Err(problem) => telemetry::failed(problem.code().as_str()),
    }
    SocketReply::done()
}

#[cfg(test)]
mod tests {
    use adapters::testing;
    use domain::memory::{MemorySubscriptions, sample};
    use domain::ports::{Connected, OrderKey};
    use domain::subscription::{ConnectionId, Subject, Subscription, SubscriptionKey};

    use super::*;

    #[tokio::test]
    async fn the_sample_event_has_all_subscriptions_of_its_connection_forgotten_and_no_others() {
        let table = MemorySubscriptions::default();
        let closed = testing::sample_event::<SocketEvent>("disconnect-socket").connection().unwrap();
        let other = ConnectionId::parse("other=").unwrap();
        let (now, later) = (sample::stamp(0).at, sample::stamp(60).at);
        let subject = Subject { tenant: sample::tenant(), name: "shop-backend".to_owned() };
        for connection in [&closed, &other] {
            assert!(table.count_connection(&subject, connection, now, later, 2).await.unwrap());
            for n in 1..=40 {
                let key = SubscriptionKey::Order(OrderKey { tenant: sample::tenant(), id: sample::order_id(n) });
                let expires_at = sample::stamp(1).at;
                let connection = connection.clone();
                table
                    .add(&Subscription { key, connection, subject: None, confined_to: None, expires_at })
                    .await
                    .unwrap();
            }
        }
        assert_eq!(handle(&table, testing::sample_event("disconnect-socket")).await, SocketReply::done());
        assert_eq!(table.of_connection(&closed).await.unwrap(), Connected::default());
        let known = table.of_connection(&other).await.unwrap();
        assert_eq!((known.subject, known.keys.len()), (Some(subject), 40));
    }
}
