//! The audit trail keeps the contract of audit trails, costs what it is said to cost, and is behind until a marker passed.

use std::collections::BTreeSet;
use std::time::Duration;

use adapters::audit::{AuditTable, MarkerQueue};
use domain::event::EventId;
use domain::memory::sample;
use domain::ports::{AuditTrail, EventRecorder, PerChannel, TrailError};

use crate::engine::{AUDIT_TABLE, Engine};

domain::audit_trail_contract!(crate::engine::trail());

/// A queue whose consumer is down.
struct Unread;

impl MarkerQueue for Unread {
    async fn put(&self, _: &str) -> Result<(), TrailError> {
        Ok(())
    }

    async fn is_empty(&self) -> Result<bool, TrailError> {
        Ok(false)
    }
}

/// A queue that records markers at once, and holds a message that failed and waits to be retried.
struct Retrying(AuditTable);

impl MarkerQueue for Retrying {
    async fn put(&self, marker: &str) -> Result<(), TrailError> {
        self.0.pass(marker, sample::stamp(1).at).await
    }

    async fn is_empty(&self) -> Result<bool, TrailError> {
        Ok(false)
    }
}

#[tokio::test]
async fn a_marker_that_was_recorded_while_nothing_waits_shows_that_the_trail_has_passed_it() {
    let trail = crate::engine::trail().await;
    assert_eq!(trail.has_passed("a-run@1", sample::stamp(1).at).await, Ok(true));
}

#[tokio::test(start_paused = true)]
async fn a_marker_that_nobody_records_shows_that_the_trail_is_behind() {
    let trail = AuditTable::new(Engine::start().await.client, AUDIT_TABLE, Unread);
    assert_eq!(trail.has_passed("a-run@1", sample::stamp(1).at).await, Ok(false));
}

#[tokio::test(start_paused = true)]
async fn a_marker_does_not_pass_messages_that_are_being_retried() {
    let client = Engine::start().await.client;
    let trail = AuditTable::new(client.clone(), AUDIT_TABLE, Retrying(AuditTable::new(client, AUDIT_TABLE, ())));
    let after = |seconds| sample::stamp(1).at.plus(Duration::from_secs(seconds));
    assert_eq!(trail.has_passed("a-run@1", after(0)).await, Ok(false));
    assert_eq!(trail.has_passed("a-run@1", after(199)).await, Ok(false), "it may be on its way");
    trail.pass("a-run@1", after(150)).await.unwrap();
    assert_eq!(trail.has_passed("a-run@1", after(200)).await, Ok(true), "whatever was recorded again since");
}

#[tokio::test]
async fn all_events_of_a_batch_for_one_order_cost_one_write_unit_and_one_read_unit() {
    let engine = Engine::start().await;
    let trail = AuditTable::new(engine.client.clone(), AUDIT_TABLE, Unread);
    let events = |version| (0..3).map(move |index| EventId { order: sample::order_id(1), version, index });
    for version in 1..=10 {
        let events: BTreeSet<EventId> = events(version).collect();
        let seen = PerChannel { bus: events.clone(), feed: events };
        trail.record(sample::order_id(1), &seen, sample::stamp(1).at).await.unwrap();
    }
    trail.seen(&[sample::order_id(1)]).await.unwrap();
    let units: Vec<_> = engine.meter.take().into_iter().map(|call| (call.operation, call.units)).collect();
    assert_eq!(units[..9], [("UpdateItem", 1.0); 9]);
    assert_eq!(units[10], ("BatchGetItem", 1.0));
}
