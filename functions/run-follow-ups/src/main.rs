//! The table's stream -> do at once what a committed order still needs

use std::time::Duration;

use adapters::outbound::{CallScope, Circuits};
use adapters::stream::StreamBatch;
use adapters::system::SystemClock;
use adapters::telemetry::{self, metrics};
use adapters::{aws, config, follow_ups};
use aws_lambda_events::dynamodb::Event;
use domain::ports::{Clock, CustomerService, InventoryService, OrderStore};
use domain::timestamp::Timestamp;
use domain::use_cases::{FollowUps, Outcome};
use lambda_runtime::{Context, Error, LambdaEvent, service_fn};

/// All partner work of one batch must fit into this; its orders are worked on side by side.
const BATCH_BUDGET: Duration = Duration::from_secs(10);

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    telemetry::init(module_path!());
    let aws = aws::config()?;
    let follow_ups = follow_ups::connected(&aws, &Circuits::from_env(&aws)?).await?;
    let home_region = config::required("AWS_REGION")?;
    lambda_runtime::run(service_fn(|event: LambdaEvent<Event>| {
        let (follow_ups, batch) = (&follow_ups, StreamBatch::read(event.payload, &home_region));
        async move {
            let work = handle(follow_ups, batch, &event.context, SystemClock.now());
            telemetry::invocation("followed up", &event.context, work).await;
            Ok::<_, Error>(())
        }
    }))
    .await
}

/// Never fails: what could not be done stays in the index by-follow-up, which sweep-follow-ups works through.
async fn handle<S, C, I>(follow_ups: &FollowUps<S, C, I>, batch: StreamBatch, context: &Context, at: Timestamp)
where
    S: OrderStore,
    C: CustomerService,
    I: InventoryService,
{
    let stamp = telemetry::stamp_of("run-follow-ups", at, context);
    let scope = CallScope::within(BATCH_BUDGET, Some(context));
    for outcome in scope.run(follow_ups.run_committed(batch.orders(), &stamp)).await {
        telemetry::count(&metrics::FOLLOW_UP_ATTEMPTS, 1);
        match outcome {
            Ok(Outcome::Done | Outcome::Overtaken | Outcome::NeedsNewerRelease) => {}
            Ok(Outcome::Postponed) => telemetry::count(&metrics::FOLLOW_UPS_POSTPONED, 1),
            Err(error) => telemetry::failed(format_args!("a follow-up was not noted and is retried: {error}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use adapters::testing;
    use domain::memory::{MemoryCustomers, MemoryInventory, MemoryStore, sample};
    use domain::order::Order;

    use super::*;

    type Service = FollowUps<MemoryStore, MemoryCustomers, MemoryInventory>;

    async fn service() -> Service {
        let follow_ups = FollowUps {
            store: MemoryStore::default(),
            customers: sample::customers(),
            inventory: sample::inventory(),
            pending_timeout: Duration::from_secs(3_600),
        };
        follow_ups.store.insert(&sample::order()).await.unwrap();
        follow_ups.inventory.reserve(&sample::order().reservation()).await.unwrap();
        follow_ups
    }

    async fn handled(follow_ups: &Service, home_region: &str) -> Order {
        let mut context = Context::default();
        context.deadline = u64::MAX / 2;
        let batch = StreamBatch::read(testing::sample_event("run-follow-ups"), home_region);
        handle(follow_ups, batch, &context, sample::stamp(2).at).await;
        follow_ups.store.get(&sample::tenant(), sample::order_id(1)).await.unwrap().unwrap()
    }

    #[tokio::test]
    async fn the_sample_event_confirms_the_reservation_of_a_new_order() {
        let follow_ups = service().await;
        let order = handled(&follow_ups, "eu-central-1").await;
        assert_eq!((order.follow_ups.len(), follow_ups.inventory.confirmed()), (0, 1));
    }

    #[tokio::test]
    async fn what_fails_is_left_to_the_sweep() {
        let follow_ups = service().await;
        follow_ups.inventory.set_down(true);
        let order = handled(&follow_ups, "eu-central-1").await;
        assert_eq!(order.follow_ups.iter().map(|follow_up| follow_up.attempts).collect::<Vec<_>>(), [1]);
    }

    #[tokio::test]
    async fn an_order_at_home_elsewhere_is_left_to_its_region() {
        let follow_ups = service().await;
        assert_eq!(handled(&follow_ups, "us-east-1").await.follow_ups, sample::order().follow_ups);
    }
}
