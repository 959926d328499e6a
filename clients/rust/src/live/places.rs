//! How far each order has been followed.

use std::collections::{HashMap, VecDeque};

use time::OffsetDateTime;
use uuid::Uuid;

use super::{Event, Missed};

/// So many orders are remembered. An order that was forgotten may bring an event twice.
const MOST: usize = 10_000;

/// The place behind the last event of a version.
const WHOLE: u64 = u64::MAX;

/// Where an event stands among those of its order: its version, and its place in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    version: u64,
    index: u64,
}

impl Place {
    pub fn of(event: &Event) -> Self {
        let index = event.id.rsplit(':').next().and_then(|index| index.parse().ok());
        Self { version: event.version, index: index.unwrap_or_default() }
    }
}

/// What an event is to its order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The next.
    New,
    /// One that has been seen.
    Known,
    /// A version is missing between it and the last.
    TooFar {
        /// The last version.
        after: u64,
        /// When the last event was made.
        known_at: Option<OffsetDateTime>,
    },
}

/// The last event of an order.
#[derive(Debug, Clone, Copy)]
struct Last {
    place: Place,
    at: Option<OffsetDateTime>,
}

/// The last event of each order.
#[derive(Debug, Default)]
pub(super) struct Places {
    last: HashMap<Uuid, Last>,
    oldest: VecDeque<Uuid>,
}

impl Places {
    /// The last version of an order of which everything has come: the events of the last one may not all have come.
    pub fn resume_after(&self, order: Uuid) -> Option<u64> {
        let Place { version, index } = self.last.get(&order)?.place;
        Some(if index == WHOLE { version } else { version.saturating_sub(1) })
    }

    /// Takes an event if it is the next.
    pub fn take(&mut self, event: &Event) -> Verdict {
        let place = Place::of(event);
        match self.last.get(&event.order_id) {
            Some(last) if place <= last.place => Verdict::Known,
            Some(last) if place.version > last.place.version + 1 => {
                Verdict::TooFar { after: last.place.version, known_at: last.at }
            }
            _ => {
                self.set(event.order_id, Last { place, at: Some(event.time) });
                Verdict::New
            }
        }
    }

    /// All of this version has come, or is not wanted.
    pub fn reach(&mut self, order: Uuid, version: u64) {
        let place = Place { version, index: WHOLE };
        let last = self.last.get(&order);
        if last.is_none_or(|last| place > last.place) {
            let at = last.and_then(|last| last.at);
            self.set(order, Last { place, at });
        }
    }

    /// Goes on after versions that are gone; after too many to be named everything may come.
    pub fn pass_over(&mut self, missed: &Missed) {
        match (missed.order_id, missed.to) {
            (Some(order), Some(version)) => self.reach(order, version),
            _ => *self = Self::default(),
        }
    }

    fn set(&mut self, order: Uuid, last: Last) {
        if self.last.insert(order, last).is_none() {
            self.oldest.push_back(order);
        }
        if self.last.len() > MOST
            && let Some(oldest) = self.oldest.pop_front()
        {
            self.last.remove(&oldest);
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    const ORDER: Uuid = Uuid::nil();

    fn event(order_id: Uuid, version: u64, index: u64) -> Event {
        let id = format!("{order_id}:{version}:{index}");
        let (kind, time, data) = ("order.updated".to_owned(), OffsetDateTime::UNIX_EPOCH, Value::Null);
        Event { id, kind, order_id, version, time, data }
    }

    #[test]
    fn each_event_is_taken_once_and_none_after_a_gap() {
        let mut places = Places::default();
        for (version, index, verdict) in [
            (3, 0, Verdict::New),
            (3, 1, Verdict::New),
            (3, 0, Verdict::Known),
            (5, 0, Verdict::TooFar { after: 3, known_at: Some(OffsetDateTime::UNIX_EPOCH) }),
            (4, 0, Verdict::New),
            (5, 0, Verdict::New),
            (2, 7, Verdict::Known),
        ] {
            assert_eq!(places.take(&event(ORDER, version, index)), verdict, "{version}:{index}");
        }
        assert_eq!(places.resume_after(ORDER), Some(4), "of the fifth more may come");
        places.reach(ORDER, 5);
        assert_eq!(places.resume_after(ORDER), Some(5));
    }

    #[test]
    fn after_versions_that_are_gone_it_goes_on() {
        let mut places = Places::default();
        places.take(&event(ORDER, 5, 0));
        places.pass_over(&Missed { order_id: Some(ORDER), from: Some(6), to: Some(29) });
        assert_eq!(places.take(&event(ORDER, 29, 3)), Verdict::Known);
        assert_eq!(places.take(&event(ORDER, 30, 0)), Verdict::New);
        places.pass_over(&Missed { order_id: None, from: None, to: None });
        assert_eq!(places.take(&event(ORDER, 50, 0)), Verdict::New);
    }

    #[test]
    fn only_so_many_orders_are_remembered() {
        let mut places = Places::default();
        for n in 0..=MOST as u128 {
            places.take(&event(Uuid::from_u128(n), 1, 0));
        }
        assert_eq!((places.last.len(), places.oldest.len()), (MOST, MOST));
        assert_eq!(places.resume_after(Uuid::from_u128(0)), None);
    }
}
