//! A fleet of environments and a partner that hangs, simulated: what sharing the circuit saves.

#![allow(clippy::indexing_slicing, clippy::unwrap_used, clippy::cast_possible_truncation, reason = "tests")]

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

use domain::timestamp::Timestamp;

use super::budget::RetryBudget;
use super::circuits::{CircuitState, VOTES};
use super::gate::{Gate, OPEN_FOR, Passage, Permit};

const ENVIRONMENTS: usize = 200;
/// Milliseconds, as all that follow.
const BETWEEN_REQUESTS: i64 = 10;
const HANGS_FOR: i64 = 60_000;
const ATTEMPT: i64 = 1_000;
const WHOLE: i64 = 2_500;
const FRESH_FOR: i64 = 5_000;
const VOTE_COUNTS_FOR: i64 = 10_000;

#[derive(Default)]
struct Environment {
    gate: Gate,
    budget: RetryBudget,
    /// When the partner's circuit is open until, as far as it knows, and when it read that.
    known: Option<i64>,
    read_at: Option<i64>,
    is_busy: bool,
    /// When the request at hand must end.
    deadline: i64,
}

/// What happens to an environment.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    /// Its attempt is given up.
    TimesOut,
    /// A request comes.
    Request,
}

struct Fleet {
    environments: Vec<Environment>,
    events: BinaryHeap<Reverse<(i64, usize, Event)>>,
    /// The votes that open the circuit for all; `None`: nothing is shared.
    votes_needed: Option<usize>,
    votes: BTreeMap<usize, i64>,
    open_until: Option<i64>,
    permits: BTreeMap<usize, Permit>,
    sick: usize,
    counts: Counts,
}

/// What the fleet did.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct Counts {
    requests: usize,
    /// Requests that waited for a timeout.
    waited: usize,
    /// Attempts that reached a partner that hangs.
    attempts: usize,
    /// Requests that a healthy environment was not let make.
    shut_out: usize,
}

impl Fleet {
    /// A fleet of which the first `sick` environments get no answer.
    fn run(votes_needed: Option<usize>, sick: usize) -> Counts {
        let mut fleet = Self {
            environments: (0..ENVIRONMENTS).map(|_| Environment::default()).collect(),
            events: (0..HANGS_FOR / BETWEEN_REQUESTS)
                .map(|n| Reverse((n * BETWEEN_REQUESTS, 0, Event::Request)))
                .collect(),
            votes_needed,
            votes: BTreeMap::new(),
            open_until: None,
            permits: BTreeMap::new(),
            sick,
            counts: Counts::default(),
        };
        let mut chance = 1_usize;
        while let Some(Reverse((now, who, event))) = fleet.events.pop() {
            match event {
                Event::TimesOut => fleet.times_out(now, who),
                Event::Request => {
                    chance = chance.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                    let first = (chance >> 33) % ENVIRONMENTS;
                    let free = (0..ENVIRONMENTS).map(|n| (first + n) % ENVIRONMENTS);
                    let Some(who) = free.into_iter().find(|who| !fleet.environments[*who].is_busy) else { continue };
                    fleet.counts.requests += 1;
                    fleet.environments[who].deadline = now + WHOLE;
                    fleet.environments[who].budget.earn();
                    fleet.counts.waited += usize::from(fleet.attempt(now, who));
                }
            }
        }
        fleet.counts
    }

    /// Calls the partner, if the circuit lets it; whether an answer is waited for in vain.
    fn attempt(&mut self, now: i64, who: usize) -> bool {
        let environment = &mut self.environments[who];
        let state = environment.known.map_or(CircuitState::Closed, |until| CircuitState::Open { until: at(until) });
        // What is read beside this call is known for the next.
        if self.votes_needed.is_some() && environment.read_at.is_none_or(|read_at| now - read_at >= FRESH_FOR) {
            (environment.read_at, environment.known) = (Some(now), self.open_until);
        }
        let permit = match environment.gate.passage(at(now), state) {
            Passage::Open(permit) => permit,
            Passage::Shut => {
                self.counts.shut_out += usize::from(who >= self.sick);
                return false;
            }
            Passage::IfElected => match self.open_until {
                Some(until) if until <= now => {
                    let next = now + OPEN_FOR.as_millis() as i64;
                    (self.open_until, environment.known) = (Some(next), Some(next));
                    Permit::ProbeForAll
                }
                until => {
                    environment.known = until;
                    self.counts.shut_out += usize::from(who >= self.sick);
                    return false;
                }
            },
        };
        if who >= self.sick {
            environment.gate.succeeded();
            return false;
        }
        self.counts.attempts += 1;
        environment.is_busy = true;
        self.permits.insert(who, permit);
        self.events.push(Reverse(((now + ATTEMPT).min(environment.deadline), who, Event::TimesOut)));
        true
    }

    fn times_out(&mut self, now: i64, who: usize) {
        let permit = self.permits.remove(&who).unwrap();
        let environment = &mut self.environments[who];
        environment.is_busy = false;
        if environment.gate.failed(at(now), permit) {
            self.vote(now, who);
        }
        let environment = &self.environments[who];
        if now < environment.deadline && !permit.is_probe() && environment.budget.take() {
            self.attempt(now, who);
        }
    }

    fn vote(&mut self, now: i64, who: usize) {
        let Some(needed) = self.votes_needed else { return };
        self.votes.insert(who, now);
        self.votes.retain(|_, voted_at| now < *voted_at + VOTE_COUNTS_FOR);
        if self.open_until.is_none() && self.votes.len() >= needed {
            self.votes.clear();
            self.open_until = Some(now + OPEN_FOR.as_millis() as i64);
        }
        self.environments[who].known = self.open_until;
    }
}

fn at(millis: i64) -> Timestamp {
    Timestamp::from_millis(millis)
}

#[test]
fn a_shared_circuit_spares_a_fleet_most_of_the_waiting() {
    let [local, shared] = [None, Some(VOTES)].map(|votes| Fleet::run(votes, ENVIRONMENTS));
    println!("| circuits | requests | wait for a timeout | calls that reach the partner |\n| --- | --- | --- | --- |");
    for (name, counts) in [("each its own", local), ("shared", shared)] {
        println!("| {name} | {} | {} | {} |", counts.requests, counts.waited, counts.attempts);
    }
    assert!(shared.waited * 2 < local.waited, "{shared:?} {local:?}");
    assert!(shared.attempts * 2 < local.attempts, "{shared:?} {local:?}");
}

#[test]
fn environments_without_a_network_shut_out_nobody_else_until_three_of_them_vote() {
    for sick in [1, 2] {
        let counts = Fleet::run(Some(VOTES), sick);
        assert!(counts.attempts > 0, "they were sick: {counts:?}");
        assert_eq!(counts.shut_out, 0, "{counts:?}");
    }
    assert!(Fleet::run(Some(1), 1).shut_out > 0, "the rule that one environment decides for all was worse");
}
