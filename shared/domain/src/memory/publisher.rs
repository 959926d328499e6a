//! A bus in memory.

use std::collections::BTreeSet;
use std::sync::Mutex;

use super::lock;
use crate::event::{Event, EventId};
use crate::history::EventKind;
use crate::ports::{EventPublisher, PublishError};

/// Records what was published, and refuses what it is told to refuse.
#[derive(Debug, Default)]
pub struct MemoryPublisher {
    published: Mutex<Vec<Published>>,
    refused: Mutex<BTreeSet<EventId>>,
}

/// One event that was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Published {
    /// Its id.
    pub id: EventId,
    /// What happened.
    pub kind: EventKind,
}

impl MemoryPublisher {
    /// What was taken, in order.
    #[must_use]
    pub fn published(&self) -> Vec<Published> {
        lock(&self.published).clone()
    }

    /// Refuses this event until further notice.
    pub fn refuse(&self, id: EventId) {
        lock(&self.refused).insert(id);
    }

    /// Takes every event again.
    pub fn recover(&self) {
        lock(&self.refused).clear();
    }
}

impl EventPublisher for MemoryPublisher {
    async fn publish(&self, events: &[Event<'_>]) -> Vec<Result<(), PublishError>> {
        let refused = lock(&self.refused);
        let mut published = lock(&self.published);
        let take = |event: &Event<'_>| {
            if refused.contains(&event.id) {
                return Err(PublishError("refused".to_owned()));
            }
            published.push(Published { id: event.id, kind: event.kind });
            Ok(())
        };
        events.iter().map(take).collect()
    }
}
