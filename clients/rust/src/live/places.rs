//! How far each order has been followed.

use std::collections::{HashMap, VecDeque};

use uuid::Uuid;

use super::{Event, Missed};

/// So many orders are remembered. An order that was forgotten may bring an event twice.
const MOST: usize = 10_000;

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
    /// A version is missing before it.
    TooFar,
}

/// The last event of each order.
#[derive(Debug, Default)]
pub(super) struct Places {
    last: HashMap<Uuid, Place>,
    oldest: VecDeque<Uuid>,
}

impl Places {
    /// The last version of an order that an event came of.
    pub fn last(&self, order: Uuid) -> Option<u64> {
        self.last.get(&order).map(|place| place.version)
    }

    /// Takes an event if it is the next.
    pub fn take(&mut self, order: Uuid, place: Place) -> Verdict {
        match self.last.get(&order) {
            Some(last) if place <= *last => Verdict::Known,
            Some(last) if place.version > last.version + 1 => Verdict::TooFar,
            _ => {
                self.set(order, place);
                Verdict::New
            }
        }
    }

    /// Takes an event of what was missed, which is whole, so that nothing can be missing before it; whether it is new.
    pub fn take_on(&mut self, order: Uuid, place: Place) -> bool {
        let is_new = self.last.get(&order).is_none_or(|last| place > *last);
        if is_new {
            self.set(order, place);
        }
        is_new
    }

    /// Goes on after versions that are gone; after too many to be named everything may come.
    pub fn pass_over(&mut self, missed: &Missed) {
        match (missed.order_id, missed.to) {
            (Some(order), Some(version)) => self.set(order, Place { version, index: u64::MAX }),
            _ => *self = Self::default(),
        }
    }

    fn set(&mut self, order: Uuid, place: Place) {
        if self.last.insert(order, place).is_none() {
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
    use super::*;

    const ORDER: Uuid = Uuid::nil();

    fn place(version: u64, index: u64) -> Place {
        Place { version, index }
    }

    #[test]
    fn each_event_is_taken_once_and_none_after_a_gap() {
        let mut places = Places::default();
        for (version, index, verdict) in [
            (3, 0, Verdict::New),
            (3, 1, Verdict::New),
            (3, 0, Verdict::Known),
            (5, 0, Verdict::TooFar),
            (4, 0, Verdict::New),
            (5, 0, Verdict::New),
            (2, 7, Verdict::Known),
        ] {
            assert_eq!(places.take(ORDER, place(version, index)), verdict, "{version}:{index}");
        }
        assert_eq!(places.last(ORDER), Some(5));
    }

    #[test]
    fn after_versions_that_are_gone_it_goes_on() {
        let mut places = Places::default();
        places.take(ORDER, place(5, 0));
        places.pass_over(&Missed { order_id: Some(ORDER), from: Some(6), to: Some(29) });
        assert_eq!(places.take(ORDER, place(29, 3)), Verdict::Known);
        assert_eq!(places.take(ORDER, place(30, 0)), Verdict::New);
        places.pass_over(&Missed { order_id: None, from: None, to: None });
        assert_eq!(places.take(ORDER, place(70, 0)), Verdict::New);
    }

    #[test]
    fn no_more_orders_are_remembered_than_fit() {
        let mut places = Places::default();
        for n in 0..=MOST as u128 {
            places.take(Uuid::from_u128(n), place(1, 0));
        }
        assert_eq!((places.last.len(), places.oldest.len()), (MOST, MOST));
        assert_eq!(places.last(Uuid::from_u128(0)), None);
    }
}
