//! `PUT /orders/{id}/status`

use e2e::{Shop, refusal};
use order_service_client::{ProblemKind, Status};
use reqwest::Method;
use serde_json::json;

#[tokio::test]
async fn an_order_walks_through_its_life_and_announces_it() {
    let shop = Shop::open().await;
    let mut order = shop.buy(&[(&shop.product(1).await, 1)]).await;
    for (version, status) in [(2, Status::Processing), (3, Status::Shipped), (4, Status::Delivered)] {
        order = shop.moved(&order, status.clone()).await;
        assert_eq!((order.version, &order.status), (version, &status));
    }
    let events = shop.events.of(&order.id.to_string(), 6).await;
    let kinds: Vec<_> = events.iter().skip(3).map(|event| event["type"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["order.updated", "order.shipped", "order.delivered"]);
    assert_eq!(events[4]["data"]["changes"], json!({"status": {"from": "processing", "to": "shipped"}}));
}

#[tokio::test]
async fn an_illegal_move_names_what_would_be_legal() {
    let shop = Shop::open().await;
    let order = shop.buy(&[(&shop.product(1).await, 1)]).await;
    let allowed = vec![Status::Processing, Status::Canceled];
    let expected = ProblemKind::IllegalTransition { from: Status::Confirmed, to: Status::Delivered, allowed };
    assert_eq!(refusal(shop.client.move_order(&order, Status::Delivered).await), expected);
}

#[tokio::test]
async fn a_move_to_the_present_status_makes_no_version() {
    let shop = Shop::open().await;
    let order = shop.buy(&[(&shop.product(1).await, 1)]).await;
    assert_eq!(shop.client.move_order(&order, Status::Confirmed).await.unwrap(), order);
}

#[tokio::test]
async fn an_order_is_canceled_under_either_spelling_and_with_a_reason() {
    let shop = Shop::open().await;
    let order = shop.buy(&[(&shop.product(1).await, 1)]).await;
    let cancelled = Status::Other("cancelled".to_owned()).because("changed my mind");
    let order = shop.client.move_order(&order, cancelled).await.unwrap();
    assert_eq!(order.status, Status::Canceled);
    let change = &order.history[1].changes["status"];
    assert_eq!((&change.from, &change.to), (&Some(json!("confirmed")), &Some(json!("canceled"))));
    assert_eq!(change.reason.as_deref(), Some("changed my mind"));
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
