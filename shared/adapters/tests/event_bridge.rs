//! The EventBridge publisher against a scripted bus that refuses, forgets and limits as AWS does.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use adapters::publisher::{CloudEvent, EventBridge, MAX_EVENT};
use aws_sdk_eventbridge::Client;
use aws_sdk_eventbridge::operation::put_events::{PutEventsInput, PutEventsOutput};
use aws_sdk_eventbridge::types::PutEventsResultEntry;
use aws_smithy_mocks::{mock, mock_client};
use domain::details::{Edit, Patch};
use domain::event::{Event, new_events};
use domain::history::Stamp;
use domain::memory::sample;
use domain::metadata::Metadata;
use domain::order::{Order, OrderData};
use domain::ports::EventPublisher;
use domain::shipment::Shipment;
use domain::use_cases::Delivery;
use serde_json::Value;

/// What the bus does with an entry, by the event's id.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Fate {
    RefusedTimes(usize),
    RefusedForever,
    LeftOut,
}

/// The bus: what it was told to do, and what it was sent.
#[derive(Debug, Default)]
struct Bus {
    fates: HashMap<String, Fate>,
    calls: Vec<Vec<String>>,
    details: Vec<Value>,
}

impl Bus {
    fn answer(&mut self, input: &PutEventsInput) -> PutEventsOutput {
        let ids: Vec<String> = input.entries().iter().map(|entry| id_of(entry.detail().unwrap())).collect();
        let bytes: usize = input.entries().iter().map(|entry| entry.detail().unwrap().len()).sum();
        assert!(ids.len() <= 10 && bytes <= 256 * 1024, "more than AWS takes: {} entries, {bytes} bytes", ids.len());
        let results = ids.iter().filter_map(|id| self.entry(id)).collect::<Vec<_>>();
        let failed = results.iter().filter(|entry| entry.error_code().is_some()).count();
        self.calls.push(ids);
        let details = input.entries().iter().map(|entry| serde_json::from_str(entry.detail().unwrap()).unwrap());
        self.details.extend(details);
        PutEventsOutput::builder().set_entries(Some(results)).failed_entry_count(i32::try_from(failed).unwrap()).build()
    }

    fn entry(&mut self, id: &str) -> Option<PutEventsResultEntry> {
        let refused = || Some(PutEventsResultEntry::builder().error_code("ThrottlingException").build());
        match self.fates.get_mut(id) {
            Some(Fate::LeftOut) => None,
            Some(Fate::RefusedForever) => refused(),
            Some(Fate::RefusedTimes(times)) if *times > 0 => {
                *times -= 1;
                refused()
            }
            Some(Fate::RefusedTimes(_)) | None => Some(PutEventsResultEntry::builder().event_id("taken").build()),
        }
    }
}

fn id_of(detail: &str) -> String {
    serde_json::from_str::<Value>(detail).unwrap()["id"].as_str().unwrap().to_owned()
}

/// A publisher on a bus with these fates, by number of the order (each sample order has three events).
fn publisher(fates: &[(u32, usize, Fate)]) -> (Delivery<EventBridge>, Arc<Mutex<Bus>>) {
    let fates = fates.iter().map(|(n, index, fate)| (format!("{}:1:{index}", sample::order_id(*n)), *fate)).collect();
    let bus = Arc::new(Mutex::new(Bus { fates, calls: Vec::new(), details: Vec::new() }));
    let scripted = Arc::clone(&bus);
    let rule = mock!(Client::put_events).then_compute_output(move |input| scripted.lock().unwrap().answer(input));
    let client = mock_client!(aws_sdk_eventbridge, aws_smithy_mocks::RuleMode::MatchAny, &[rule]);
    (Delivery(EventBridge::new(client, "bus")), bus)
}

fn orders(count: u32) -> Vec<Order> {
    let order = |n| Order::restore(OrderData { id: sample::order_id(n), ..(*sample::order()).clone() });
    (1..=count).map(order).collect()
}

fn events(orders: &[Order]) -> Vec<Event<'_>> {
    orders.iter().flat_map(|order| new_events(0, order)).collect()
}

async fn outcomes(publisher: &Delivery<EventBridge>, orders: &[Order]) -> Vec<bool> {
    publisher.publish(&events(orders)).await.iter().map(Result::is_ok).collect()
}

#[tokio::test(start_paused = true)]
async fn events_go_out_in_batches_of_ten() {
    let (publisher, bus) = publisher(&[]);
    assert_eq!(outcomes(&publisher, &orders(4)).await, [true; 12]);
    let sizes: Vec<usize> = bus.lock().unwrap().calls.iter().map(Vec::len).collect();
    assert_eq!(sizes, [10, 2]);
}

#[tokio::test(start_paused = true)]
async fn batches_keep_below_256_kib() {
    let (publisher, bus) = publisher(&[]);
    let pairs = (0..50).map(|n| (format!("{n:040}"), "v".repeat(500))).collect();
    let wide = Edit { metadata: Patch::Set(Metadata::restore(pairs)), ..Edit::default() };
    let wide: Vec<Order> =
        orders(12).iter().map(|order| order.edit(&wide, None, sample::stamp(2)).unwrap().unwrap()).collect();
    assert!(outcomes(&publisher, &wide).await.iter().all(|is_out| *is_out));
    assert!(bus.lock().unwrap().calls.iter().any(|call| call.len() < 10), "bytes were the bound");
}

#[tokio::test(start_paused = true)]
async fn only_the_entry_that_was_refused_is_sent_again() {
    let (publisher, bus) = publisher(&[(1, 1, Fate::RefusedTimes(2))]);
    assert_eq!(outcomes(&publisher, &orders(1)).await, [true; 3]);
    let calls = bus.lock().unwrap().calls.clone();
    let refused = format!("{}:1:1", sample::order_id(1));
    assert_eq!((calls.len(), &calls[1], &calls[2]), (3, &vec![refused.clone()], &vec![refused]));
}

#[tokio::test(start_paused = true)]
async fn an_entry_that_stays_refused_fails_alone() {
    let (publisher, bus) = publisher(&[(2, 0, Fate::RefusedForever)]);
    assert_eq!(outcomes(&publisher, &orders(2)).await, [true, true, true, false, true, true]);
    assert_eq!(bus.lock().unwrap().calls.len(), 3, "retries are bounded");
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_leaves_entries_out_proves_nothing_of_them() {
    let (publisher, _) = publisher(&[(1, 2, Fate::LeftOut)]);
    assert_eq!(outcomes(&publisher, &orders(1)).await, [true, true, false]);
}

#[tokio::test(start_paused = true)]
async fn an_event_over_the_limit_goes_out_without_history_and_lines_and_says_so() {
    let (publisher, bus) = publisher(&[]);
    let pairs = (0..50).map(|n| (format!("{n:040}"), "\u{1}".repeat(500))).collect();
    let wide = Edit { metadata: Patch::Set(Metadata::restore(pairs)), ..Edit::default() };
    let mut order = orders(1).remove(0).edit(&wide, None, sample::stamp(2)).unwrap().unwrap();
    for n in 3..100 {
        let stamp = Stamp { actor: "a".repeat(1_500), ..sample::stamp(n) };
        order = order.ship(Shipment { shipped_at: Some(stamp.at), ..sample::shipment() }, stamp).unwrap().unwrap();
    }
    assert!(serde_json::to_string(&CloudEvent::from(&new_events(0, &order)[0])).unwrap().len() > MAX_EVENT);
    assert!(outcomes(&publisher, std::slice::from_ref(&order)).await.iter().all(|is_out| *is_out));
    let details = bus.lock().unwrap().details.clone();
    let data = &details[0]["data"];
    assert_eq!(data["omitted"], serde_json::json!(["history", "lines"]));
    assert!(data["order"]["history"].is_null() && data["order"]["lines"].is_null());
    assert_eq!((&data["order"]["id"], &data["order"]["version"]), (&order.id.to_string().into(), &99.into()));
}
