//! The real bus and feed or their fake, as the settings say.

use aws_config::SdkConfig;
use domain::event::Event;
use domain::ports::{EventPublisher, PerChannel, PublishError};
use domain::use_cases::{Both, Delivery};

use super::{EventBridge, SnsFeed};
use crate::config::{self, ConfigError};
use crate::connections::{self, Connection};

/// Where events go.
#[derive(Debug, Clone)]
pub enum SelectedPublisher {
    /// To the bus and the feed.
    Aws(Both<EventBridge, SnsFeed>),
    /// To the bus alone.
    Bus(Delivery<EventBridge>),
    /// To the feed alone.
    Feed(Delivery<SnsFeed>),
    /// `USE_REAL_MESSAGE_BROKER=false`: events become log lines with id and type, without the order.
    Log,
}

impl SelectedPublisher {
    /// The bus named by `EVENT_BUS` and the topic named by `ORDER_FEED`, or their fake.
    ///
    /// # Errors
    /// [`ConfigError`] when a variable is missing or not valid.
    pub fn from_env(aws: &SdkConfig) -> Result<Self, ConfigError> {
        if config::switch("USE_REAL_MESSAGE_BROKER")? {
            return Ok(Self::Aws(Both(Delivery(EventBridge::from_env(aws)?), Delivery(SnsFeed::from_env(aws)?))));
        }
        Ok(Self::fake())
    }

    /// The same, each on its own, for sending again under a name of this attempt.
    ///
    /// # Errors
    /// [`ConfigError`] when a variable is missing or not valid.
    pub fn each_again(aws: &SdkConfig, attempt: &str) -> Result<PerChannel<Self>, ConfigError> {
        if config::switch("USE_REAL_MESSAGE_BROKER")? {
            let (bus, feed) = (EventBridge::from_env(aws)?, SnsFeed::from_env(aws)?.again(attempt));
            return Ok(PerChannel { bus: Self::Bus(Delivery(bus)), feed: Self::Feed(Delivery(feed)) });
        }
        Ok(PerChannel { bus: Self::fake(), feed: Self::fake() })
    }

    fn fake() -> Self {
        tracing::warn!(fake = "broker", "a fake takes the place of the real service");
        Self::Log
    }

    /// Makes connections to bus and feed before they are needed.
    pub fn connections(&self) -> [Connection; 2] {
        match self {
            Self::Aws(Both(Delivery(bus), Delivery(feed))) => [bus.connection(), feed.connection()],
            Self::Bus(Delivery(bus)) => [bus.connection(), connections::none()],
            Self::Feed(Delivery(feed)) => [connections::none(), feed.connection()],
            Self::Log => [connections::none(), connections::none()],
        }
    }
}

impl EventPublisher for SelectedPublisher {
    async fn publish(&self, events: &[Event<'_>]) -> Vec<Result<(), PublishError>> {
        match self {
            Self::Aws(both) => both.publish(events).await,
            Self::Bus(bus) => bus.publish(events).await,
            Self::Feed(feed) => feed.publish(events).await,
            Self::Log => events.iter().map(log).collect(),
        }
    }
}

fn log(event: &Event<'_>) -> Result<(), PublishError> {
    tracing::info!(event_id = %event.id, event_type = event.kind.as_str(), tenant = %event.order.tenant, "an event");
    Ok(())
}
