//! The EventBridge bus.

use std::time::Duration;

use aws_config::SdkConfig;
use aws_sdk_eventbridge::Client;
use aws_sdk_eventbridge::error::DisplayErrorContext;
use aws_sdk_eventbridge::types::PutEventsRequestEntry;
use domain::event::Event;
use domain::ports::{EventPublisher, PublishError};

use super::CloudEvent;
use crate::config::{self, ConfigError};

/// `Source` of every entry; rules match on it.
const SOURCE: &str = "orders";

/// The most entries of one `PutEvents` call.
const MAX_ENTRIES: usize = 10;

/// The most bytes of one `PutEvents` call: 256 KiB over all entries.
const MAX_BYTES: usize = 256 * 1024;

/// What an entry weighs beside its detail: source, type, time and bus name, rounded up.
const ENTRY_OVERHEAD: usize = 256;

/// How often an entry is sent before its change is reported as failed.
const ATTEMPTS: u32 = 3;

/// Sends events to one bus.
#[derive(Debug, Clone)]
pub struct EventBridgePublisher {
    client: Client,
    bus: String,
}

impl EventBridgePublisher {
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

    /// Sends one batch, and again only the entries that were refused.
    async fn send(&self, batch: Vec<Outgoing>, results: &mut [Result<(), PublishError>]) {
        let mut waiting = batch;
        for attempt in 0..ATTEMPTS {
            if attempt > 0 {
                tokio::time::sleep(Duration::from_millis(50 << attempt)).await;
            }
            let mut refused = Vec::new();
            for (outgoing, result) in self.put(waiting).await {
                if result.is_err() {
                    refused.push(outgoing.clone());
                }
                if let Some(slot) = results.get_mut(outgoing.index) {
                    *slot = result;
                }
            }
            if refused.is_empty() {
                return;
            }
            waiting = refused;
        }
    }

    async fn put(&self, batch: Vec<Outgoing>) -> Vec<(Outgoing, Result<(), PublishError>)> {
        let entries = batch.iter().map(|outgoing| outgoing.entry.clone()).collect();
        // Boxed, or the compiler gives up on the depth of nested futures.
        let answer = Box::pin(self.client.put_events().set_entries(Some(entries)).send()).await;
        let results = match answer {
            Ok(output) => batch.iter().enumerate().map(|(n, _)| entry_result(output.entries().get(n))).collect(),
            Err(error) => {
                let error = PublishError(DisplayErrorContext(&error).to_string());
                vec![Err(error); batch.len()]
            }
        };
        batch.into_iter().zip::<Vec<_>>(results).collect()
    }

    fn outgoing(&self, index: usize, event: &Event<'_>) -> Result<Outgoing, PublishError> {
        let detail =
            serde_json::to_string(&CloudEvent::from(event)).map_err(|error| PublishError(error.to_string()))?;
        let bytes = detail.len() + ENTRY_OVERHEAD;
        let entry = PutEventsRequestEntry::builder()
            .event_bus_name(&self.bus)
            .source(SOURCE)
            .detail_type(event.kind.as_str())
            .time(aws_smithy_types::DateTime::from_millis(event.entry.stamp.at.as_millis()))
            .detail(detail)
            .build();
        Ok(Outgoing { index, bytes, entry })
    }
}

/// An entry on its way, with its place among the events given.
#[derive(Debug, Clone)]
struct Outgoing {
    index: usize,
    bytes: usize,
    entry: PutEventsRequestEntry,
}

impl EventPublisher for EventBridgePublisher {
    async fn publish(&self, events: &[Event<'_>]) -> Vec<Result<(), PublishError>> {
        let mut results = vec![Err(PublishError("not sent".to_owned())); events.len()];
        let mut ready = Vec::with_capacity(events.len());
        for (index, event) in events.iter().enumerate() {
            match (self.outgoing(index, event), results.get_mut(index)) {
                (Ok(outgoing), _) => ready.push(outgoing),
                (Err(error), Some(slot)) => *slot = Err(error),
                (Err(_), None) => {}
            }
        }
        for batch in batches(ready) {
            self.send(batch, &mut results).await;
        }
        results
    }
}

/// An answer without an entry's result proves nothing, so it counts as a failure.
fn entry_result(entry: Option<&aws_sdk_eventbridge::types::PutEventsResultEntry>) -> Result<(), PublishError> {
    match entry {
        Some(entry) if entry.error_code().is_none() && entry.event_id().is_some() => Ok(()),
        Some(entry) => Err(PublishError(format!(
            "{}: {}",
            entry.error_code().unwrap_or("no event id"),
            entry.error_message().unwrap_or_default()
        ))),
        None => Err(PublishError("the answer lacks this entry".to_owned())),
    }
}

/// Groups entries by what one call accepts, in order.
fn batches(entries: Vec<Outgoing>) -> Vec<Vec<Outgoing>> {
    let mut batches: Vec<Vec<Outgoing>> = Vec::new();
    let mut bytes = 0;
    for entry in entries {
        let fits = |batch: &&mut Vec<Outgoing>| batch.len() < MAX_ENTRIES && bytes + entry.bytes <= MAX_BYTES;
        match batches.last_mut().filter(fits) {
            Some(batch) => {
                bytes += entry.bytes;
                batch.push(entry);
            }
            None => {
                bytes = entry.bytes;
                batches.push(vec![entry]);
            }
        }
    }
    batches
}
