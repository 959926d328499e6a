//! One way out for events: a bus, a feed.

use crate::event::Event;
use crate::ports::PublishError;

/// What one call of a channel takes at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BatchLimits {
    /// So many entries.
    pub entries: usize,
    /// So many bytes, over all entries.
    pub bytes: usize,
}

/// What an event is written as, once for all channels that carry it.
pub trait EventForm: Sized + Send + Sync {
    /// Writes an event.
    ///
    /// # Errors
    /// [`PublishError`] when the event can never be sent.
    fn write(event: &Event<'_>) -> Result<Self, PublishError>;
}

/// One entry of a channel's calls.
#[derive(Debug, Clone)]
pub struct ChannelEntry<C> {
    /// The event.
    pub content: C,
    /// What it counts against [`BatchLimits::bytes`].
    pub bytes: usize,
}

/// Takes events in batches and answers for each.
pub trait EventChannel: Send + Sync {
    /// What it carries.
    type Form: EventForm;

    /// What one event is in its calls.
    type Content: Clone + Send + Sync;

    /// What [`EventChannel::put`] takes at most.
    const LIMITS: BatchLimits;

    /// Addresses an event that is written.
    ///
    /// # Errors
    /// [`PublishError`] when the event can never be sent.
    fn entry(&self, event: &Event<'_>, written: &Self::Form) -> Result<ChannelEntry<Self::Content>, PublishError>;

    /// Makes one call, and answers for each entry in the order given.
    ///
    /// MUST answer `Err` for an entry unless the channel said that it took it; one that is `Err` may be out all the same.
    fn put(&self, batch: Vec<Self::Content>) -> impl Future<Output = Vec<Result<(), PublishError>>> + Send;

    /// Waits before what was refused is sent again, for the first time (1), the second (2) …
    fn pause(&self, retry: u32) -> impl Future<Output = ()> + Send;
}
