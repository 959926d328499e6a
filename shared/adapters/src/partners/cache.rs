//! A small cache for what partners tell of customers and products; never for stock.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// The most entries of one cache; at that number it starts anew.
const MOST: usize = 1_000;

/// Keeps values for a while.
#[derive(Debug)]
pub(super) struct Cache<K, V> {
    kept_for: Duration,
    entries: Mutex<HashMap<K, (V, Instant)>>,
}

impl<K: Hash + Eq, V: Clone> Cache<K, V> {
    /// A cache that keeps values this long; zero keeps nothing.
    pub fn new(kept_for: Duration) -> Self {
        Self { kept_for, entries: Mutex::default() }
    }

    /// The value, while it is fresh.
    pub fn get(&self, key: &K) -> Option<V> {
        let entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        entries.get(key).filter(|(_, at)| at.elapsed() < self.kept_for).map(|(value, _)| value.clone())
    }

    /// Keeps a value.
    pub fn put(&self, key: K, value: V) {
        if self.kept_for.is_zero() {
            return;
        }
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        if entries.len() >= MOST {
            entries.clear();
        }
        entries.insert(key, (value, Instant::now()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_kept_for_its_time_and_no_more_than_the_bound() {
        let cache = Cache::new(Duration::from_secs(60));
        for n in 0..=MOST {
            cache.put(n, n);
        }
        assert_eq!((cache.get(&MOST), cache.get(&0)), (Some(MOST), None));
        let none = Cache::new(Duration::ZERO);
        none.put(1, 1);
        assert_eq!(none.get(&1), None);
    }
}
