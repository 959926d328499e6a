//! Events that were lost behind everybody's back, on the bus or on the feed, are found in the histories, and sent again.

use std::process::Command;

use e2e::{Channel, Queue, Shop, Trail, eventually};
use serde_json::Value;

const ALL: [&str; 3] = ["1:0", "1:1", "1:2"];

/// Runs the operator's command; the report, and whether all is well.
fn reconcile(arguments: &[&str]) -> (Value, bool) {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
    let mut command = Command::new(format!("{root}/.venv/bin/python"));
    let output = command.arg("scripts/reconcile.py").args(arguments).current_dir(root).output().unwrap();
    let report = serde_json::from_slice(&output.stdout);
    (report.unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr))), output.status.success())
}

/// The ids of these events of an order, in the order of a report.
fn ids(order: &str, events: &[&str]) -> Vec<String> {
    events.iter().map(|event| format!("{order}:{event}")).collect()
}

fn missing(report: &Value, channel: &str) -> Vec<String> {
    let mut ids: Vec<String> = serde_json::from_value(report["missing_ids"][channel].clone()).unwrap();
    ids.sort();
    ids
}

/// Places an order whose events came out of both channels; its id, and when it was placed.
async fn order(shop: &Shop, trail: &Trail) -> (String, String) {
    let product = shop.product(5).await;
    let order = shop.order(&[(&product, 1)]).await;
    let id = order.id();
    eventually("the record of what came out", || async {
        let (bus, feed) = (trail.seen(&id, Channel::Bus).await, trail.seen(&id, Channel::Feed).await);
        (bus == ALL && feed == ALL).then_some(())
    })
    .await;
    (id, order.body["created_at"].as_str().unwrap().to_owned())
}

/// The order that an event is about, as a rule delivers it (in an envelope) or the feed (bare).
fn subject(message: &str) -> String {
    let message: Value = serde_json::from_str(message).unwrap_or_default();
    let event = message.get("detail").unwrap_or(&message);
    event["subject"].as_str().unwrap_or_default().to_owned()
}

/// How many messages about these orders the queue holds, which are taken off it.
async fn drained(queue: &Queue, orders: [&str; 2]) -> [usize; 2] {
    let mut counts = [0; 2];
    loop {
        let messages = queue.take().await;
        if messages.is_empty() {
            return counts;
        }
        for (count, order) in counts.iter_mut().zip(orders) {
            *count += messages.iter().filter(|message| subject(message) == order).count();
        }
    }
}

#[tokio::test]
async fn events_that_never_came_out_are_found_for_each_channel_and_sent_to_it_again() {
    let shop = Shop::open().await;
    crate::calm(&shop).await;
    let trail = Trail::open().await;
    let (first, from) = order(&shop, &trail).await;
    let (second, _) = order(&shop, &trail).await;
    let (_, to) = order(&shop, &trail).await;
    let window = ["--from", &from, "--to", &to];
    let (found, is_well) = reconcile(&window);
    assert_eq!((&found["orders"], &found["events"], is_well), (&2.into(), &6.into(), true), "{found}");

    trail.lose(&first, Channel::Bus, &ALL).await;
    trail.lose(&second, Channel::Feed, &["1:1"]).await;
    let (found, is_well) = reconcile(&window);
    assert_eq!((missing(&found, "bus"), is_well), (ids(&first, &ALL), false), "{found}");
    assert_eq!(missing(&found, "feed"), ids(&second, &["1:1"]), "{found}");

    let (bus, feed) = (Queue::named("EVENTS_QUEUE_URL"), Queue::named("FEED_QUEUE_URL"));
    for queue in [&bus, &feed] {
        drained(queue, [&first, &second]).await;
    }
    let (sent, is_well) = reconcile(&[&window[..], &["--republish"]].concat());
    assert_eq!((&sent["republished"], is_well), (&4.into(), true), "{sent}");
    eventually("nothing missing any more", || async { reconcile(&window).1.then_some(()) }).await;
    assert_eq!(drained(&bus, [&first, &second]).await, [3, 0], "what the bus lacked went to it");
    assert_eq!(drained(&feed, [&first, &second]).await, [0, 1], "what the feed lacked went to it");
}
