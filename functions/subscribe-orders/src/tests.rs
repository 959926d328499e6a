//! Messages of a connection, answered.

use std::time::Duration;

use adapters::testing;
use domain::memory::{Heard, MemorySockets, MemoryStore, MemorySubscriptions, sample};
use domain::timestamp::Timestamp;
use serde_json::{Value, json};

use super::*;

type Live = Subscribe<MemoryStore, MemorySubscriptions, MemorySockets, SystemClock>;

const ORDER: &str = "0192f0c1-7a3e-7cc0-8000-000000000001";

async fn live() -> Live {
    let orders = MemoryStore::default();
    orders.insert(&sample::order()).await.unwrap();
    let (table, sockets) = (MemorySubscriptions::default(), MemorySockets::default());
    Subscribe { orders, table, sockets, clock: SystemClock, most_connections: 2 }
}

fn connection() -> ConnectionId {
    testing::sample_event::<SocketEvent>("subscribe-orders").connection().unwrap()
}

/// Sends the sample message with these changes; what the client has heard then.
async fn heard(live: &Live, change: impl FnOnce(&mut Value)) -> Vec<Heard> {
    let mut event: Value = testing::sample_event("subscribe-orders");
    change(&mut event);
    assert_eq!(handle(live, serde_json::from_value(event).unwrap()).await, SocketReply::done());
    live.sockets.heard(&connection())
}

async fn asked(live: &Live, message: Value) -> Vec<Heard> {
    heard(live, |event| event["body"] = message.to_string().into()).await
}

/// The JSON of what was said last.
fn last(heard: &[Heard]) -> Value {
    match heard.last() {
        Some(Heard::Text(text)) => serde_json::from_str(text).unwrap(),
        other => panic!("no text: {other:?}"),
    }
}

#[tokio::test]
async fn the_sample_event_subscribes_and_is_told_what_was_missed() {
    let live = live().await;
    let id = sample::order_id(1);
    let events = (0..3).map(|n| Heard::Event(id, 1, n));
    let expected: Vec<_> = events.chain([Heard::Subscribed(Some((id, 1)))]).collect();
    assert_eq!(heard(&live, |_| {}).await, expected);
    assert_eq!(live.table.len(), 1);
}

#[tokio::test]
async fn a_subscription_ends_and_a_ping_is_answered() {
    let live = live().await;
    heard(&live, |_| {}).await;
    let ended = asked(&live, json!({"action": "unsubscribe", "order_id": ORDER})).await;
    assert_eq!(last(&ended), json!({"action": "unsubscribed", "order_id": ORDER}));
    assert!(live.table.is_empty());
    let pong = last(&asked(&live, json!({"action": "ping"})).await);
    let at = Timestamp::parse(pong["at"].as_str().unwrap()).unwrap();
    assert!(pong["action"] == "pong" && at >= SystemClock.now().minus(Duration::from_secs(60)), "{pong}");
}

#[tokio::test]
async fn what_is_refused_is_answered_with_a_problem_and_the_connection_stays() {
    let live = live().await;
    let unknown = json!({"action": "subscribe", "order_id": "0192f0c1-7a3e-7cc0-8000-000000000009"});
    let problem = last(&asked(&live, unknown).await);
    assert_eq!((&problem["code"], &problem["status"]), (&json!("order_not_found"), &json!(404)));
    assert_eq!(problem["order_id"], "0192f0c1-7a3e-7cc0-8000-000000000009");
    assert_eq!(last(&asked(&live, json!("dance")).await)["code"], "validation_failed");
    assert_eq!(last(&heard(&live, |event| event["body"] = "{".into()).await)["code"], "invalid_json");
    assert_eq!(last(&heard(&live, |event| event["isBase64Encoded"] = true.into()).await)["code"], "invalid_json");
    assert!(live.table.is_empty() && !live.sockets.is_gone(&connection()));
}

#[tokio::test]
async fn nothing_of_another_tenant_or_customer_is_subscribed_to() {
    let live = live().await;
    let with = async |name: &str, value: &str, message: Value| {
        let change = |event: &mut Value| {
            event["requestContext"]["authorizer"][name] = value.into();
            event["body"] = message.to_string().into();
        };
        last(&heard(&live, change).await)["code"].clone()
    };
    let order = json!({"action": "subscribe", "order_id": ORDER});
    let of_other = json!({"action": "subscribe", "customer_id": "cust-1"});
    assert_eq!(with("tenant", "other", order.clone()).await, "order_not_found");
    assert_eq!(with("customer_id", "cust-2", order.clone()).await, "order_not_found");
    assert_eq!(with("customer_id", "cust-2", of_other).await, "other_customer");
    assert_eq!(with("scope", "orders:write", order).await, "insufficient_scope");
    assert!(live.table.is_empty());
}

#[tokio::test]
async fn one_connection_more_than_a_subject_may_have_is_told_so_and_stays_open() {
    let live = live().await;
    for name in ["one=", "two="] {
        let others = |event: &mut Value| event["requestContext"]["connectionId"] = name.into();
        heard(&live, others).await;
    }
    let problem = last(&heard(&live, |_| {}).await);
    assert_eq!((&problem["code"], &problem["status"]), (&json!("too_many_connections"), &json!(429)));
    assert!(problem["order_id"] == ORDER && !live.sockets.is_gone(&connection()));
    assert_eq!(live.table.len(), 2);
}

#[tokio::test]
async fn a_connection_ends_with_its_token() {
    let live = live().await;
    let heard = heard(&live, |event| event["requestContext"]["authorizer"]["exp"] = "1700000000".into()).await;
    assert_eq!(last(&heard)["code"], "unauthenticated");
    assert!(live.sockets.is_gone(&connection()) && live.table.is_empty());
}
