//! What cannot be published is set aside for people: the dead-letter queue of the publisher.

use aws_config::SdkConfig;
use aws_sdk_sqs::Client;
use aws_sdk_sqs::error::DisplayErrorContext;
use serde::Serialize;

use crate::config::{self, ConfigError};

/// A stream record that is not an order. It has no attribute's value but the key: those may be personal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Unreadable {
    /// Where it is in the stream.
    pub sequence_number: String,
    /// `<tenant>#<order id>`, when the record has such a key.
    pub key: Option<String>,
    /// Why it cannot be read.
    pub cause: String,
}

/// The dead-letter queue did not take a record.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the dead-letter queue gives no answer: {0}")]
pub struct NotBuried(pub String);

/// Takes records that cannot be read.
pub trait DeadLetters: Send + Sync {
    /// Sets a record aside; it may be there already.
    ///
    /// # Errors
    /// [`NotBuried`]: the record may be there or not.
    fn bury(&self, record: &Unreadable) -> impl Future<Output = Result<(), NotBuried>> + Send;
}

/// An SQS queue.
#[derive(Debug, Clone)]
pub struct DeadLetterQueue {
    client: Client,
    url: String,
}

impl DeadLetterQueue {
    /// The queue named by `DEAD_LETTERS_URL`.
    ///
    /// # Errors
    /// [`ConfigError::Missing`].
    pub fn from_env(aws: &SdkConfig) -> Result<Self, ConfigError> {
        Ok(Self { client: Client::new(aws), url: config::required("DEAD_LETTERS_URL")? })
    }
}

impl DeadLetters for DeadLetterQueue {
    async fn bury(&self, record: &Unreadable) -> Result<(), NotBuried> {
        let body = serde_json::to_string(record).map_err(|error| NotBuried(error.to_string()))?;
        let call = self.client.send_message().queue_url(&self.url).message_body(body);
        // Boxed, or the compiler gives up on the depth of nested futures.
        match Box::pin(call.send()).await {
            Ok(_) => Ok(()),
            Err(error) => Err(NotBuried(DisplayErrorContext(&error).to_string())),
        }
    }
}
