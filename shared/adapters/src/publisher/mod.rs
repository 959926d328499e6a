//! Events on their way out: as CloudEvents, to the bus and to the ordered feed, every entry's result read.

mod cloud_event;
mod event_bridge;
mod selected;
mod sns_feed;

pub use cloud_event::{CloudEvent, MAX_EVENT, schema_name};
pub use event_bridge::{EventBridge, SOURCE};
pub use selected::SelectedPublisher;
pub use sns_feed::SnsFeed;
