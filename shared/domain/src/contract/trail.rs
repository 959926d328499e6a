//! The contract of audit trails.

#![expect(clippy::expect_used, clippy::missing_panics_doc, reason = "a broken contract must fail the test")]

use std::collections::{BTreeMap, BTreeSet};

use crate::event::EventId;
use crate::memory::sample;
use crate::ports::{
    AuditRuns, AuditTrail, EventRecorder, OrderKey, PerChannel, Progress, Run, Seen, TrailError, Window,
};

/// Declares one test per rule for the trail that `$make` builds anew for each.
#[macro_export]
macro_rules! audit_trail_contract {
    ($make:expr) => {
        $crate::audit_trail_contract!(@tests $make;
            what_is_recorded_of_an_order_is_seen
            recording_again_changes_nothing_and_adds_what_is_new
            many_orders_are_looked_up_at_once
            a_run_reads_back_as_it_was_saved
            a_run_is_saved_by_one_invocation_at_a_time
        );
    };
    (@tests $make:expr; $($rule:ident)+) => {
        $(#[tokio::test]
        async fn $rule() {
            let trail = $make.await;
            $crate::contract::trail::$rule(&trail).await;
        })+
    };
}

fn ids(n: u32, events: &[(u64, usize)]) -> BTreeSet<EventId> {
    events
        .iter()
        .map(|(version, index)| EventId { order: sample::order_id(n), version: *version, index: *index })
        .collect()
}

async fn recorded(trail: &impl EventRecorder, n: u32, seen: &Seen) {
    trail.record(sample::order_id(n), seen, sample::stamp(1).at).await.expect("recorded");
}

/// Each channel's events come back as they were recorded; an order without any is left out.
pub async fn what_is_recorded_of_an_order_is_seen(trail: &(impl EventRecorder + AuditTrail)) {
    let seen = PerChannel { bus: ids(1, &[(1, 0), (1, 1), (12, 3)]), feed: BTreeSet::new() };
    recorded(trail, 1, &seen).await;
    let found = trail.seen(&[sample::order_id(1), sample::order_id(2)]).await;
    assert_eq!(found, Ok(BTreeMap::from([(sample::order_id(1), seen)])));
}

/// Messages come twice, and in parts.
pub async fn recording_again_changes_nothing_and_adds_what_is_new(trail: &(impl EventRecorder + AuditTrail)) {
    for seen in [
        PerChannel { bus: ids(1, &[(1, 0)]), feed: ids(1, &[(1, 0), (1, 1)]) },
        PerChannel { bus: ids(1, &[(1, 0)]), feed: ids(1, &[(1, 1)]) },
        PerChannel { bus: ids(1, &[(2, 0)]), feed: BTreeSet::new() },
    ] {
        recorded(trail, 1, &seen).await;
    }
    let all = PerChannel { bus: ids(1, &[(1, 0), (2, 0)]), feed: ids(1, &[(1, 0), (1, 1)]) };
    assert_eq!(trail.seen(&[sample::order_id(1)]).await, Ok(BTreeMap::from([(sample::order_id(1), all)])));
}

/// A page of orders is more than DynamoDB gets at a time, which is 100.
pub async fn many_orders_are_looked_up_at_once(trail: &(impl EventRecorder + AuditTrail)) {
    for n in 1..=230 {
        recorded(trail, n, &PerChannel { bus: ids(n, &[(1, 0)]), feed: ids(n, &[(1, 0)]) }).await;
    }
    let asked: Vec<_> = (1..=400).map(sample::order_id).collect();
    let found = trail.seen(&asked).await.expect("an answer");
    assert_eq!(found.len(), 230);
    assert!(found.iter().all(|(order, seen)| seen.bus.iter().chain(&seen.feed).all(|event| event.order == *order)));
}

fn run() -> Run {
    let window = Window { from: sample::stamp(1).at, to: sample::stamp(60).at };
    let mut run = Run::new("of-a-test", window, true, sample::stamp(90).at, 0);
    let key = OrderKey { tenant: sample::tenant(), id: sample::order_id(7) };
    run.segments = vec![Progress::NotBegun, Progress::After(key), Progress::Done];
    run.scheduled_at = sample::stamp(91).at;
    run.next_from = sample::stamp(92).at;
    run.tally.orders = 5;
    run.tally.events = 15;
    run.tally.republished = 2;
    ids(1, &[(1, 0), (2, 1)]).into_iter().for_each(|id| run.tally.missing.bus.push(id));
    ids(2, &[(1, 0)]).into_iter().for_each(|id| run.tally.missing.feed.push(id));
    ids(3, &[(9, 0)]).into_iter().for_each(|id| run.tally.unknown.push(id));
    run.revision = 1;
    run
}

/// A run is continued as it was left.
pub async fn a_run_reads_back_as_it_was_saved(trail: &impl AuditRuns) {
    assert_eq!(trail.load("of-a-test").await, Ok(None));
    trail.save(&run()).await.expect("saved");
    let next = Run { revision: 2, segments: vec![Progress::Done], ..run() };
    trail.save(&next).await.expect("saved");
    assert_eq!(trail.load("of-a-test").await, Ok(Some(next)));
}

/// Whoever saves a revision that is not the next one has been overtaken.
pub async fn a_run_is_saved_by_one_invocation_at_a_time(trail: &impl AuditRuns) {
    let at = |revision| Run { revision, ..run() };
    assert_eq!(trail.save(&at(2)).await, Err(TrailError::Taken));
    trail.save(&at(1)).await.expect("saved");
    assert_eq!(trail.save(&at(1)).await, Err(TrailError::Taken));
    trail.save(&at(2)).await.expect("saved");
    assert_eq!(trail.save(&at(1)).await, Err(TrailError::Taken));
    assert_eq!(trail.load("of-a-test").await, Ok(Some(at(2))));
}
