//! A clock that stands still, and one that goes on.

use std::sync::atomic::{AtomicI64, Ordering};

use crate::ports::Clock;
use crate::timestamp::Timestamp;

/// It is always this time.
#[derive(Debug, Clone, Copy)]
pub struct FixedClock(pub Timestamp);

impl Clock for FixedClock {
    fn now(&self) -> Timestamp {
        self.0
    }
}

/// It goes on by a second whenever it is asked.
#[derive(Debug, Default)]
pub struct TickingClock(AtomicI64);

impl TickingClock {
    /// It is this time when it is first asked.
    #[must_use]
    pub const fn from(first: Timestamp) -> Self {
        Self(AtomicI64::new(first.as_secs()))
    }
}

impl Clock for TickingClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_secs(self.0.fetch_add(1, Ordering::Relaxed))
    }
}
