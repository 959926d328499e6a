//! Events on their way out: as CloudEvents, to the bus and to the ordered feed, every entry's result read.

mod cloud_event;
mod event_bridge;
mod selected;
mod sns_feed;

pub use cloud_event::{CloudEvent, MAX_EVENT, schema_name};
pub use event_bridge::{EventBridge, SOURCE};
pub use selected::SelectedPublisher;
pub use sns_feed::SnsFeed;

use std::time::Duration;

use domain::ports::{BatchLimits, PublishError};

/// What one call of the bus, and of the feed, takes at most.
const LIMITS: BatchLimits = BatchLimits { entries: 10, bytes: 256 * 1024 };

/// Waits before what was refused is sent again.
async fn pause(retry: u32) {
    tokio::time::sleep(Duration::from_millis(50 << retry)).await;
}

/// An entry was not taken, as far as is known.
fn refused(channel: &str, cause: impl std::fmt::Display) -> PublishError {
    tracing::warn!(%cause, "the {channel} did not take an event");
    PublishError(cause.to_string())
}
