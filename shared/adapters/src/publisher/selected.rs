//! The real bus or its stand-in, as the settings say.

use aws_config::SdkConfig;
use domain::event::Event;
use domain::ports::{EventPublisher, PublishError};

use super::EventBridgePublisher;
use crate::config::{self, ConfigError};

/// The bus in use.
#[derive(Debug, Clone)]
pub enum SelectedPublisher {
    /// The real one.
    EventBridge(EventBridgePublisher),
    /// `USE_REAL_MESSAGE_BROKER=false`: events become log lines with id and type, without the order.
    Log,
}

impl SelectedPublisher {
    /// The bus named by `EVENT_BUS`, or its stand-in.
    ///
    /// # Errors
    /// [`ConfigError`] when a variable is missing or not valid.
    pub fn from_env(aws: &SdkConfig) -> Result<Self, ConfigError> {
        if config::switch("USE_REAL_MESSAGE_BROKER")? {
            return Ok(Self::EventBridge(EventBridgePublisher::from_env(aws)?));
        }
        tracing::warn!(stand_in = "broker", "a stand-in takes the place of the real service");
        Ok(Self::Log)
    }
}

impl EventPublisher for SelectedPublisher {
    async fn publish(&self, events: &[Event<'_>]) -> Vec<Result<(), PublishError>> {
        match self {
            Self::EventBridge(bus) => bus.publish(events).await,
            Self::Log => events.iter().map(log).collect(),
        }
    }
}

fn log(event: &Event<'_>) -> Result<(), PublishError> {
    tracing::info!(event_id = %event.id, event_type = event.kind.as_str(), tenant = %event.order.tenant, "an event");
    Ok(())
}
