//! `GET /orders/{id}`

use e2e::Shop;
use reqwest::Method;

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
    let product = shop.product(1).await;
    let path = format!("/orders/{}", shop.order(&[(&product, 1)]).await.id());
    let read = |known: &str| shop.send(shop.request(Method::GET, &path).header("If-None-Match", known));
    assert_eq!(read("\"1\"").await.status, 304);
    assert_eq!(read("\"2\"").await.status, 200);
}

#[tokio::test]
async fn an_order_of_another_tenant_or_an_unknown_one_does_not_exist() {
    let (shop, stranger) = (Shop::open().await, Shop::open().await);
    let product = shop.product(1).await;
    let path = format!("/orders/{}", shop.order(&[(&product, 1)]).await.id());
    for answer in [stranger.get(&path).await, shop.get("/orders/not-an-id").await] {
        assert_eq!((answer.status, answer.code()), (404, "order_not_found"));
    }
}
