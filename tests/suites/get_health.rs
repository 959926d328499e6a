//! `GET /health`

use e2e::Shop;

#[tokio::test]
async fn health_is_told_without_a_token() {
    let shop = Shop::open().await.with_token("");
    let health = shop.client.health().await.unwrap();
    assert_eq!((health.status.as_str(), health.region.as_str()), ("ok", "us-east-1"));
    assert!(!health.version.is_empty());
}
