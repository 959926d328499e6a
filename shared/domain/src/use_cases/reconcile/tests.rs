//! Runs over orders and a trail in memory.

use super::*;
use crate::memory::{MemoryPublisher, MemoryStore, MemoryTrail, TickingClock, sample};
use crate::order::OrderData;
use crate::ports::{Condition, Findings, Window};
use crate::status::Status;

/// So many stored orders of three events each.
const ORDERS: u32 = 20;

type Service = Reconcile<MemoryStore, MemoryTrail, MemoryPublisher, TickingClock>;

/// A service whose events came out of both channels.
async fn service() -> Service {
    let (store, trail) = (MemoryStore::default(), MemoryTrail::default());
    for n in 1..=ORDERS {
        store.insert(&order(n)).await.unwrap();
        for index in 0..3 {
            trail.note_on_bus(id(n, 1, index));
            trail.note_on_feed(id(n, 1, index));
        }
    }
    Reconcile { store, trail, channels: PerChannel::default(), clock: TickingClock::default() }
}

/// A service of which these events did not come out of the bus, and those not of the feed.
async fn service_without(bus: &[EventId], feed: &[EventId]) -> Service {
    let mut service = service().await;
    service.trail = MemoryTrail::default();
    for event in (1..=ORDERS).flat_map(|n| (0..3).map(move |index| id(n, 1, index))) {
        if !bus.contains(&event) {
            service.trail.note_on_bus(event);
        }
        if !feed.contains(&event) {
            service.trail.note_on_feed(event);
        }
    }
    service
}

fn order(n: u32) -> Order {
    Order::restore(OrderData { id: sample::order_id(n), ..(*sample::order()).clone() })
}

fn id(n: u32, version: u64, index: usize) -> EventId {
    EventId { order: sample::order_id(n), version, index }
}

fn run(from: u32, to: u32, republish: bool) -> Run {
    let window = Window { from: sample::stamp(from).at, to: sample::stamp(to).at };
    Run::asked_for(None, window, republish, Timestamp::from_secs(0))
}

async fn finish(service: &Service, mut run: Run) -> Tally {
    assert_eq!(service.advance(&mut run, Timestamp::from_secs(1_000_000)).await, Ok(Advance::Done));
    run.tally
}

fn sorted(findings: &Findings) -> Vec<EventId> {
    let mut ids = findings.ids.clone();
    ids.sort();
    ids
}

fn sent(publisher: &MemoryPublisher) -> Vec<EventId> {
    let mut ids: Vec<_> = publisher.published().into_iter().map(|event| event.id).collect();
    ids.sort();
    ids
}

#[tokio::test]
async fn nothing_is_missing_when_everything_came_out() {
    let service = service().await;
    let found = finish(&service, run(0, 9, true)).await;
    assert_eq!(found, Tally { orders: 20, events: 60, ..Tally::default() });
    assert!(sent(&service.channels.bus).is_empty() && sent(&service.channels.feed).is_empty());
}

#[tokio::test]
async fn what_one_channel_lacks_is_named_for_it_and_sent_to_it_alone() {
    let (bus, feed) = ([id(1, 1, 1), id(3, 1, 0)], [id(3, 1, 2), id(9, 1, 0), id(9, 1, 1)]);
    let service = service_without(&bus, &feed).await;
    let found = finish(&service, run(0, 9, false)).await;
    assert_eq!((sorted(&found.missing.bus), sorted(&found.missing.feed)), (bus.to_vec(), feed.to_vec()));
    assert_eq!((found.missing.bus.count, found.missing.feed.count, found.republished), (2, 3, 0));
    assert!(sent(&service.channels.bus).is_empty() && sent(&service.channels.feed).is_empty());
    assert_eq!(finish(&service, run(0, 9, true)).await.republished, 5);
    assert_eq!((sent(&service.channels.bus), sent(&service.channels.feed)), (bus.to_vec(), feed.to_vec()));
}

#[tokio::test]
async fn an_order_that_never_came_out_is_missing_whole() {
    let service = service().await;
    service.store.insert(&order(ORDERS + 1)).await.unwrap();
    let found = finish(&service, run(0, 9, false)).await;
    assert_eq!((found.missing.bus.count, found.missing.feed.count), (3, 3));
}

#[tokio::test]
async fn a_run_goes_on_where_it_was_saved_and_counts_nothing_twice() {
    let lost = [id(2, 1, 0), id(20, 1, 2)];
    let service = service_without(&lost, &[]).await;
    let asked = run(0, 9, true);
    let mut invocations = 0;
    let found = loop {
        invocations += 1;
        let last = service.trail.load(&asked.name).await.unwrap();
        let mut run = Run::asked_for(last, asked.window, true, service.clock.now());
        // Time for one page of each segment.
        let until = service.clock.now().plus(std::time::Duration::from_secs(3));
        match service.advance(&mut run, until).await.unwrap() {
            Advance::Done => break run.tally,
            Advance::TimeUp => assert!(!run.is_done()),
            Advance::TrailBehind | Advance::Refused(_) => panic!("nothing is behind or refused here"),
        }
    };
    assert!(invocations > 2, "{invocations}");
    assert_eq!((found.orders, found.events, sorted(&found.missing.bus)), (20, 60, lost.to_vec()));
    assert_eq!(sent(&service.channels.bus), lost);
}

#[tokio::test]
async fn an_invocation_that_fails_midway_costs_only_what_it_had_not_saved() {
    let lost = [id(2, 1, 0), id(20, 1, 2)];
    let service = service_without(&lost, &[]).await;
    let mut first = run(0, 9, true);
    let until = service.clock.now().plus(std::time::Duration::from_secs(3));
    assert_eq!(service.advance(&mut first, until).await, Ok(Advance::TimeUp));
    service.trail.set_down(true);
    let saved = || async { service.trail.load(&first.name).await.unwrap().unwrap() };
    assert!(service.advance(&mut saved().await, Timestamp::from_secs(1_000)).await.is_err());
    service.trail.set_down(false);
    let found = finish(&service, saved().await).await;
    assert_eq!((found.orders, found.events, sorted(&found.missing.bus)), (20, 60, lost.to_vec()));
}

#[tokio::test]
async fn two_invocations_do_not_work_on_the_same_run() {
    let service = service().await;
    let (mut one, mut other) = (run(0, 9, true), run(0, 9, true));
    let until = Timestamp::from_secs(0);
    assert_eq!(service.advance(&mut one, until).await, Ok(Advance::TimeUp));
    assert_eq!(service.advance(&mut other, until).await, Err(TrailError::Taken.into()));
}

#[tokio::test]
async fn nothing_is_called_missing_while_the_trail_is_behind() {
    let service = service_without(&[id(1, 1, 0)], &[]).await;
    service.trail.set_behind(true);
    let mut late = run(0, 9, true);
    assert_eq!(service.advance(&mut late, Timestamp::from_secs(1_000)).await, Ok(Advance::TrailBehind));
    assert!(late.tally.is_clean() && sent(&service.channels.bus).is_empty());
    service.trail.set_behind(false);
    assert_eq!(finish(&service, late).await.missing.bus.count, 1);
}

#[tokio::test]
async fn what_came_out_without_a_history_is_named() {
    let service = service().await;
    service.trail.note_on_bus(id(1, 2, 0));
    service.trail.note_on_feed(id(2, 1, 3));
    let found = finish(&service, run(0, 9, true)).await;
    assert_eq!(sorted(&found.unknown), [id(1, 2, 0), id(2, 1, 3)]);
}

#[tokio::test]
async fn an_event_of_a_version_committed_after_the_page_was_read_is_not_unknown() {
    let service = service().await;
    let next = order(1).transition(Status::Processing, None, sample::stamp(30)).unwrap().unwrap();
    service.store.update(&order(1), &next, Condition::Version).await.unwrap();
    service.trail.note_on_bus(id(1, 2, 0));
    let seen = service.trail.seen(&[sample::order_id(1)]).await.unwrap();
    let mut found = Tally::default();
    service.find_unknown(&order(1), &seen[&sample::order_id(1)], &mut found).await.unwrap();
    assert!(found.is_clean(), "{found:?}");
}

#[tokio::test]
async fn versions_outside_the_window_are_left_alone() {
    let service = service().await;
    let first = order(1);
    let next = first.transition(Status::Processing, None, sample::stamp(30)).unwrap().unwrap();
    service.store.update(&first, &next, Condition::Version).await.unwrap();
    let found = finish(&service, run(20, 40, true)).await;
    assert_eq!((found.orders, sorted(&found.missing.bus), found.republished), (1, vec![id(1, 2, 0)], 2));
}

#[tokio::test]
async fn a_run_is_not_done_before_the_channels_took_everything_that_is_missing() {
    let lost = [id(2, 1, 0), id(2, 1, 1), id(2, 1, 2), id(3, 1, 0)];
    let service = service_without(&lost, &[]).await;
    service.channels.bus.refuse(id(2, 1, 1));
    let mut held = run(0, 9, true);
    let until = Timestamp::from_secs(1_000_000);
    assert_eq!(service.advance(&mut held, until).await, Ok(Advance::Refused(2)), "the rest of its order is held back");
    let open = service.trail.load(&held.name).await.unwrap().unwrap();
    assert_eq!((open.open_segments().count(), open.tally.orders < 20), (1, true), "the other segments went on");
    assert_eq!(service.advance(&mut held, until).await, Ok(Advance::Refused(2)));
    service.channels.bus.recover();
    let found = finish(&service, held).await;
    assert_eq!((found.orders, found.events, sorted(&found.missing.bus)), (20, 60, lost.to_vec()));
    let sent: BTreeSet<EventId> = sent(&service.channels.bus).into_iter().collect();
    assert_eq!(sent, lost.into_iter().collect());
}

#[tokio::test]
async fn a_whole_history_is_sent_again_and_counts_when_both_channels_have_it() {
    let service = service().await;
    let key = |n| OrderKey { tenant: sample::tenant(), id: sample::order_id(n) };
    let done = service.resend_orders(&[key(2), key(77)]).await.unwrap();
    assert_eq!(done, Resent { orders: 1, events: 3, republished: 3 });
    assert_eq!((sent(&service.channels.bus).len(), sent(&service.channels.feed).len()), (3, 3));
    service.channels.feed.refuse(id(2, 1, 2));
    assert_eq!(service.resend_orders(&[key(2)]).await.unwrap().republished, 2);
}

#[tokio::test]
async fn an_order_that_was_erased_has_nothing_to_send_again() {
    let service = service().await;
    let key = OrderKey { tenant: sample::tenant(), id: sample::order_id(2) };
    let order = service.store.get(&key.tenant, key.id).await.unwrap().unwrap();
    service.store.update(&order, &order.erased(), Condition::Version).await.unwrap();
    assert_eq!(service.resend_orders(&[key]).await, Ok(Resent::default()));
}
