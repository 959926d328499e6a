//! The queue that events reach the audit trail by; a marker takes the same way.

use aws_config::SdkConfig;
use aws_sdk_sqs::Client;
use aws_sdk_sqs::error::DisplayErrorContext;
use aws_sdk_sqs::types::QueueAttributeName::{
    self, ApproximateNumberOfMessages, ApproximateNumberOfMessagesNotVisible,
};
use domain::ports::TrailError;
use serde_json::json;

use crate::config::{self, ConfigError};

/// Takes markers that `record-events` comes upon after the events that were there before.
pub trait MarkerQueue: Send + Sync {
    /// Puts a marker at the queue's end.
    ///
    /// # Errors
    /// [`TrailError::Unavailable`] when it may not be there.
    fn put(&self, marker: &str) -> impl Future<Output = Result<(), TrailError>> + Send;

    /// Whether no message waits, is being recorded, or waits to be retried.
    ///
    /// # Errors
    /// [`TrailError::Unavailable`] when no answer could be had.
    fn is_empty(&self) -> impl Future<Output = Result<bool, TrailError>> + Send;
}

/// The SQS queue.
#[derive(Debug, Clone)]
pub struct AuditQueue {
    client: Client,
    url: String,
}

impl AuditQueue {
    /// The queue named by `AUDIT_QUEUE_URL`.
    ///
    /// # Errors
    /// [`ConfigError::Missing`].
    pub fn from_env(aws: &SdkConfig) -> Result<Self, ConfigError> {
        Ok(Self { client: Client::new(aws), url: config::required("AUDIT_QUEUE_URL")? })
    }
}

impl MarkerQueue for AuditQueue {
    async fn put(&self, marker: &str) -> Result<(), TrailError> {
        let body = json!({ "marker": marker }).to_string();
        let call = self.client.send_message().queue_url(&self.url).message_body(body);
        // Boxed, or the compiler gives up on the depth of nested futures.
        match Box::pin(call.send()).await {
            Ok(_) => Ok(()),
            Err(error) => Err(TrailError::Unavailable(DisplayErrorContext(&error).to_string())),
        }
    }

    /// A message that failed is not visible before it is retried.
    async fn is_empty(&self) -> Result<bool, TrailError> {
        let counts: [QueueAttributeName; 2] = [ApproximateNumberOfMessages, ApproximateNumberOfMessagesNotVisible];
        let call = self.client.get_queue_attributes().queue_url(&self.url).set_attribute_names(Some(counts.into()));
        let answer = match Box::pin(call.send()).await {
            Ok(answer) => answer.attributes.unwrap_or_default(),
            Err(error) => return Err(TrailError::Unavailable(DisplayErrorContext(&error).to_string())),
        };
        let is_none = |count| answer.get(&count).is_some_and(|count| count == "0");
        Ok(is_none(ApproximateNumberOfMessages) && is_none(ApproximateNumberOfMessagesNotVisible))
    }
}
