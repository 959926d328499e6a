//! An audit trail in memory.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;

use super::lock;
use crate::event::EventId;
use crate::id::OrderId;
use crate::ports::{AuditRuns, AuditTrail, EventRecorder, Run, Seen, TrailError};
use crate::timestamp::Timestamp;

/// Remembers what it is told.
#[derive(Debug, Default)]
pub struct MemoryTrail {
    seen: Mutex<BTreeMap<OrderId, Seen>>,
    passed: Mutex<BTreeSet<String>>,
    runs: Mutex<BTreeMap<String, Run>>,
    is_behind: Mutex<bool>,
    is_down: Mutex<bool>,
}

impl MemoryTrail {
    /// Remembers that the event came out of the bus.
    pub fn note_on_bus(&self, id: EventId) {
        lock(&self.seen).entry(id.order).or_default().bus.insert(id);
    }

    /// Remembers that the event came out of the feed.
    pub fn note_on_feed(&self, id: EventId) {
        lock(&self.seen).entry(id.order).or_default().feed.insert(id);
    }

    /// Whether what came out waits to be recorded.
    pub fn set_behind(&self, is_behind: bool) {
        *lock(&self.is_behind) = is_behind;
    }

    fn up(&self) -> Result<(), TrailError> {
        if *lock(&self.is_down) { Err(TrailError::Unavailable("it is down".to_owned())) } else { Ok(()) }
    }

    /// Whether what came out can be neither recorded nor read.
    pub fn set_down(&self, is_down: bool) {
        *lock(&self.is_down) = is_down;
    }
}

impl EventRecorder for MemoryTrail {
    async fn record(&self, order: OrderId, seen: &Seen, _now: Timestamp) -> Result<(), TrailError> {
        self.up()?;
        let mut all = lock(&self.seen);
        let known = all.entry(order).or_default();
        known.bus.extend(&seen.bus);
        known.feed.extend(&seen.feed);
        Ok(())
    }

    async fn pass(&self, marker: &str, _now: Timestamp) -> Result<(), TrailError> {
        self.up()?;
        lock(&self.passed).insert(marker.to_owned());
        Ok(())
    }
}

impl AuditTrail for MemoryTrail {
    async fn seen(&self, orders: &[OrderId]) -> Result<BTreeMap<OrderId, Seen>, TrailError> {
        self.up()?;
        let seen = lock(&self.seen);
        Ok(orders.iter().filter_map(|id| Some((*id, seen.get(id)?.clone()))).collect())
    }

    /// Nothing waits here unless it was told so.
    async fn has_passed(&self, marker: &str, _now: Timestamp) -> Result<bool, TrailError> {
        Ok(!*lock(&self.is_behind) || lock(&self.passed).contains(marker))
    }
}

impl AuditRuns for MemoryTrail {
    async fn load(&self, name: &str) -> Result<Option<Run>, TrailError> {
        Ok(lock(&self.runs).get(name).cloned())
    }

    async fn save(&self, run: &Run) -> Result<(), TrailError> {
        let mut runs = lock(&self.runs);
        let present = runs.get(&run.name).map_or(0, |run| run.revision);
        if present + 1 != run.revision {
            return Err(TrailError::Taken);
        }
        runs.insert(run.name.clone(), run.clone());
        Ok(())
    }
}
