//! The SNS feed against a scripted topic.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use std::sync::{Arc, Mutex};

use adapters::publisher::SnsFeed;
use aws_sdk_sns::Client;
use aws_sdk_sns::operation::publish_batch::{PublishBatchInput, PublishBatchOutput};
use aws_sdk_sns::types::{BatchResultErrorEntry, PublishBatchResultEntry};
use aws_smithy_mocks::{mock, mock_client};
use domain::event::new_events;
use domain::memory::sample;
use domain::ports::EventPublisher;
use domain::use_cases::Delivery;

type Calls = Arc<Mutex<Vec<PublishBatchInput>>>;

/// A feed whose topic refuses the first message of the first `refusals` calls, and says nothing of the second.
fn feed(refusals: usize) -> (Delivery<SnsFeed>, Calls) {
    let calls = Calls::default();
    let seen = Arc::clone(&calls);
    let rule = mock!(Client::publish_batch).then_compute_output(move |input| {
        let mut calls = seen.lock().unwrap();
        calls.push(input.clone());
        answer(input, calls.len() <= refusals)
    });
    let client = mock_client!(aws_sdk_sns, aws_smithy_mocks::RuleMode::MatchAny, &[rule]);
    (Delivery(SnsFeed::new(client, "arn:aws:sns:eu-central-1:0:orders.fifo")), calls)
}

fn answer(input: &PublishBatchInput, is_troubled: bool) -> PublishBatchOutput {
    let mut output = PublishBatchOutput::builder();
    for (n, entry) in input.publish_batch_request_entries().iter().enumerate() {
        let taken = PublishBatchResultEntry::builder().id(entry.id()).message_id("taken").build();
        let refused = BatchResultErrorEntry::builder().id(entry.id()).code("Throttled").sender_fault(false).build();
        output = match (is_troubled, n) {
            (true, 0) => output.failed(refused.unwrap()),
            (true, 1) => output,
            _ => output.successful(taken),
        };
    }
    output.build()
}

#[tokio::test(start_paused = true)]
async fn a_message_names_its_order_its_event_and_what_subscribers_filter_by() {
    let (feed, calls) = feed(0);
    let order = sample::order();
    let events = new_events(0, &order);
    assert!(feed.publish(&events).await.iter().all(Result::is_ok));
    let calls = calls.lock().unwrap();
    let entry = &calls[0].publish_batch_request_entries()[1];
    assert_eq!(entry.message_group_id(), Some(order.id.to_string().as_str()));
    assert_eq!(entry.message_deduplication_id(), Some(format!("{}:1:1", order.id).as_str()));
    let attribute = |name: &str| entry.message_attributes().unwrap()[name].string_value().unwrap();
    assert_eq!((attribute("type"), attribute("tenant")), ("inventory.reserved", "demo"));
}

#[tokio::test(start_paused = true)]
async fn what_is_sent_again_is_no_duplicate_to_the_topic() {
    let (Delivery(feed), calls) = feed(0);
    let order = sample::order();
    let again = Delivery(feed.again("2"));
    assert!(again.publish(&new_events(0, &order)).await.iter().all(Result::is_ok));
    let calls = calls.lock().unwrap();
    let entry = &calls[0].publish_batch_request_entries()[1];
    assert_eq!(entry.message_deduplication_id(), Some(format!("{}:1:1/2", order.id).as_str()));
}

#[tokio::test(start_paused = true)]
async fn only_what_was_refused_or_left_out_is_sent_again() {
    let (feed, calls) = feed(1);
    let order = sample::order();
    assert!(feed.publish(&new_events(0, &order)).await.iter().all(Result::is_ok));
    let calls = calls.lock().unwrap();
    let ids = |n: usize| -> Vec<String> {
        let entries = calls[n].publish_batch_request_entries();
        entries.iter().map(|entry| entry.message_deduplication_id().unwrap().to_owned()).collect()
    };
    assert_eq!((calls.len(), ids(1)), (2, vec![format!("{}:1:0", order.id), format!("{}:1:1", order.id)]));
}

#[tokio::test(start_paused = true)]
async fn what_stays_refused_fails_and_retries_are_bounded() {
    let (feed, calls) = feed(usize::MAX);
    let order = sample::order();
    let outcomes: Vec<bool> = feed.publish(&new_events(0, &order)).await.iter().map(Result::is_ok).collect();
    assert_eq!((outcomes, calls.lock().unwrap().len()), (vec![false, false, true], 3));
}
