//! Events on their way out: as CloudEvents, in batches the bus accepts, every entry's result read.

mod cloud_event;
mod event_bridge;
mod selected;

pub use cloud_event::CloudEvent;
pub use event_bridge::EventBridgePublisher;
pub use selected::SelectedPublisher;
