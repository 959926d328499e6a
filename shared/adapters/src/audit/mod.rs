//! The audit trail: a table that holds, by order, which events came out of bus and feed, and how far each run has come.

mod batch;
mod queue;
mod runs;
mod seen;

use std::collections::HashMap;
use std::time::Duration;

use aws_config::SdkConfig;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::DisplayErrorContext;
use aws_sdk_dynamodb::types::AttributeValue;
use domain::ports::TrailError;
use domain::timestamp::Timestamp;

use crate::config::{self, ConfigError};

pub use batch::AuditBatch;
pub use queue::{AuditQueue, MarkerQueue};

/// The table's key: `order#<order id>`, `marker#<marker>` or `run#<name>`.
const KEY: &str = "pk";

/// When an item may go, in seconds since 1970.
const EXPIRES: &str = "ttl";

/// The trail forgets what came out so long ago; a day more than [`domain::use_cases::REACH`].
const KEPT: Duration = Duration::from_secs(14 * 24 * 60 * 60);

/// The table, and the way by which markers reach it.
#[derive(Debug, Clone)]
pub struct AuditTable<Q = ()> {
    client: Client,
    table: String,
    queue: Q,
}

impl<Q> AuditTable<Q> {
    /// The table named by `AUDIT_TABLE`.
    ///
    /// # Errors
    /// [`ConfigError::Missing`].
    pub fn from_env(aws: &SdkConfig, queue: Q) -> Result<Self, ConfigError> {
        Ok(Self::new(Client::new(aws), config::required("AUDIT_TABLE")?, queue))
    }

    /// This table.
    #[must_use]
    pub fn new(client: Client, table: impl Into<String>, queue: Q) -> Self {
        Self { client, table: table.into(), queue }
    }

    async fn item(&self, key: String) -> Result<Option<HashMap<String, AttributeValue>>, TrailError> {
        let get = self.client.get_item().table_name(&self.table).key(KEY, AttributeValue::S(key)).consistent_read(true);
        // Boxed, or the compiler gives up on the depth of nested futures.
        Ok(Box::pin(get.send()).await.map_err(unavailable)?.item)
    }
}

fn expiry(now: Timestamp) -> AttributeValue {
    AttributeValue::N(now.plus(KEPT).as_secs().to_string())
}

fn unavailable(error: impl std::error::Error) -> TrailError {
    TrailError::Unavailable(DisplayErrorContext(error).to_string())
}

fn unreadable(what: impl std::fmt::Display) -> TrailError {
    TrailError::Unavailable(format!("an item of the audit trail cannot be read: {what}"))
}
