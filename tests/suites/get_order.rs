//! `GET /orders/{id}`

use e2e::{Shop, refusal};
use order_service_client::{ProblemKind, Status};

#[tokio::test]
async fn an_order_is_read_as_it_was_placed() {
    let shop = Shop::open().await;
    let product = shop.product(1).await;
    let placed = shop.order(&[(&product, 1)]).await;
    let read = shop.get(&format!("/orders/{}", placed.id())).await;
    assert_eq!((read.status, read.header("etag"), &read.body), (200, "\"1\"", &placed.body));
}

#[tokio::test]
async fn a_version_that_is_known_is_not_sent_again() {
    let shop = Shop::open().await;
    let order = shop.buy(&[(&shop.product(1).await, 1)]).await;
    assert_eq!(shop.client.order_if_changed(&order).await.unwrap(), None);
    let moved = shop.moved(&order, Status::Processing).await;
    assert_eq!(shop.client.order_if_changed(&order).await.unwrap(), Some(moved));
}

#[tokio::test]
async fn an_order_of_another_tenant_or_an_unknown_one_does_not_exist() {
    let (shop, stranger) = (Shop::open().await, Shop::open().await);
    let order = shop.buy(&[(&shop.product(1).await, 1)]).await;
    assert_eq!(refusal(stranger.client.order(order.id).await), ProblemKind::OrderNotFound);
    let answer = shop.get("/orders/not-an-id").await;
    assert_eq!((answer.status, answer.code()), (404, "order_not_found"));
}
