//! A trace from the caller to the events, also to those of a follow-up.

use e2e::{Shop, order_of};
use reqwest::Method;
use serde_json::{Value, json};

const PLACED: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const CANCELED: &str = "0af7651916cd43dd8448eb211c80319c";

/// The trace ids of events.
fn traces(events: &[Value]) -> Vec<&str> {
    events
        .iter()
        .map(|event| event["traceparent"].as_str().and_then(|trace| trace.get(3..35)).unwrap_or("none"))
        .collect()
}

#[tokio::test]
async fn a_trace_goes_on_into_events_and_follow_ups() {
    let shop = Shop::open().await;
    let product = shop.product(2).await;
    let traced = |request: reqwest::RequestBuilder, trace: &str| {
        request.header("traceparent", format!("00-{trace}-00f067aa0ba902b7-01"))
    };
    let create = shop.request(Method::POST, "/orders").json(&order_of(&[(&product, 1)]));
    let order = shop.send(traced(create, PLACED)).await;
    assert_eq!(order.status, 201, "{order:?}");
    let cancel = shop.request(Method::PUT, &format!("/orders/{}/status", order.id()));
    let canceled = shop.send(traced(cancel.json(&json!({"status": "canceled"})), CANCELED)).await;
    assert_eq!(canceled.status, 200, "{canceled:?}");
    let events = shop.events.of(&order.id(), 5).await;
    let kinds: Vec<_> = events.iter().map(|event| event["type"].as_str().unwrap()).collect();
    assert_eq!(kinds[3..], ["order.canceled", "inventory.released"], "the second is of a follow-up");
    assert_eq!(traces(&events), [PLACED, PLACED, PLACED, CANCELED, CANCELED]);
}
