//! An audit trail in memory.

use std::sync::Mutex;

use super::lock;
use crate::ports::{AuditTrail, Seen, TrailError};
use crate::timestamp::Timestamp;

/// Remembers what it is told.
#[derive(Debug, Default)]
pub struct MemoryTrail {
    seen: Mutex<Vec<Seen>>,
}

impl MemoryTrail {
    /// Remembers an event.
    pub fn note(&self, seen: Seen) {
        lock(&self.seen).push(seen);
    }
}

impl AuditTrail for MemoryTrail {
    async fn seen_since(&self, from: Timestamp) -> Result<Vec<Seen>, TrailError> {
        Ok(lock(&self.seen).iter().copied().filter(|seen| seen.at >= from).collect())
    }
}
