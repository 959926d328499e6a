//! Schedule -> retry the follow-ups that are due

use std::time::Duration;

use adapters::outbound::CallScope;
use adapters::system::SystemClock;
use adapters::{aws, follow_ups, telemetry};
use aws_lambda_events::eventbridge::EventBridgeEvent;
use domain::history::Stamp;
use domain::ports::{Clock, CustomerService, InventoryService, OrderStore};
use domain::use_cases::{Sweep, Swept};
use lambda_runtime::{Context, Error, LambdaEvent, service_fn};

/// No order is begun after this; the function's timeout leaves time to finish those that were.
const RUN: Duration = Duration::from_secs(50);

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    telemetry::init(module_path!());
    let sweep = Sweep { follow_ups: follow_ups::connected(&aws::config().await?).await?, clock: SystemClock };
    lambda_runtime::run(service_fn(|event: LambdaEvent<EventBridgeEvent>| {
        let sweep = &sweep;
        async move { handle(sweep, &event.context).await }
    }))
    .await
}

/// Fails when a part of the index could not be read, after all that could.
async fn handle<S, C, I, K>(sweep: &Sweep<S, C, I, K>, context: &Context) -> Result<(), Error>
where
    S: OrderStore,
    C: CustomerService,
    I: InventoryService,
    K: Clock,
{
    let at = sweep.clock.now();
    let stamp = Stamp { at, actor: "sweep-follow-ups".to_owned(), request_id: context.request_id.clone() };
    let scope = CallScope::within(RUN + Duration::from_secs(5), Some(context));
    let swept = scope.run(sweep.run(&stamp, at.plus(RUN))).await;
    follow_ups::tell(&swept, sweep.clock.now());
    let Swept { done, postponed, put_off, failed, unread, waits_since: _ } = swept;
    tracing::info!(done, postponed, put_off, failed, "swept");
    unread.map_or(Ok(()), |error| Err(error.into()))
}

#[cfg(test)]
mod tests {
    use adapters::testing;
    use domain::memory::{MemoryStore, sample};
    use domain::timestamp::Timestamp;
    use domain::use_cases::FollowUps;

    use super::*;

    struct At(Timestamp);

    impl Clock for At {
        fn now(&self) -> Timestamp {
            self.0
        }
    }

    #[tokio::test]
    async fn the_sample_event_does_what_is_due() {
        let event: EventBridgeEvent = testing::sample_event("sweep-follow-ups");
        assert_eq!(event.detail_type, "Scheduled Event");
        let follow_ups = FollowUps {
            store: MemoryStore::default(),
            customers: sample::customers(),
            inventory: sample::inventory(),
            pending_timeout: Duration::from_secs(3_600),
        };
        let order = sample::bare_order();
        follow_ups.store.insert(&order).await.unwrap();
        let sweep = Sweep { follow_ups, clock: At(sample::stamp(60).at) };
        let mut context = Context::default();
        context.deadline = u64::MAX / 2;
        handle(&sweep, &context).await.unwrap();
        let order = sweep.follow_ups.store.get(&order.tenant, order.id).await.unwrap().unwrap();
        assert_eq!(order.follow_ups, []);
    }
}
