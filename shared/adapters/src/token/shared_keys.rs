//! The issuer's keys as an environment fetched them last: one item, from which environments that start while the issuer is
//! down learn them.

use std::time::Duration;

use aws_config::SdkConfig;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::DisplayErrorContext;
use aws_sdk_dynamodb::types::AttributeValue;
use domain::timestamp::Timestamp;
use futures_util::future::BoxFuture;
use reqwest::Url;

use super::KeySet;
use crate::config::{self, ConfigError};

/// The key of the item. The roles name it: who may write it can make tokens (docs/security.md).
const ITEM: &str = "issuer-keys";

/// No request waits longer for it, though an environment has to connect first.
const PATIENCE: Duration = Duration::from_secs(1);

/// The copy of one issuer's keys.
#[derive(Debug, Clone)]
pub struct SharedKeys {
    client: Client,
    table: String,
    /// Whose keys they are: another issuer's copy is none.
    url: String,
}

impl SharedKeys {
    /// The copy of the keys of this URL, in the table named by `CIRCUITS_TABLE`.
    ///
    /// # Errors
    /// [`ConfigError::Missing`].
    pub fn from_env(aws: &SdkConfig, url: &Url) -> Result<Self, ConfigError> {
        Ok(Self::new(Client::new(aws), config::required("CIRCUITS_TABLE")?, url.as_str()))
    }

    /// The copy of the keys of this URL, in this table.
    #[must_use]
    pub fn new(client: Client, table: impl Into<String>, url: &str) -> Self {
        Self { client, table: table.into(), url: url.to_owned() }
    }

    /// The keys and when they were fetched, if there is a copy. A failure is logged.
    pub(super) async fn read(&self) -> Option<(KeySet, Timestamp)> {
        let get = self.client.get_item().table_name(&self.table).key("pk", text(ITEM));
        let item = patiently(Box::pin(get.send())).await?.item?;
        if item.get("url")?.as_s().ok()? != &self.url {
            return None;
        }
        let keys: KeySet = serde_json::from_str(item.get("keys")?.as_s().ok()?).ok()?;
        let fetched = item.get("fetched_at")?.as_n().ok()?.parse().ok()?;
        (!keys.is_empty()).then_some((keys, Timestamp::from_millis(fetched)))
    }

    /// Replaces the copy; whether it did. A failure is logged: the next fetch tries again.
    pub(super) async fn write(&self, keys: &KeySet, fetched: Timestamp) -> bool {
        let put = self
            .client
            .put_item()
            .table_name(&self.table)
            .item("pk", text(ITEM))
            .item("url", text(&self.url))
            .item("keys", text(&keys.document()))
            .item("fetched_at", AttributeValue::N(fetched.as_millis().to_string()));
        patiently(Box::pin(put.send())).await.is_some()
    }
}

fn text(value: &str) -> AttributeValue {
    AttributeValue::S(value.to_owned())
}

/// Boxed, or the compiler gives up on the depth of nested futures.
async fn patiently<T, E: std::error::Error>(call: BoxFuture<'_, Result<T, E>>) -> Option<T> {
    let cause = match tokio::time::timeout(PATIENCE, call).await {
        Ok(Ok(answer)) => return Some(answer),
        Ok(Err(error)) => DisplayErrorContext(error).to_string(),
        Err(_) => "it took too long".to_owned(),
    };
    tracing::warn!(cause, "the shared copy of the identity provider's keys cannot be reached");
    None
}
