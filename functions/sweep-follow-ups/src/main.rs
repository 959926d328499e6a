//! Schedule -> retry the follow-ups that are due

use std::time::Duration;

use adapters::backlog::Waiting;
use adapters::outbound::{CallScope, Circuits};
use adapters::system::SystemClock;
use adapters::telemetry::{self, metrics};
use adapters::{aws, follow_ups};
use aws_lambda_events::eventbridge::EventBridgeEvent;
use domain::ports::{Clock, CustomerService, InventoryService, OrderStore};
use domain::use_cases::Sweep;
use lambda_runtime::{Context, Error, LambdaEvent, service_fn};

/// No order is begun after this; the function's timeout leaves time to finish those that were.
const RUN: Duration = Duration::from_secs(50);

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    telemetry::init(module_path!());
    let aws = aws::config()?;
    let circuits = Circuits::from_env(&aws)?;
    let sweep = Sweep { follow_ups: follow_ups::connected(&aws, &circuits).await?, clock: SystemClock };
    lambda_runtime::run(service_fn(|event: LambdaEvent<EventBridgeEvent>| {
        let (sweep, circuits) = (&sweep, &circuits);
        async move {
            if event.payload.detail_type == CHECK {
                return check(&sweep.follow_ups.store, circuits).await;
            }
            let work = async {
                tell_what_waits(&sweep.follow_ups.store, circuits).await;
                handle(sweep, &event.context).await
            };
            telemetry::invocation("swept", &event.context, work).await
        }
    }))
    .await
}

/// The type of an event that only asks whether this version works, before it is given the work.
const CHECK: &str = "check";

/// Reads what a sweep reads, and leaves it to the version that is in charge.
async fn check(store: &impl OrderStore, circuits: &Circuits) -> Result<(), Error> {
    Waiting::in_all(store, SystemClock.now()).await?;
    circuits.refresh().await?;
    Ok(())
}

/// Notes how much waits, and whether circuits are open, once a minute: the sweep begins a hundred orders at once, and knows
/// of open circuits before. What cannot be read is no reason not to sweep.
async fn tell_what_waits(store: &impl OrderStore, circuits: &Circuits) {
    match Waiting::in_all(store, SystemClock.now()).await {
        Ok(waiting) => telemetry::count(&metrics::FOLLOW_UPS_WAITING, waiting.orders),
        Err(error) => telemetry::failed(format_args!("what waits cannot be counted: {error}")),
    }
    circuits.measure().await;
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
    let stamp = telemetry::stamp_of("sweep-follow-ups", at, context);
    let scope = CallScope::within(RUN + Duration::from_secs(5), Some(context));
    let swept = scope.run(sweep.run(&stamp, at.plus(RUN))).await;
    follow_ups::tell(&swept, sweep.clock.now());
    if let Some(error) = &swept.unread {
        telemetry::failed(format_args!("a part of the index by-follow-up was not read: {error}"));
    }
    swept.unread.map_or(Ok(()), |error| Err(error.into()))
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
