//! The audit trail: a queue behind the bus that keeps a copy of every event until it is too old to be asked for.

use std::collections::BTreeSet;
use std::time::Duration;

use aws_config::SdkConfig;
use aws_config::timeout::TimeoutConfig;
use aws_sdk_sqs::Client;
use aws_sdk_sqs::config::Builder;
use aws_sdk_sqs::error::{BuildError, DisplayErrorContext};
use aws_sdk_sqs::types::{
    ChangeMessageVisibilityBatchRequestEntry, DeleteMessageBatchRequestEntry, Message as SqsMessage,
};
use domain::event::EventId;
use domain::ports::{AuditTrail, Seen, TrailError};
use domain::timestamp::Timestamp;
use serde::Deserialize;

use crate::config::{self, ConfigError};

/// The most messages of one call.
const BATCH: i32 = 10;

/// While it is read a message is not shown again: longer than the function runs.
const INVISIBLE_SECONDS: i32 = 330;

/// An answer may take as long as the queue waits for messages, and some.
const PATIENCE: Duration = Duration::from_secs(5);

/// So many answers without a message in a row mean that the queue has no more.
const EMPTY_ANSWERS: u32 = 2;

/// The queue.
#[derive(Debug, Clone)]
pub struct AuditQueue {
    client: Client,
    url: String,
}

/// An event's envelope on the bus.
#[derive(Deserialize)]
struct Envelope {
    detail: Detail,
}

#[derive(Deserialize)]
struct Detail {
    id: String,
    time: String,
}

/// A message, by what it takes to deal with it.
struct Message {
    receipt: String,
    seen: Option<Seen>,
}

impl AuditQueue {
    /// The queue named by `AUDIT_QUEUE_URL`.
    ///
    /// # Errors
    /// [`ConfigError::Missing`].
    pub fn from_env(aws: &SdkConfig) -> Result<Self, ConfigError> {
        let patience =
            TimeoutConfig::builder().operation_attempt_timeout(PATIENCE).operation_timeout(PATIENCE * 3).build();
        let client = Client::from_conf(Builder::from(aws).timeout_config(patience).build());
        Ok(Self { client, url: config::required("AUDIT_QUEUE_URL")? })
    }

    async fn receive(&self) -> Result<Vec<Message>, TrailError> {
        let call = self
            .client
            .receive_message()
            .queue_url(&self.url)
            .max_number_of_messages(BATCH)
            .visibility_timeout(INVISIBLE_SECONDS)
            .wait_time_seconds(1);
        // Boxed, or the compiler gives up on the depth of nested futures.
        let answer = Box::pin(call.send()).await.map_err(unreadable)?;
        Ok(answer.messages.unwrap_or_default().into_iter().filter_map(message).collect())
    }

    /// Takes what is too old off the queue.
    async fn forget(&self, receipts: &[String]) -> Result<(), TrailError> {
        for batch in receipts.chunks(10) {
            let entry = |(n, receipt): (usize, &String)| {
                DeleteMessageBatchRequestEntry::builder().id(n.to_string()).receipt_handle(receipt).build()
            };
            let entries: Vec<_> = batch.iter().enumerate().map(entry).collect::<Result<_, _>>().map_err(unbuildable)?;
            let call = self.client.delete_message_batch().queue_url(&self.url).set_entries(Some(entries));
            Box::pin(call.send()).await.map_err(unreadable)?;
        }
        Ok(())
    }

    /// Shows the rest to the next reader at once.
    async fn put_back(&self, receipts: &[String]) -> Result<(), TrailError> {
        for batch in receipts.chunks(10) {
            let entry = |(n, receipt): (usize, &String)| {
                ChangeMessageVisibilityBatchRequestEntry::builder()
                    .id(n.to_string())
                    .receipt_handle(receipt)
                    .visibility_timeout(0)
                    .build()
            };
            let entries: Vec<_> = batch.iter().enumerate().map(entry).collect::<Result<_, _>>().map_err(unbuildable)?;
            let call = self.client.change_message_visibility_batch().queue_url(&self.url).set_entries(Some(entries));
            Box::pin(call.send()).await.map_err(unreadable)?;
        }
        Ok(())
    }
}

impl AuditTrail for AuditQueue {
    /// A message that is not put back, because the function died or a batch failed in part, is shown again later.
    /// Until then its event counts as missing, and is sent once more at worst.
    async fn seen_since(&self, from: Timestamp) -> Result<Vec<Seen>, TrailError> {
        let (mut seen, mut kept, mut old) = (BTreeSet::new(), Vec::new(), Vec::new());
        let mut empty_answers = 0;
        while empty_answers < EMPTY_ANSWERS {
            let messages = self.receive().await?;
            empty_answers = if messages.is_empty() { empty_answers + 1 } else { 0 };
            for message in messages {
                match message.seen {
                    Some(event) if event.at < from => old.push(message.receipt),
                    Some(event) => {
                        seen.insert(event);
                        kept.push(message.receipt);
                    }
                    None => kept.push(message.receipt),
                }
            }
        }
        self.put_back(&kept).await?;
        self.forget(&old).await?;
        Ok(seen.into_iter().collect())
    }
}

fn message(message: SqsMessage) -> Option<Message> {
    let seen = message.body.as_deref().and_then(seen);
    if seen.is_none() {
        tracing::error!(message_id = message.message_id, "a message of the audit trail is not an event");
    }
    Some(Message { receipt: message.receipt_handle?, seen })
}

fn seen(body: &str) -> Option<Seen> {
    let Envelope { detail } = serde_json::from_str(body).ok()?;
    Some(Seen { id: EventId::parse(&detail.id)?, at: Timestamp::parse(&detail.time).ok()? })
}

fn unreadable(error: impl std::error::Error) -> TrailError {
    TrailError(DisplayErrorContext(error).to_string())
}

fn unbuildable(error: BuildError) -> TrailError {
    TrailError(error.to_string())
}
