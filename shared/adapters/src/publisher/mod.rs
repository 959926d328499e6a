//! Events on their way out: as CloudEvents, to the bus and to the ordered feed, every entry's result read.

mod cloud_event;
mod event_bridge;
mod selected;
mod sns_feed;

pub(crate) use cloud_event::json as event_json;
pub use cloud_event::{CloudEvent, CloudEventJson, MAX_EVENT, schema_name, tenant_of_source};
pub use event_bridge::{EventBridge, SOURCE};
pub use selected::SelectedPublisher;
pub use sns_feed::SnsFeed;

use std::time::Duration;

use domain::ports::{BatchLimits, Clock, PublishError};
use domain::timestamp::Timestamp;

use crate::system::SystemClock;
use crate::telemetry::{self, metrics::Metric};

/// What one call of the bus, and of the feed, takes at most.
const LIMITS: BatchLimits = BatchLimits { entries: 10, bytes: 256 * 1024 };

/// Waits before what was refused is sent again.
async fn pause(retry: u32) {
    tokio::time::sleep(Duration::from_millis(50 << retry)).await;
}

/// Notes how long the oldest of the events that a channel has just taken had waited since its commit.
fn taken(metric: &'static Metric, committed: impl Iterator<Item = Timestamp>) {
    if let Some(oldest) = committed.min() {
        let lag = SystemClock.now().as_millis().saturating_sub(oldest.as_millis()).max(0);
        telemetry::measured(metric, std::time::Duration::from_millis(lag.unsigned_abs()).as_secs_f64() * 1_000.0);
    }
}

/// An entry was not taken, as far as is known.
fn refused(channel: &str, cause: impl std::fmt::Display) -> PublishError {
    telemetry::failed(format_args!("the {channel} did not take an event: {cause}"));
    PublishError(cause.to_string())
}
