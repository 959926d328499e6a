//! `PUT /orders/{id}/status`

use e2e::Shop;
use reqwest::Method;
use serde_json::json;

#[tokio::test]
async fn an_order_walks_through_its_life_and_announces_it() {
    let shop = Shop::open().await;
    let product = shop.product(1).await;
    let id = shop.order(&[(&product, 1)]).await.id();
    for (version, status) in [(2, "processing"), (3, "shipped"), (4, "delivered")] {
        let answer = shop.move_to(&id, status).await;
        assert_eq!((answer.status, &answer.body["status"]), (200, &json!(status)), "{answer:?}");
        assert_eq!(answer.header("etag"), format!("\"{version}\""));
    }
    let events = shop.events.of(&id, 6).await;
    let kinds: Vec<_> = events.iter().skip(3).map(|event| event["type"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["order.updated", "order.shipped", "order.delivered"]);
    assert_eq!(events[4]["data"]["changes"], json!({"status": {"from": "processing", "to": "shipped"}}));
}

#[tokio::test]
async fn an_illegal_move_names_what_would_be_legal() {
    let shop = Shop::open().await;
    let product = shop.product(1).await;
    let id = shop.order(&[(&product, 1)]).await.id();
    let answer = shop.move_to(&id, "delivered").await;
    assert_eq!((answer.status, answer.code()), (409, "illegal_transition"));
    let named = [&answer.body["from"], &answer.body["to"], &answer.body["allowed"]];
    assert_eq!(named, [&json!("confirmed"), &json!("delivered"), &json!(["processing", "canceled"])]);
}

#[tokio::test]
async fn a_move_to_the_present_status_makes_no_version() {
    let shop = Shop::open().await;
    let product = shop.product(1).await;
    let id = shop.order(&[(&product, 1)]).await.id();
    let answer = shop.move_to(&id, "confirmed").await;
    assert_eq!((answer.status, &answer.body["version"]), (200, &json!(1)));
}

#[tokio::test]
async fn an_order_is_canceled_under_either_spelling_and_with_a_reason() {
    let shop = Shop::open().await;
    let product = shop.product(1).await;
    let id = shop.order(&[(&product, 1)]).await.id();
    let body = json!({"status": "cancelled", "reason": "changed my mind"});
    let answer = shop.put(&format!("/orders/{id}/status"), &body).await;
    assert_eq!((answer.status, &answer.body["status"]), (200, &json!("canceled")));
    let change = &answer.body["history"][1]["changes"]["status"];
    assert_eq!(change, &json!({"from": "confirmed", "to": "canceled", "reason": "changed my mind"}));
}

#[tokio::test]
async fn a_stale_condition_is_refused_with_the_present_version() {
    let shop = Shop::open().await;
    let product = shop.product(1).await;
    let path = format!("/orders/{}/status", shop.order(&[(&product, 1)]).await.id());
    let put = |tag: &'static str, status: &'static str| {
        let request = shop.request(Method::PUT, &path).header("If-Match", tag);
        shop.send(request.json(&json!({"status": status})))
    };
    assert_eq!(put("\"1\"", "processing").await.status, 200);
    for stale in ["\"1\"", "W/\"2\"", "nonsense"] {
        let answer = put(stale, "shipped").await;
        assert_eq!((answer.status, answer.code()), (412, "precondition_failed"), "{stale}");
        assert_eq!(answer.body["current_version"], 2);
    }
    assert_eq!(put("\"9\", \"2\"", "shipped").await.status, 200);
    assert_eq!(put("*", "delivered").await.status, 200);
}
