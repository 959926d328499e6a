//! One comparison of histories with what came out, as far as it has come.

use crate::event::EventId;
use crate::ports::{OrderKey, PerChannel, Segment, Window};
use crate::timestamp::Timestamp;

/// The table is read in so many segments side by side: four pages of at most a megabyte are in memory at a time.
const SEGMENTS: u32 = 4;

/// The most ids of each kind that a run keeps: it is saved as one item, after every page.
const MOST_IDS: usize = 200;

/// A run: what it compares, how far it has come, and what it found. It is saved after every page of its segments, so it
/// takes any number of invocations, and one that dies costs the pages it had not saved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// Its name; there is one run of a name at a time.
    pub name: String,
    /// What was committed in this window is compared.
    pub window: Window,
    /// Whether what is missing is sent again.
    pub republish: bool,
    /// When it began.
    pub began_at: Timestamp,
    /// When the schedule came to it last; of no use to others.
    pub scheduled_at: Timestamp,
    /// Where the window of the next scheduled run begins: at the end of this one's, unless the schedule was off meanwhile.
    pub next_from: Timestamp,
    /// How far each segment has been read.
    pub segments: Vec<Progress>,
    /// What it found.
    pub tally: Tally,
    /// How often it was saved.
    pub revision: u64,
}

/// How far a segment has been read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Progress {
    /// Not at all.
    NotBegun,
    /// Up to this order.
    After(OrderKey),
    /// To its end.
    Done,
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tally {
    /// How many orders changed in the window.
    pub orders: u64,
    /// How many events their histories name for it.
    pub events: u64,
    /// Those that did not come out.
    pub missing: PerChannel<Findings>,
    /// What came out and is in no history.
    pub unknown: Findings,
    /// How many were sent again, each channel counted.
    pub republished: u64,
}

/// Events that were found: how many, and the ids of the first of them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Findings {
    /// How many.
    pub count: u64,
    /// The first of them.
    pub ids: Vec<EventId>,
}

impl Run {
    /// A run that has not begun, to be saved after `revision`.
    #[must_use]
    pub fn new(name: &str, window: Window, republish: bool, now: Timestamp, revision: u64) -> Self {
        Self {
            name: name.to_owned(),
            window,
            republish,
            began_at: now,
            scheduled_at: now,
            next_from: window.to,
            segments: (0..SEGMENTS).map(|_| Progress::NotBegun).collect(),
            tally: Tally::default(),
            revision,
        }
    }

    /// Whether every segment has been read to its end.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.segments.iter().all(|progress| *progress == Progress::Done)
    }

    /// What the audit trail must have passed before the run compares.
    #[must_use]
    pub fn marker(&self) -> String {
        format!("{}@{}", self.name, self.began_at.as_millis())
    }

    /// The segments that are not done, each with the order that its next page follows.
    pub fn open_segments(&self) -> impl Iterator<Item = (Segment, Option<&OrderKey>)> {
        let of = u32::try_from(self.segments.len()).unwrap_or(u32::MAX);
        (0..of).zip(&self.segments).filter_map(move |(index, progress)| match progress {
            Progress::NotBegun => Some((Segment { index, of }, None)),
            Progress::After(key) => Some((Segment { index, of }, Some(key))),
            Progress::Done => None,
        })
    }

    /// Notes that a page of a segment was compared.
    pub fn note(&mut self, segment: Segment, next: Option<OrderKey>, found: Tally) {
        let index = usize::try_from(segment.index).unwrap_or(usize::MAX);
        if let Some(progress) = self.segments.get_mut(index) {
            *progress = next.map_or(Progress::Done, Progress::After);
        }
        self.tally.add(found);
    }
}

impl Tally {
    fn add(&mut self, other: Self) {
        self.orders += other.orders;
        self.events += other.events;
        self.missing.bus.add(other.missing.bus);
        self.missing.feed.add(other.missing.feed);
        self.unknown.add(other.unknown);
        self.republished += other.republished;
    }

    /// Whether histories and events are the same.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.missing.bus.count + self.missing.feed.count + self.unknown.count == 0
    }
}

impl Findings {
    /// Notes an event.
    pub fn push(&mut self, id: EventId) {
        self.count += 1;
        if self.ids.len() < MOST_IDS {
            self.ids.push(id);
        }
    }

    fn add(&mut self, other: Self) {
        self.count += other.count;
        let room = MOST_IDS.saturating_sub(self.ids.len());
        self.ids.extend(other.ids.into_iter().take(room));
    }
}
