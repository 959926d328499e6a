//! A retry budget: retries may add a tenth to the calls, so that they cannot multiply the load on a partner in trouble.

use std::sync::atomic::{AtomicU32, Ordering};

/// Tenths of a retry that each call earns.
const EARNED: u32 = 1;
/// Tenths of a retry that a retry costs.
const COST: u32 = 10;
/// The most that can be saved up: two retries, which is also what a new environment starts with.
const MOST: u32 = 20;

/// Counts what retries may still cost.
#[derive(Debug)]
pub(super) struct RetryBudget(AtomicU32);

impl Default for RetryBudget {
    fn default() -> Self {
        Self(AtomicU32::new(MOST))
    }
}

impl RetryBudget {
    /// A call was made.
    pub fn earn(&self) {
        let earned = |saved: u32| Some((saved + EARNED).min(MOST));
        // The closure never refuses.
        let _ = self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, earned);
    }

    /// Takes a retry, when there is one left.
    pub fn take(&self) -> bool {
        self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |saved| saved.checked_sub(COST)).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn after_the_first_two_every_tenth_call_may_be_retried() {
        let budget = RetryBudget::default();
        assert!(budget.take() && budget.take() && !budget.take());
        let retries = (0..100).filter(|_| {
            budget.earn();
            budget.take()
        });
        assert_eq!(retries.count(), 10);
    }
}
