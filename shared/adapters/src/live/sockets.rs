//! The gateway's management API: sends to connections and closes them.

use std::sync::Arc;
use std::time::Duration;

use aws_config::SdkConfig;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_sdk_apigatewaymanagement::Client;
use aws_sdk_apigatewaymanagement::config::Builder;
use aws_sdk_apigatewaymanagement::error::{DisplayErrorContext, ProvideErrorMetadata, SdkError};
use aws_sdk_apigatewaymanagement::primitives::Blob;
use domain::ports::{Message, PostError, Sockets};
use domain::subscription::ConnectionId;
use tokio::sync::Semaphore;
use tokio::time::{Instant, sleep};

use super::message;
use crate::config::{self, ConfigError};

/// So many calls are on their way at a time, whatever they are for.
const AT_ONCE: usize = 128;

/// A connection to the gateway takes no longer, nor does a client to take a message.
const CONNECTING: Duration = Duration::from_millis(500);
const TAKING: Duration = Duration::from_millis(2_500);

/// A gateway that throttles or fails is asked for so long. Whoever waits meanwhile holds one of the calls, so that all slow down.
const PATIENCE: Duration = Duration::from_secs(10);

/// The pause before it is asked again, which doubles, up to the longest.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_millis(1_600);

/// The connections of one stage of a WebSocket API.
#[derive(Debug, Clone)]
pub struct ApiSockets {
    client: Client,
    calls: Arc<Semaphore>,
}

impl ApiSockets {
    /// The stage whose management API is at `SOCKETS_URL`.
    ///
    /// # Errors
    /// [`ConfigError`] when the variable is missing, or would have messages sent without encryption.
    pub fn from_env(aws: &SdkConfig) -> Result<Self, ConfigError> {
        Ok(Self::at(aws, config::encrypted_url("SOCKETS_URL")?))
    }

    /// The stage whose management API is here. The SDK makes one attempt: the time that it waits between two would be taken for
    /// a slow connection.
    #[must_use]
    pub fn at(aws: &SdkConfig, url: impl Into<String>) -> Self {
        Self::with_patience(aws, url, TAKING)
    }

    /// As [`ApiSockets::at`], with so long for a client to take a message.
    #[must_use]
    pub fn with_patience(aws: &SdkConfig, url: impl Into<String>, taking: Duration) -> Self {
        let timeouts = TimeoutConfig::builder().connect_timeout(CONNECTING).operation_timeout(taking).build();
        let config =
            Builder::from(aws).endpoint_url(url).timeout_config(timeouts).retry_config(RetryConfig::disabled());
        Self { client: Client::from_conf(config.build()), calls: Arc::new(Semaphore::new(AT_ONCE)) }
    }

    /// Calls in turn, and again while it is not the connection that fails.
    ///
    /// The gateway answers 429 when it throttles, and also when a client reads nothing and its buffer is full. Whichever it is, a
    /// connection that is answered 429 for the whole time took nothing: to close it harms nobody, since its client resumes, and a
    /// gateway that throttles all closes none.
    async fn call<T, E, R, Call>(&self, call: impl Fn() -> Call) -> Result<(), PostError>
    where
        E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
        R: std::fmt::Debug + Send + Sync + 'static,
        Call: Future<Output = Result<T, SdkError<E, R>>> + Send,
    {
        let turn = self.calls.acquire().await;
        let _turn = turn.map_err(|closed| PostError::Unavailable(closed.to_string()))?;
        let (deadline, mut pause) = (Instant::now() + PATIENCE, FIRST_PAUSE);
        loop {
            // Boxed, or the compiler gives up on the depth of nested futures.
            let Err(error) = Box::pin(call()).await else { return Ok(()) };
            let is_refused = error.code() == Some("LimitExceededException");
            match failure(error) {
                PostError::Unavailable(_) if Instant::now() + pause < deadline => sleep(pause).await,
                PostError::Unavailable(_) if is_refused => return Err(PostError::Slow),
                error => return Err(error),
            }
            pause = (2 * pause).min(LONGEST_PAUSE);
        }
    }
}

impl Sockets for ApiSockets {
    async fn post(&self, connection: &ConnectionId, message: Message<'_>) -> Result<(), PostError> {
        let text = message::text(message).map_err(|error| PostError::Unavailable(error.to_string()))?;
        let post = self.client.post_to_connection().connection_id(connection.as_str()).data(Blob::new(text));
        self.call(|| post.clone().send()).await
    }

    async fn close(&self, connection: &ConnectionId) -> Result<(), PostError> {
        let close = self.client.delete_connection().connection_id(connection.as_str());
        self.call(|| close.clone().send()).await
    }
}

/// A time limit says something of the connection; whatever else fails is the gateway, so far.
fn failure<E, R>(error: SdkError<E, R>) -> PostError
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
    R: std::fmt::Debug + Send + Sync + 'static,
{
    match &error {
        SdkError::ServiceError(told) if told.err().code() == Some("GoneException") => PostError::Gone,
        SdkError::TimeoutError(_) => PostError::Slow,
        _ => PostError::Unavailable(DisplayErrorContext(&error).to_string()),
    }
}
