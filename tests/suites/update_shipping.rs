//! `PUT /orders/{id}/shipping`

use e2e::{Shop, refusal};
use order_service_client::{ProblemKind, Shipment, Status};
use serde_json::json;

#[tokio::test]
async fn shipping_information_ships_an_order_that_is_processed() {
    let shop = Shop::open().await;
    let product = shop.product(1).await;
    let id = shop.order(&[(&product, 1)]).await.id();
    let path = format!("/orders/{id}/shipping");
    let shipping = json!({
        "carrier": "Royal Mail",
        "tracking_number": "RM1",
        "tracking_url": "https://track.example/RM1",
        "service": "express",
        "estimated_delivery": "2026-12-24",
    });
    let early = shop.put(&path, &shipping).await;
    assert_eq!((early.status, &early.body["status"]), (200, &json!("confirmed")));
    assert_eq!(early.body["shipping"]["estimated_delivery"], "2026-12-24T00:00:00.000Z");
    assert_eq!(shop.put(&path, &shipping).await.body["version"], 2, "the same again changes nothing");
    shop.move_to(&id, "processing").await;
    let shipped = shop.put_once_confirmed(&path, &shipping).await;
    assert_eq!((&shipped.body["status"], &shipped.body["version"]), (&json!("shipped"), &json!(4)));
    let events = shop.events.of(&id, 6).await;
    let kinds: Vec<_> = events.iter().skip(3).map(|event| event["type"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["order.updated", "order.updated", "order.shipped"]);
}

#[tokio::test]
async fn a_canceled_order_is_not_shipped() {
    let shop = Shop::open().await;
    let order = shop.buy(&[(&shop.product(1).await, 1)]).await;
    shop.moved(&order, Status::Canceled).await;
    let refused = refusal(shop.client.ship_order(order.id, &Shipment::new("c", "n")).await);
    assert_eq!(refused, ProblemKind::OrderCanceled);
}
