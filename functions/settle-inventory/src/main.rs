//! SQS -> confirm, release or finish with the partners, later than the request

use std::time::Duration;

use adapters::messages::{self, OrderMessage};
use adapters::outbound::CallScope;
use adapters::system::SystemClock;
use adapters::{aws, settlement, telemetry};
use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent};
use domain::history::Stamp;
use domain::ports::{Clock, CustomerService, InventoryService, OrderStore};
use domain::use_cases::SettleOrder;
use lambda_runtime::{Context, Error, LambdaEvent, service_fn};

/// All partner work of one message must fit into this.
const MESSAGE_BUDGET: Duration = Duration::from_secs(2);

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    telemetry::init();
    let settle = settlement::from_env(&aws::config().await?)?;
    lambda_runtime::run(service_fn(|event: LambdaEvent<SqsEvent>| {
        let settle = &settle;
        async move { Ok::<_, Error>(handle(settle, event.payload, &event.context).await) }
    }))
    .await
}

/// Settles every message on its own: one that fails comes again, the others do not.
async fn handle<S, C, I>(settle: &SettleOrder<S, C, I>, event: SqsEvent, context: &Context) -> SqsBatchResponse
where
    S: OrderStore,
    C: CustomerService,
    I: InventoryService,
{
    let mut failed = Vec::new();
    for message in messages::read(event) {
        let scope = CallScope::within(MESSAGE_BUDGET, Some(context));
        if !scope.run(settled(settle, &message)).await {
            failed.push(message.id);
        }
    }
    messages::report(failed)
}

async fn settled<S, C, I>(settle: &SettleOrder<S, C, I>, message: &OrderMessage) -> bool
where
    S: OrderStore,
    C: CustomerService,
    I: InventoryService,
{
    let Some(key) = &message.order else {
        tracing::error!(message_id = message.id, "a message names no order");
        return false;
    };
    let (at, actor, request_id) = (SystemClock.now(), "settle-inventory".to_owned(), message.id.clone());
    match settle.run(key, &Stamp { at, actor, request_id }).await {
        Ok(()) => true,
        Err(error) => {
            tracing::warn!(message_id = message.id, order_id = %key.id, cause = %error, "an order is not settled yet");
            false
        }
    }
}

#[cfg(test)]
mod tests {
    use adapters::testing;
    use domain::memory::{MemoryCustomers, MemoryInventory, MemoryStore, sample};

    use super::*;

    async fn service() -> SettleOrder<MemoryStore, MemoryCustomers, MemoryInventory> {
        let settle = SettleOrder {
            store: MemoryStore::default(),
            customers: sample::customers(),
            inventory: sample::inventory(),
        };
        settle.store.insert(&sample::order()).await.unwrap();
        settle.inventory.reserve(&sample::order().reservation()).await.unwrap();
        settle
    }

    async fn failures(settle: &SettleOrder<MemoryStore, MemoryCustomers, MemoryInventory>) -> Vec<String> {
        let mut context = Context::default();
        context.deadline = u64::MAX / 2;
        let response = handle(settle, testing::sample_event("settle-inventory"), &context).await;
        response.batch_item_failures.into_iter().map(|failure| failure.item_identifier).collect()
    }

    #[tokio::test]
    async fn the_sample_event_settles_an_order_and_returns_the_message_that_names_none() {
        let settle = service().await;
        assert_eq!(failures(&settle).await, ["00000000-0000-4000-8000-000000000002"]);
        let order = settle.store.get(&sample::tenant(), sample::order_id(1)).await.unwrap().unwrap();
        assert_eq!((order.settlement.due, settle.inventory.confirmed()), (None, 1));
    }

    #[tokio::test]
    async fn a_message_comes_again_while_the_partner_is_down() {
        let settle = service().await;
        settle.inventory.set_down(true);
        assert_eq!(failures(&settle).await.len(), 2);
    }
}
