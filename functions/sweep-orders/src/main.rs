//! Schedule -> drive overdue settlements again

use std::time::Duration;

use adapters::outbound::CallScope;
use adapters::system::SystemClock;
use adapters::{aws, settlement, telemetry};
use aws_lambda_events::eventbridge::EventBridgeEvent;
use domain::history::Stamp;
use domain::ports::{Clock, CustomerService, InventoryService, OrderStore};
use domain::use_cases::{SettleOrder, sweep_orders};
use lambda_runtime::{Context, Error, LambdaEvent, service_fn};

/// The most orders of one run; the next run takes the next.
const MOST: u16 = 100;

/// All partner work of one run must fit into this.
const RUN_BUDGET: Duration = Duration::from_secs(50);

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    telemetry::init();
    let settle = settlement::from_env(&aws::config().await?)?;
    lambda_runtime::run(service_fn(|event: LambdaEvent<EventBridgeEvent>| {
        let settle = &settle;
        async move { handle(settle, &event.context, SystemClock.now()).await }
    }))
    .await
}

async fn handle<S, C, I>(
    settle: &SettleOrder<S, C, I>,
    context: &Context,
    at: domain::timestamp::Timestamp,
) -> Result<(), Error>
where
    S: OrderStore,
    C: CustomerService,
    I: InventoryService,
{
    let stamp = Stamp { at, actor: "sweep-orders".to_owned(), request_id: context.request_id.clone() };
    let scope = CallScope::within(RUN_BUDGET, Some(context));
    let sweep = scope.run(sweep_orders(settle, &stamp, MOST)).await?;
    tracing::info!(settled = sweep.settled, postponed = sweep.postponed, "swept");
    Ok(())
}

#[cfg(test)]
mod tests {
    use adapters::testing;
    use domain::memory::{MemoryStore, sample};
    use domain::order::SETTLE_WITHIN;

    use super::*;

    #[tokio::test]
    async fn the_sample_event_settles_what_is_overdue() {
        let event: EventBridgeEvent = testing::sample_event("sweep-orders");
        assert_eq!(event.detail_type, "Scheduled Event");
        let settle = SettleOrder {
            store: MemoryStore::default(),
            customers: sample::customers(),
            inventory: sample::inventory(),
        };
        let order = sample::bare_order();
        settle.store.insert(&order).await.unwrap();
        let mut context = Context::default();
        context.deadline = u64::MAX / 2;
        handle(&settle, &context, order.created_at.plus(SETTLE_WITHIN)).await.unwrap();
        let settled = settle.store.get(&order.tenant, order.id).await.unwrap().unwrap();
        assert_eq!(settled.settlement.due, None);
    }
}
