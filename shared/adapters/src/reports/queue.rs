//! Messages that name orders to be counted in, and the answer that names those that must come again.

use std::collections::BTreeMap;

use aws_lambda_events::sqs::{BatchItemFailure, SqsBatchResponse, SqsEvent, SqsMessage};
use domain::id::{OrderId, TenantId};
use domain::ports::{OrderKey, OrderStore, ReportStore};
use domain::use_cases::CountOrders;
use serde::Deserialize;

use crate::publisher::tenant_of_source;
use crate::telemetry::{self, metrics};

/// One batch, by order: of an order's events the last is enough.
#[derive(Debug, Default)]
pub struct CountBatch {
    messages: BTreeMap<OrderKey, Vec<String>>,
}

/// What is read of an event of the feed. The order itself is read from its table, so that it does not matter in which order
/// events come, nor how often.
#[derive(Deserialize)]
struct Named {
    source: String,
    subject: String,
}

impl CountBatch {
    /// Reads a batch. A message that names no order is passed over: it never will.
    #[must_use]
    pub fn read(event: SqsEvent) -> Self {
        let mut batch = Self::default();
        for message in event.records {
            match named(&message) {
                Some(order) => {
                    batch.messages.entry(order).or_default().push(message.message_id.unwrap_or_default());
                }
                None => telemetry::failed("a message names no order"),
            }
        }
        batch
    }

    /// Counts the orders. The answer names the messages of those that were not.
    pub async fn count<S: OrderStore, R: ReportStore>(self, orders: &CountOrders<S, R>) -> SqsBatchResponse {
        let uncounted = orders.run(self.messages.keys().cloned().collect()).await;
        telemetry::count(&metrics::ORDERS_COUNTED, self.messages.len() - uncounted.len());
        let mut response = SqsBatchResponse::default();
        for (order, error) in uncounted {
            telemetry::failed(error);
            let messages = self.messages.get(&order).into_iter().flatten();
            response.batch_item_failures.extend(messages.map(|message| {
                let mut failure = BatchItemFailure::default();
                failure.item_identifier.clone_from(message);
                failure
            }));
        }
        response
    }
}

fn named(message: &SqsMessage) -> Option<OrderKey> {
    let Named { source, subject } = serde_json::from_str(message.body.as_deref()?).ok()?;
    Some(OrderKey { tenant: TenantId::restore(tenant_of_source(&source)?), id: OrderId::parse(&subject).ok()? })
}
