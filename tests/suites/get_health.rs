//! `GET /health`

use e2e::Shop;

#[tokio::test]
async fn health_is_told_without_a_token() {
    let shop = Shop::open().await.with_token("");
    let answer = shop.get("/health").await;
    assert_eq!((answer.status, answer.body["status"].as_str()), (200, Some("ok")));
    assert_eq!(answer.body["region"], "us-east-1");
    assert!(answer.body["version"].is_string());
}
