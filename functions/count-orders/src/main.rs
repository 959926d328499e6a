//! Events of the feed -> orders counted in the reports

use adapters::reports::{CountBatch, ReportsTable};
use adapters::store::DynamoStore;
use adapters::{aws, telemetry};
use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent};
use domain::ports::{OrderStore, ReportStore};
use domain::use_cases::CountOrders;
use lambda_runtime::{Error, LambdaEvent, service_fn};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    telemetry::init(module_path!());
    let aws = aws::config()?;
    let orders = CountOrders { store: DynamoStore::from_env(&aws)?, reports: ReportsTable::from_env(&aws)? };
    lambda_runtime::run(service_fn(|event: LambdaEvent<SqsEvent>| {
        let orders = &orders;
        async move {
            let LambdaEvent { payload, context } = event;
            Ok::<_, Error>(telemetry::invocation("counted", &context, handle(orders, payload)).await)
        }
    }))
    .await
}

async fn handle<S: OrderStore, R: ReportStore>(orders: &CountOrders<S, R>, event: SqsEvent) -> SqsBatchResponse {
    CountBatch::read(event).count(orders).await
}

#[cfg(test)]
mod tests {
    use adapters::testing;
    use domain::memory::{MemoryReports, MemoryStore, sample};
    use domain::report::rows_of;

    use super::*;

    fn orders() -> CountOrders<MemoryStore, MemoryReports> {
        CountOrders { store: MemoryStore::default(), reports: MemoryReports::default() }
    }

    /// Counts a batch; the messages that come again.
    async fn count(orders: &CountOrders<MemoryStore, MemoryReports>, event: SqsEvent) -> Vec<String> {
        let response = handle(orders, event).await;
        response.batch_item_failures.into_iter().map(|failure| failure.item_identifier).collect()
    }

    #[tokio::test]
    async fn the_sample_event_counts_its_order_once() {
        let orders = orders();
        orders.store.insert(&sample::order()).await.unwrap();
        for _ in 0..2 {
            assert!(count(&orders, testing::sample_event("count-orders")).await.is_empty());
            assert_eq!(orders.reports.total(), rows_of(&sample::order()));
        }
    }

    #[tokio::test]
    async fn every_message_of_an_order_that_is_not_counted_comes_again() {
        let orders = orders();
        orders.store.insert(&sample::order()).await.unwrap();
        orders.reports.refuse(usize::MAX);
        assert_eq!(count(&orders, testing::sample_event("count-orders")).await, ["1", "2"]);
    }

    #[tokio::test]
    async fn a_message_that_names_no_order_stops_nobody() {
        let orders = orders();
        let mut event: SqsEvent = testing::sample_event("count-orders");
        let broken = [r#"{"source":"orders/","subject":"x"}"#, "nonsense"];
        for (message, body) in event.records.iter_mut().zip(broken) {
            message.body = Some(body.to_owned());
        }
        assert!(count(&orders, event).await.is_empty());
    }
}
