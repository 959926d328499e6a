//! A small cache for what partners tell of customers and products; never for stock.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use domain::id::TenantId;

/// The most entries of one cache; at that number it starts anew.
const MOST: usize = 1_000;

/// Keeps values for a while, those of each storefront apart: without a tenant nothing goes in and nothing comes out.
#[derive(Debug)]
pub(super) struct Cache<K, V> {
    kept_for: Duration,
    entries: Mutex<HashMap<(TenantId, K), (V, Instant)>>,
}

impl<K: Hash + Eq + Clone, V: Clone> Cache<K, V> {
    /// A cache that keeps values this long; zero keeps nothing.
    pub fn new(kept_for: Duration) -> Self {
        Self { kept_for, entries: Mutex::default() }
    }

    /// What the storefront was told under this key, while it is fresh.
    pub fn get(&self, tenant: &TenantId, key: &K) -> Option<V> {
        let entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = entries.get(&(tenant.clone(), key.clone()));
        kept.filter(|(_, at)| at.elapsed() < self.kept_for).map(|(value, _)| value.clone())
    }

    /// Keeps what the storefront was told.
    pub fn put(&self, tenant: &TenantId, key: &K, value: V) {
        if self.kept_for.is_zero() {
            return;
        }
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        if entries.len() >= MOST {
            entries.clear();
        }
        entries.insert((tenant.clone(), key.clone()), (value, Instant::now()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tenant(name: &str) -> TenantId {
        TenantId::parse(name).unwrap()
    }

    #[test]
    fn a_value_is_kept_for_its_time_and_no_more_than_the_bound() {
        let (cache, demo) = (Cache::new(Duration::from_secs(60)), tenant("demo"));
        for n in 0..=MOST {
            cache.put(&demo, &n, n);
        }
        assert_eq!((cache.get(&demo, &MOST), cache.get(&demo, &0)), (Some(MOST), None));
        let none = Cache::new(Duration::ZERO);
        none.put(&demo, &1, 1);
        assert_eq!(none.get(&demo, &1), None);
    }

    #[test]
    fn a_storefront_is_not_told_what_another_one_was() {
        let cache = Cache::new(Duration::from_secs(60));
        cache.put(&tenant("a"), &1, "of a");
        cache.put(&tenant("b"), &1, "of b");
        assert_eq!(cache.get(&tenant("a"), &1), Some("of a"));
        assert_eq!(cache.get(&tenant("c"), &1), None);
    }
}
