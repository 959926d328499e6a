//! Requests as a schedule and an operator make them.

use adapters::testing;
use domain::event::EventId;
use domain::memory::{MemoryPublisher, MemoryStore, MemoryTrail, sample};
use domain::ports::PerChannel;

use super::*;

/// A clock that stands still.
struct At(Timestamp);

impl Clock for At {
    fn now(&self) -> Timestamp {
        self.0
    }
}

type Service = Reconcile<MemoryStore, MemoryTrail, MemoryPublisher, At>;

const HOUR: Duration = Duration::from_secs(3_600);

/// An order of three events, of which the bus lacks none, and the feed the last two.
async fn service() -> Service {
    let (store, trail, channels) = (MemoryStore::default(), MemoryTrail::default(), PerChannel::default());
    store.insert(&sample::order()).await.unwrap();
    for index in 0..3 {
        trail.note_on_bus(EventId { order: sample::order_id(1), version: 1, index });
    }
    trail.note_on_feed(EventId { order: sample::order_id(1), version: 1, index: 0 });
    Reconcile { store, trail, channels, clock: At(sample::stamp(1).at.minus(HOUR)) }
}

async fn ask(service: &Service, request: &str) -> Result<Report, Error> {
    handle(service, HOUR, serde_json::from_str(request)?).await
}

fn compare(republish: bool) -> String {
    format!(
        r#"{{"mode": "compare", "from": "2026-01-01T00:00:00Z", "to": "2026-01-01T01:00:00Z", "republish": {republish}}}"#
    )
}

#[tokio::test]
async fn a_check_begins_no_run() {
    let service = service().await;
    assert!(ask(&service, r#"{"mode": "check"}"#).await.unwrap().done);
    assert_eq!(service.trail.load(Run::SCHEDULED).await.unwrap(), None);
}

#[tokio::test]
async fn the_sample_event_begins_the_schedule_and_then_compares_what_was_committed_since() {
    let mut service = service().await;
    let schedule = testing::sample_text("reconcile-events");
    let first = ask(&service, &schedule).await.unwrap();
    assert_eq!((first.done, first.orders), (true, 0));
    let mut now = service.clock.0;
    let report = loop {
        now = now.plus(Duration::from_secs(300));
        service.clock = At(now);
        let report = ask(&service, &schedule).await.unwrap();
        if report.orders > 0 {
            break report;
        }
        assert!(now < sample::stamp(1).at.plus(HOUR * 30), "it is due at last");
    };
    assert!(now > sample::stamp(1).at.plus(HOUR * 24), "not while the publisher may still be retrying it");
    assert_eq!((report.done, report.orders, report.events, report.republished), (true, 1, 3, 2));
    assert_eq!((report.missing.bus, report.missing.feed), (0, 2));
    assert_eq!(report.missing_ids.feed[0], format!("{}:1:1", sample::order_id(1)));
    assert_eq!((service.channels.bus.published().len(), service.channels.feed.published().len()), (0, 2));
}

#[tokio::test]
async fn a_comparison_alone_sends_nothing() {
    let service = service().await;
    let report = ask(&service, &compare(false)).await.unwrap();
    assert_eq!((report.done, report.missing.feed, report.republished), (true, 2, 0));
    assert!(service.channels.feed.published().is_empty());
}

#[tokio::test]
async fn a_run_waits_for_the_trail_and_says_so() {
    let service = service().await;
    service.trail.set_behind(true);
    let report = ask(&service, &compare(true)).await.unwrap();
    assert_eq!((report.done, report.trail_behind, report.missing.feed), (false, true, 0));
    service.trail.set_behind(false);
    assert_eq!(ask(&service, &compare(true)).await.unwrap().republished, 2);
}

#[tokio::test]
async fn a_run_whose_events_are_refused_stays_open_and_says_so() {
    let service = service().await;
    service.channels.feed.refuse(EventId { order: sample::order_id(1), version: 1, index: 1 });
    let report = ask(&service, &compare(true)).await.unwrap();
    assert_eq!((report.done, report.refused, report.republished), (false, 2, 0));
    service.channels.feed.recover();
    let report = ask(&service, &compare(true)).await.unwrap();
    assert_eq!((report.done, report.refused, report.missing.feed, report.republished), (true, 0, 2, 2));
}

#[tokio::test]
async fn whole_histories_are_sent_again_to_both_channels() {
    let service = service().await;
    let orders = format!(r#"{{"mode": "resend_orders", "orders": ["demo#{}"]}}"#, sample::order_id(1));
    assert_eq!(ask(&service, &orders).await.unwrap().republished, 3);
    assert_eq!((service.channels.bus.published().len(), service.channels.feed.published().len()), (3, 3));
}

#[tokio::test]
async fn nonsense_is_refused() {
    for request in [
        "{}",
        r#"{"mode": "destroy"}"#,
        r#"{"mode": "compare", "form": "2026-01-01T00:00:00Z", "to": "2026-01-01T01:00:00Z"}"#,
        r#"{"mode": "compare", "from": "yesterday", "to": "2026-01-01T01:00:00Z"}"#,
        r#"{"mode": "compare", "from": "2025-12-01T00:00:00Z", "to": "2026-01-01T01:00:00Z"}"#,
        r#"{"mode": "resend_orders", "orders": ["demo"]}"#,
    ] {
        assert!(ask(&service().await, request).await.is_err(), "{request}");
    }
}
