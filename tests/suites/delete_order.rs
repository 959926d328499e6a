//! `DELETE /orders/{id}`

use e2e::{Shop, order_of};
use serde_json::json;

#[tokio::test]
async fn a_deleted_order_is_gone_from_every_route_and_its_key_answers_410() {
    let shop = Shop::open().await;
    let product = shop.product(5).await;
    let body = order_of(&[(&product, 1)]);
    let id = shop.place("key", &body).await.id();
    let path = format!("/orders/{id}");
    let deleted = shop.delete(&path).await;
    assert_eq!((deleted.status, &deleted.body), (204, &json!(null)));
    for answer in [
        shop.get(&path).await,
        shop.put(&path, &json!({})).await,
        shop.put(&format!("{path}/shipping"), &json!({"carrier": "c", "tracking_number": "n"})).await,
        shop.move_to(&id, "processing").await,
        shop.delete(&path).await,
    ] {
        assert_eq!((answer.status, answer.code()), (404, "order_not_found"));
    }
    assert_eq!(shop.get("/orders").await.body["data"], json!([]));
    let again = shop.place("key", &body).await;
    assert_eq!((again.status, again.code()), (410, "order_deleted"));
    let events = shop.events.of(&id, 4).await;
    assert_eq!(events[3]["type"], "order.deleted");
}

#[tokio::test]
async fn an_order_on_its_way_is_not_deleted() {
    let shop = Shop::open().await;
    let product = shop.product(5).await;
    let id = shop.order(&[(&product, 1)]).await.id();
    shop.move_to(&id, "processing").await;
    shop.move_to(&id, "shipped").await;
    let answer = shop.delete(&format!("/orders/{id}")).await;
    assert_eq!((answer.status, answer.code()), (409, "order_shipped"));
}
