//! The gateway's management API: sends to connections and closes them.

use aws_config::SdkConfig;
use aws_sdk_apigatewaymanagement::Client;
use aws_sdk_apigatewaymanagement::config::Builder;
use aws_sdk_apigatewaymanagement::error::{DisplayErrorContext, SdkError};
use aws_sdk_apigatewaymanagement::operation::delete_connection::DeleteConnectionError;
use aws_sdk_apigatewaymanagement::operation::post_to_connection::PostToConnectionError;
use aws_sdk_apigatewaymanagement::primitives::Blob;
use domain::ports::{Message, PostError, Sockets};
use domain::subscription::ConnectionId;

use super::message;
use crate::config::{self, ConfigError};

/// The connections of one stage of a WebSocket API.
#[derive(Debug, Clone)]
pub struct ApiSockets {
    client: Client,
}

impl ApiSockets {
    /// The stage whose management API is at `SOCKETS_URL`.
    ///
    /// # Errors
    /// [`ConfigError`] when the variable is missing, or would have messages sent without encryption.
    pub fn from_env(aws: &SdkConfig) -> Result<Self, ConfigError> {
        let url = config::encrypted_url("SOCKETS_URL")?;
        Ok(Self::new(Client::from_conf(Builder::from(aws).endpoint_url(url).build())))
    }

    /// The stage that this client is for.
    #[must_use]
    pub const fn new(client: Client) -> Self {
        Self { client }
    }

    /// Sends this text to a connection.
    ///
    /// # Errors
    /// As [`Sockets::post`].
    pub async fn send(&self, connection: &ConnectionId, text: String) -> Result<(), PostError> {
        let call = self.client.post_to_connection().connection_id(connection.as_str()).data(Blob::new(text));
        // Boxed, or the compiler gives up on the depth of nested futures.
        match Box::pin(call.send()).await {
            Ok(_) => Ok(()),
            Err(SdkError::ServiceError(error)) if is_gone_post(error.err()) => Err(PostError::Gone),
            Err(error) => Err(PostError::Failed(DisplayErrorContext(&error).to_string())),
        }
    }
}

impl Sockets for ApiSockets {
    async fn post(&self, connection: &ConnectionId, message: Message<'_>) -> Result<(), PostError> {
        let text = message::text(message).map_err(|error| PostError::Failed(error.to_string()))?;
        self.send(connection, text).await
    }

    async fn close(&self, connection: &ConnectionId) -> Result<(), PostError> {
        let call = self.client.delete_connection().connection_id(connection.as_str());
        match Box::pin(call.send()).await {
            Ok(_) => Ok(()),
            Err(SdkError::ServiceError(error)) if is_gone_delete(error.err()) => Err(PostError::Gone),
            Err(error) => Err(PostError::Failed(DisplayErrorContext(&error).to_string())),
        }
    }
}

fn is_gone_post(error: &PostToConnectionError) -> bool {
    matches!(error, PostToConnectionError::GoneException(_))
}

fn is_gone_delete(error: &DeleteConnectionError) -> bool {
    matches!(error, DeleteConnectionError::GoneException(_))
}
