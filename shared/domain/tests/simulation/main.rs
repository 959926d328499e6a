//! The whole service under a storm: the real use cases run over ports that fail in every way the real services may,
//! processes die between any two effects, and afterwards nothing is lost, doubled, invented or out of order.
//!
//! Everything follows from a seed. `SEEDS=n` runs seeds 0 to n - 1; `SEED=n` replays one and shows every step.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, missing_docs, reason = "tests")]

mod bugs;
mod channels;
mod client;
mod evidence;
mod invariants;
mod partners;
mod process;
mod reports;
mod run;
mod table;
mod world;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use crate::run::run;
use crate::world::Fault;

/// How many seeds run when nothing else is said.
const DEFAULT_SEEDS: u64 = 2_000;

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok().map(|value| value.parse().expect("a number"))
}

#[test]
fn no_storm_loses_doubles_or_invents_an_order_or_an_event() {
    if let Some(seed) = number("SEED") {
        let violation = run(seed, None, true).violation;
        assert_eq!(violation, None, "seed {seed}");
        return;
    }
    let seeds = number("SEEDS").unwrap_or(DEFAULT_SEEDS);
    let (next, started) = (AtomicU64::new(0), Instant::now());
    let threads = std::thread::available_parallelism().map_or(2, usize::from);
    let faults = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(|| run_seeds(&next, seeds))).collect();
        workers.into_iter().map(|worker| worker.join().expect("every seed runs")).fold(BTreeMap::new(), merged)
    });
    let total: u64 = faults.values().sum();
    println!("{seeds} seeds, {total} faults in {:.1} s: {faults:?}", started.elapsed().as_secs_f64());
}

/// Runs the next seed until none is left; the faults of all.
fn run_seeds(next: &AtomicU64, seeds: u64) -> BTreeMap<Fault, u64> {
    let mut faults = BTreeMap::new();
    loop {
        let seed = next.fetch_add(1, Ordering::Relaxed);
        if seed >= seeds {
            return faults;
        }
        let outcome = run(seed, None, false);
        if let Some(violation) = outcome.violation {
            panic!(
                "seed {seed}: {violation}\nreplay it: SEED={seed} cargo test -p domain --test simulation no_storm -- --nocapture"
            );
        }
        faults = merged(faults, outcome.faults);
    }
}

fn merged(mut all: BTreeMap<Fault, u64>, some: BTreeMap<Fault, u64>) -> BTreeMap<Fault, u64> {
    for (fault, count) in some {
        *all.entry(fault).or_default() += count;
    }
    all
}
