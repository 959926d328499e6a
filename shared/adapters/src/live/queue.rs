//! Events of the feed to be pushed, and the answer that names those that must come again.

use std::time::Duration;

use aws_lambda_events::sqs::{BatchItemFailure, SqsBatchResponse, SqsEvent, SqsMessage};
use domain::id::{CustomerId, OrderId, TenantId};
use domain::ports::{Clock, OrderKey, RecentChanges, Sockets, Subjects, Subscriptions};
use domain::subscription::Update;
use domain::timestamp::Timestamp;
use domain::use_cases::{PushUpdates, Pushed};
use serde::Deserialize;

use super::message;
use crate::publisher::tenant_of_source;
use crate::telemetry::{self, metrics};

/// One batch, in the order of the queue, which is that of versions for each order.
#[derive(Debug, Default)]
pub struct UpdateBatch {
    messages: Vec<String>,
    updates: Vec<Update>,
}

/// What is read of an event of the feed.
#[derive(Deserialize)]
struct Named {
    source: String,
    subject: String,
    sequence: String,
    time: String,
    data: NamedData,
}

#[derive(Deserialize)]
struct NamedData {
    order: NamedOrder,
}

#[derive(Deserialize)]
struct NamedOrder {
    customer: NamedCustomer,
}

#[derive(Deserialize)]
struct NamedCustomer {
    id: String,
}

impl UpdateBatch {
    /// Reads a batch. A message that is no event is passed over: it will never be one.
    #[must_use]
    pub fn read(event: SqsEvent) -> Self {
        let mut batch = Self::default();
        for message in event.records {
            match update(&message) {
                Some(update) => {
                    batch.messages.push(message.message_id.unwrap_or_default());
                    batch.updates.push(update);
                }
                None => telemetry::failed("a message is no event"),
            }
        }
        batch
    }

    /// Pushes the batch. The answer names the messages that were not pushed, and all that follow them of their orders.
    pub async fn push<T, S, C>(self, push: &PushUpdates<T, S, C>) -> SqsBatchResponse
    where
        T: Subscriptions + Subjects + RecentChanges,
        S: Sockets,
        C: Clock,
    {
        let mut response = SqsBatchResponse::default();
        let outcomes = push.run(&self.updates).await;
        for ((message, update), outcome) in self.messages.into_iter().zip(&self.updates).zip(outcomes) {
            match outcome {
                Ok(pushed) => note(update, pushed, push.clock.now()),
                Err(error) => {
                    telemetry::count(&metrics::UPDATES_NOT_PUSHED, 1);
                    telemetry::failed(error);
                    let mut failure = BatchItemFailure::default();
                    failure.item_identifier = message;
                    response.batch_item_failures.push(failure);
                }
            }
        }
        response
    }
}

fn update(message: &SqsMessage) -> Option<Update> {
    let body = message.body.as_deref()?;
    let Named { source, subject, sequence, time, data } = serde_json::from_str(body).ok()?;
    Some(Update {
        order: OrderKey { tenant: TenantId::restore(tenant_of_source(&source)?), id: OrderId::parse(&subject).ok()? },
        customer: CustomerId::restore(data.order.customer.id),
        version: sequence.parse().ok()?,
        committed_at: Timestamp::parse(&time).ok()?,
        message: message::fitted(body.to_owned()).ok()?,
    })
}

fn note(update: &Update, pushed: Pushed, now: Timestamp) {
    let Pushed { reached, gone, closed, unforgotten } = pushed;
    telemetry::count(&metrics::UPDATES_PUSHED, reached);
    if gone + closed > 0 {
        telemetry::count(&metrics::CONNECTIONS_GONE, gone);
        telemetry::count(&metrics::CONNECTIONS_CLOSED, closed);
    }
    if unforgotten > 0 {
        telemetry::failed(format_args!("{unforgotten} subscriptions of closed connections are not forgotten"));
    }
    let lag = now.as_millis().saturating_sub(update.committed_at.as_millis()).max(0);
    telemetry::measured(&metrics::PUSH_LAG, Duration::from_millis(lag.unsigned_abs()).as_secs_f64() * 1_000.0);
}
