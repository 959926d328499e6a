//! The SNS FIFO topic: every order's events in version order.

use aws_config::SdkConfig;
use aws_sdk_sns::Client;
use aws_sdk_sns::config::Builder;
use aws_sdk_sns::config::retry::RetryConfig;
use aws_sdk_sns::error::{BuildError, DisplayErrorContext};
use aws_sdk_sns::operation::publish_batch::PublishBatchOutput;
use aws_sdk_sns::types::{MessageAttributeValue, PublishBatchRequestEntry};
use domain::event::Event;
use domain::ports::{BatchLimits, ChannelEntry, EventChannel, PublishError};
use domain::timestamp::Timestamp;

use super::cloud_event::{CloudEventJson, ENVELOPE};
use super::refused;
use crate::aws;
use crate::config::{self, ConfigError};
use crate::connections::Connection;
use crate::telemetry::metrics;

/// Sends events to one FIFO topic: group = order id, deduplication id = event id, and the attempt when it is sent again.
#[derive(Debug, Clone)]
pub struct SnsFeed {
    client: Client,
    topic: String,
    attempt: Option<String>,
}

/// One message, but for its id within the batch.
#[derive(Debug, Clone)]
pub struct Message {
    body: String,
    group: String,
    deduplication_id: String,
    kind: MessageAttributeValue,
    tenant: MessageAttributeValue,
    committed_at: Timestamp,
}

impl SnsFeed {
    /// The topic named by `ORDER_FEED`.
    ///
    /// # Errors
    /// [`ConfigError::Missing`].
    pub fn from_env(aws: &SdkConfig) -> Result<Self, ConfigError> {
        Ok(Self::new(Client::new(aws), config::required("ORDER_FEED")?))
    }

    /// This topic, by its ARN.
    #[must_use]
    pub fn new(client: Client, topic: impl Into<String>) -> Self {
        Self { client, topic: topic.into(), attempt: None }
    }

    /// The same topic for sending again under a name of this attempt: SNS drops a deduplication id that it took within the
    /// last five minutes, also when nothing came of it.
    #[must_use]
    pub fn again(self, attempt: impl Into<String>) -> Self {
        Self { attempt: Some(attempt.into()), ..self }
    }

    fn deduplication_id(&self, event: &Event<'_>) -> String {
        match &self.attempt {
            Some(attempt) => format!("{}/{attempt}", event.id),
            None => event.id.to_string(),
        }
    }

    /// Makes a connection to SNS before it is needed.
    pub fn connection(&self) -> Connection {
        let once = Builder::default().retry_config(RetryConfig::disabled());
        let ping = self.client.publish_batch().customize().config_override(once).mutate_request(aws::ping);
        Box::pin(async move { aws::pinged("SNS", &ping.send().await) })
    }
}

impl EventChannel for SnsFeed {
    type Form = CloudEventJson;
    type Content = Message;

    const LIMITS: BatchLimits = super::LIMITS;

    fn entry(&self, event: &Event<'_>, json: &Self::Form) -> Result<ChannelEntry<Self::Content>, PublishError> {
        let content = Message {
            body: json.0.clone(),
            group: event.order.id.to_string(),
            deduplication_id: self.deduplication_id(event),
            kind: attribute(event.kind.as_str()).map_err(unbuildable)?,
            tenant: attribute(event.order.tenant.as_str()).map_err(unbuildable)?,
            committed_at: event.entry.stamp.at,
        };
        Ok(ChannelEntry { content, bytes: json.0.len() + ENVELOPE })
    }

    async fn put(&self, batch: Vec<Self::Content>) -> Vec<Result<(), PublishError>> {
        let count = batch.len();
        let committed: Vec<_> = batch.iter().map(|message| message.committed_at).collect();
        let entries = match batch.into_iter().enumerate().map(|(n, message)| request_entry(n, message)).collect() {
            Ok(entries) => entries,
            Err(error) => return vec![Err(unbuildable(error)); count],
        };
        let call = self.client.publish_batch().topic_arn(&self.topic).set_publish_batch_request_entries(Some(entries));
        // Boxed, or the compiler gives up on the depth of nested futures.
        match Box::pin(call.send()).await {
            Ok(output) => {
                let outcomes: Vec<_> = (0..count).map(|n| outcome(&output, &n.to_string())).collect();
                let of_taken = committed.into_iter().zip(&outcomes).filter(|(_, outcome)| outcome.is_ok());
                super::taken(&metrics::FEED_LAG, of_taken.map(|(at, _)| at));
                outcomes
            }
            Err(error) => vec![Err(refused("feed", DisplayErrorContext(&error))); count],
        }
    }

    async fn pause(&self, retry: u32) {
        super::pause(retry).await;
    }
}

fn attribute(value: &str) -> Result<MessageAttributeValue, BuildError> {
    MessageAttributeValue::builder().data_type("String").string_value(value).build()
}

fn request_entry(n: usize, message: Message) -> Result<PublishBatchRequestEntry, BuildError> {
    PublishBatchRequestEntry::builder()
        .id(n.to_string())
        .message(message.body)
        .message_group_id(message.group)
        .message_deduplication_id(message.deduplication_id)
        .message_attributes("type", message.kind)
        .message_attributes("tenant", message.tenant)
        .build()
}

/// Results come by id, in two lists; an entry that is in neither proves nothing, so it counts as a failure.
fn outcome(output: &PublishBatchOutput, id: &str) -> Result<(), PublishError> {
    if output.successful().iter().any(|entry| entry.id() == Some(id)) {
        return Ok(());
    }
    Err(match output.failed().iter().find(|entry| entry.id() == id) {
        Some(entry) => refused("feed", format_args!("{}: {}", entry.code(), entry.message().unwrap_or_default())),
        None => refused("feed", "the answer lacks this entry"),
    })
}

fn unbuildable(error: BuildError) -> PublishError {
    PublishError(error.to_string())
}
