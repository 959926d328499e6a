//! Who announces what happened.

use crate::event::Event;

/// Sends events to those who listen.
pub trait EventPublisher: Send + Sync {
    /// Sends events and answers for each, in the order given.
    ///
    /// MUST return as many results as events; an event whose result is `Err` may be sent again.
    fn publish(&self, events: &[Event<'_>]) -> impl Future<Output = Vec<Result<(), PublishError>>> + Send;
}

/// An event that was not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the event was not published: {0}")]
pub struct PublishError(pub String);
