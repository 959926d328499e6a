//! The EventBridge bus: for routing and filtering, in no order.

use aws_config::SdkConfig;
use aws_sdk_eventbridge::Client;
use aws_sdk_eventbridge::config::Builder;
use aws_sdk_eventbridge::config::retry::RetryConfig;
use aws_sdk_eventbridge::error::DisplayErrorContext;
use aws_sdk_eventbridge::types::{PutEventsRequestEntry, PutEventsResultEntry};
use aws_smithy_types::DateTime;
use domain::event::Event;
use domain::ports::{BatchLimits, ChannelEntry, EventChannel, PublishError};
use domain::timestamp::Timestamp;

use super::cloud_event::{CloudEventJson, ENVELOPE};
use super::refused;
use crate::aws;
use crate::config::{self, ConfigError};
use crate::connections::Connection;
use crate::telemetry::metrics;

/// `Source` of every entry; rules match on it.
pub const SOURCE: &str = "orders";

/// Sends events to one bus.
#[derive(Debug, Clone)]
pub struct EventBridge {
    client: Client,
    bus: String,
}

impl EventBridge {
    /// The bus named by `EVENT_BUS`.
    ///
    /// # Errors
    /// [`ConfigError::Missing`].
    pub fn from_env(aws: &SdkConfig) -> Result<Self, ConfigError> {
        Ok(Self::new(Client::new(aws), config::required("EVENT_BUS")?))
    }

    /// This bus.
    #[must_use]
    pub fn new(client: Client, bus: impl Into<String>) -> Self {
        Self { client, bus: bus.into() }
    }

    /// Makes a connection to EventBridge before it is needed.
    pub fn connection(&self) -> Connection {
        let once = Builder::default().retry_config(RetryConfig::disabled());
        let ping = self.client.put_events().customize().config_override(once).mutate_request(aws::ping);
        Box::pin(async move { aws::pinged("EventBridge", &ping.send().await) })
    }
}

impl EventChannel for EventBridge {
    type Form = CloudEventJson;
    type Content = PutEventsRequestEntry;

    const LIMITS: BatchLimits = super::LIMITS;

    fn entry(&self, event: &Event<'_>, json: &Self::Form) -> Result<ChannelEntry<Self::Content>, PublishError> {
        let content = PutEventsRequestEntry::builder()
            .event_bus_name(&self.bus)
            .source(SOURCE)
            .detail_type(event.kind.as_str())
            .time(DateTime::from_millis(event.entry.stamp.at.as_millis()))
            .detail(&json.0)
            .build();
        Ok(ChannelEntry { content, bytes: json.0.len() + ENVELOPE })
    }

    async fn put(&self, batch: Vec<Self::Content>) -> Vec<Result<(), PublishError>> {
        let count = batch.len();
        let committed: Vec<_> = batch.iter().map(|entry| entry.time().and_then(|at| at.to_millis().ok())).collect();
        // Boxed, or the compiler gives up on the depth of nested futures.
        match Box::pin(self.client.put_events().set_entries(Some(batch)).send()).await {
            Ok(output) => {
                let outcomes: Vec<_> = (0..count).map(|n| outcome(output.entries().get(n))).collect();
                let of_taken = committed.into_iter().zip(&outcomes).filter(|(_, outcome)| outcome.is_ok());
                super::taken(&metrics::BUS_LAG, of_taken.filter_map(|(at, _)| at.map(Timestamp::from_millis)));
                outcomes
            }
            Err(error) => vec![Err(refused("bus", DisplayErrorContext(&error))); count],
        }
    }

    async fn pause(&self, retry: u32) {
        super::pause(retry).await;
    }
}

/// An answer without an entry's result proves nothing, so it counts as a failure.
fn outcome(entry: Option<&PutEventsResultEntry>) -> Result<(), PublishError> {
    match entry {
        Some(entry) if entry.error_code().is_none() && entry.event_id().is_some() => Ok(()),
        Some(entry) => Err(refused(
            "bus",
            format_args!(
                "{}: {}",
                entry.error_code().unwrap_or("no event id"),
                entry.error_message().unwrap_or_default()
            ),
        )),
        None => Err(refused("bus", "the answer lacks this entry")),
    }
}
