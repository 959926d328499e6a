//! Messages of the audit queue in, what came out of each order recorded, and the answer that names what must come again.

use std::collections::BTreeMap;

use aws_lambda_events::sqs::{BatchItemFailure, SqsBatchResponse, SqsEvent, SqsMessage};
use domain::event::EventId;
use domain::id::OrderId;
use domain::ports::{EventRecorder, Seen};
use domain::timestamp::Timestamp;
use futures_util::stream::{self, StreamExt};
use serde::Deserialize;

/// So many orders are recorded side by side.
const AT_ONCE: usize = 32;

/// One batch, by order, so that the events of one order cost one write.
#[derive(Debug, Default)]
pub struct AuditBatch {
    orders: BTreeMap<OrderId, Recorded>,
    markers: Vec<Marker>,
}

#[derive(Debug, Default)]
struct Recorded {
    seen: Seen,
    messages: Vec<String>,
}

#[derive(Debug)]
struct Marker {
    name: String,
    message: String,
}

/// What a message is.
#[derive(Deserialize)]
#[serde(untagged)]
enum Body {
    /// An event as a rule of the bus hands it over.
    Bus {
        detail: CloudEvent,
    },
    Marker {
        marker: String,
    },
    /// An event as the feed hands it over.
    Feed(CloudEvent),
}

#[derive(Deserialize)]
struct CloudEvent {
    id: String,
}

impl AuditBatch {
    /// Reads a batch. A message that is nothing of ours is passed over: it would never be anything else.
    #[must_use]
    pub fn read(event: SqsEvent) -> Self {
        let mut batch = Self::default();
        for message in event.records {
            if batch.add(&message).is_none() {
                let message_id = message.message_id;
                tracing::error!(message_id, "a message of the audit queue is neither an event nor a marker");
            }
        }
        batch
    }

    fn add(&mut self, message: &SqsMessage) -> Option<()> {
        let message_id = message.message_id.clone().unwrap_or_default();
        let (id, is_of_bus) = match serde_json::from_str(message.body.as_deref()?).ok()? {
            Body::Bus { detail } => (detail.id, true),
            Body::Feed(event) => (event.id, false),
            Body::Marker { marker } => {
                self.markers.push(Marker { name: marker, message: message_id });
                return Some(());
            }
        };
        let id = EventId::parse(&id)?;
        let order = self.orders.entry(id.order).or_default();
        if is_of_bus {
            order.seen.bus.insert(id)
        } else {
            order.seen.feed.insert(id)
        };
        order.messages.push(message_id);
        Some(())
    }

    /// Records the batch, then its markers if everything was recorded. The answer names the messages that were not.
    pub async fn record(self, recorder: &impl EventRecorder, now: Timestamp) -> SqsBatchResponse {
        let mut failed: Vec<String> = stream::iter(self.orders)
            .map(|(order, recorded)| async move {
                let outcome = recorder.record(order, &recorded.seen, now).await;
                outcome.err().map(|error| (error, recorded.messages))
            })
            .buffer_unordered(AT_ONCE)
            .filter_map(|failure| async {
                let (error, messages) = failure?;
                tracing::warn!(cause = %error, "what came out was not recorded");
                Some(messages)
            })
            .collect::<Vec<_>>()
            .await
            .into_iter()
            .flatten()
            .collect();
        let all_recorded = failed.is_empty();
        for marker in self.markers {
            if !all_recorded || recorder.pass(&marker.name, now).await.is_err() {
                failed.push(marker.message);
            }
        }
        answer(failed)
    }
}

fn answer(failed: Vec<String>) -> SqsBatchResponse {
    let mut response = SqsBatchResponse::default();
    response.batch_item_failures = failed
        .into_iter()
        .map(|message| {
            let mut failure = BatchItemFailure::default();
            failure.item_identifier = message;
            failure
        })
        .collect();
    response
}
