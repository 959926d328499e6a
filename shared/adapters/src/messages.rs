//! Messages from SQS that carry an event of the bus: which order each is about, and which must come again.

use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent, SqsMessage};
use domain::id::{OrderId, TenantId};
use domain::ports::OrderKey;
use serde::Deserialize;

/// The part of an EventBridge envelope that names the order.
#[derive(Deserialize)]
struct Envelope {
    detail: Detail,
}

#[derive(Deserialize)]
struct Detail {
    /// `orders/<tenant>`
    source: String,
    /// The order id.
    subject: String,
}

/// One message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderMessage {
    /// The message's id.
    pub id: String,
    /// The order that it is about; `None` when it cannot be read.
    pub order: Option<OrderKey>,
}

/// Reads a batch.
#[must_use]
pub fn read(event: SqsEvent) -> Vec<OrderMessage> {
    let message = |message: SqsMessage| OrderMessage {
        id: message.message_id.unwrap_or_default(),
        order: message.body.as_deref().and_then(order),
    };
    event.records.into_iter().map(message).collect()
}

fn order(body: &str) -> Option<OrderKey> {
    let Envelope { detail } = serde_json::from_str(body).ok()?;
    let tenant = detail.source.strip_prefix("orders/")?;
    Some(OrderKey { tenant: TenantId::parse(tenant).ok()?, id: OrderId::parse(&detail.subject).ok()? })
}

/// The answer that makes SQS deliver these messages again, and no others.
#[must_use]
pub fn report(failed: Vec<String>) -> SqsBatchResponse {
    let mut response = SqsBatchResponse::default();
    for id in failed {
        response.add_failure(id);
    }
    response
}
