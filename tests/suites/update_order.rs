//! `PUT /orders/{id}`

use e2e::{Shop, refusal};
use order_service_client::{Edit, LineRequest, ProblemKind, Status};
use serde_json::json;

#[tokio::test]
async fn fields_that_are_given_are_replaced_and_the_others_stay() {
    let shop = Shop::open().await;
    let product = shop.product(1).await;
    let path = format!("/orders/{}", shop.order(&[(&product, 1)]).await.id());
    let all = json!({
        "shipping_address": {"line1": "1 Main St", "city": "Springfield", "country": "US"},
        "metadata": {"channel": "web"},
        "notes": "ring twice",
        "external_reference": "PO-7",
    });
    let answer = shop.put(&path, &all).await;
    assert_eq!((answer.status, &answer.body["version"]), (200, &json!(2)), "{answer:?}");
    let answer = shop.put(&path, &json!({"notes": null})).await;
    assert_eq!((&answer.body["notes"], &answer.body["external_reference"]), (&json!(null), &json!("PO-7")));
    assert_eq!(answer.body["shipping_address"]["city"], "Springfield");
    assert_eq!(shop.put(&path, &json!({})).await.body["version"], 3, "nothing given, nothing changed");
    let read = shop.get(&path).await;
    assert_eq!(read.body["metadata"], json!({"channel": "web"}));
    let fields: Vec<_> = read.body["history"][1]["changes"].as_object().unwrap().keys().collect();
    assert_eq!(fields, ["external_reference", "metadata", "notes", "shipping_address"]);
}

fn lines(product: &str, units: u32) -> Edit {
    Edit { lines: Some(vec![LineRequest::new(product, units)]), ..Edit::default() }
}

#[tokio::test]
async fn new_lines_are_priced_and_reserved_and_the_old_ones_released() {
    let shop = Shop::open().await;
    let (old, new) = (shop.product(10).await, shop.product(10).await);
    let order = shop.buy(&[(&old, 4)]).await;
    let edited = shop.client.update_order(&order, &lines(&new, 3)).await.unwrap();
    assert_eq!(edited.total.unwrap().amount, 3_000);
    assert_eq!(shop.partners.units(&new).await.0, 7);
    e2e::eventually("the old lines being free again", || async {
        (shop.partners.units(&old).await.0 == 10).then_some(())
    })
    .await;
}

#[tokio::test]
async fn lines_that_cannot_be_held_change_nothing() {
    let shop = Shop::open().await;
    let product = shop.product(5).await;
    let order = shop.buy(&[(&product, 2)]).await;
    let refused = refusal(shop.client.update_order(&order, &lines(&product, 9)).await);
    assert!(matches!(refused, ProblemKind::OutOfStock { .. }), "{refused:?}");
    assert_eq!(shop.client.order(order.id).await.unwrap(), order);
    assert_eq!(shop.partners.units(&product).await.0, 3);
    let order = shop.moved(&order, Status::Processing).await;
    let refused = refusal(shop.client.update_order(&order, &lines(&product, 1)).await);
    assert_eq!(refused, ProblemKind::LinesClosed { order_status: Status::Processing });
}
