//! How far a sweep is with the index of what is due.

use std::collections::HashSet;
use std::time::Duration;

use crate::ports::{DueOrder, OrderKey};
use crate::timestamp::Timestamp;

/// The index is read again after this time, so that what became due meanwhile waits no longer behind a backlog.
const READ_AGAIN: Duration = Duration::from_secs(4);

/// A page of one shard, to be read.
pub(super) struct PageOf {
    pub(super) shard: u32,
    /// What is due by then, in all pages of a pass.
    pub(super) now: Timestamp,
    pub(super) after: Option<DueOrder>,
}

/// The passes of a sweep through the index: all shards side by side, each page after page.
#[derive(Debug)]
pub(super) struct Reading {
    /// Orders that the sweep has taken up, which it tries once.
    known: HashSet<OrderKey>,
    /// How many shards are not read to their end.
    open: usize,
    /// Whether this pass came upon an order that is not known.
    has_found: bool,
    again_at: Option<Timestamp>,
}

impl Default for Reading {
    fn default() -> Self {
        Self { known: HashSet::new(), open: 0, has_found: true, again_at: None }
    }
}

impl Reading {
    /// The first pages of the next pass, once the pass before is over: after some time, or when there is nothing to do,
    /// unless that pass found nothing.
    pub(super) fn next_pass(&mut self, now: Timestamp, is_idle: bool, shards: u32) -> impl Iterator<Item = PageOf> {
        let is_due = if is_idle { self.has_found } else { self.again_at.is_some_and(|at| at <= now) };
        let shards = if self.open == 0 && is_due { 0..shards } else { 0..0 };
        if !shards.is_empty() {
            (self.open, self.has_found, self.again_at) = (shards.len(), false, Some(now.plus(READ_AGAIN)));
        }
        shards.map(move |shard| PageOf { shard, now, after: None })
    }

    /// Those of a page that were not taken up yet.
    pub(super) fn unknown(&mut self, mut page: Vec<DueOrder>) -> Vec<DueOrder> {
        page.retain(|order| !self.known.contains(&order.key));
        self.has_found |= !page.is_empty();
        page
    }

    /// The sweep has taken up this order.
    pub(super) fn note(&mut self, key: OrderKey) {
        self.known.insert(key);
    }

    /// No page follows in one shard, or none can be read.
    pub(super) fn end_shard(&mut self) {
        self.open -= 1;
    }
}
