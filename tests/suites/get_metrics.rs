//! `GET /metrics`

use e2e::Shop;
use reqwest::Method;

#[tokio::test]
async fn an_administrator_reads_openmetrics_text() {
    let shop = Shop::with_scope("orders:admin").await;
    let answer = shop.request(Method::GET, "/metrics").send().await.unwrap();
    assert_eq!(answer.status(), 200);
    assert!(answer.headers()["content-type"].to_str().unwrap().starts_with("application/openmetrics-text"));
    let text = answer.text().await.unwrap();
    for sample in
        ["orders_build_info{version=", "orders_follow_ups_waiting ", "orders_circuit_open{partner=\"inventory\"} "]
    {
        assert!(text.lines().any(|line| line.starts_with(sample)), "{sample} is missing:\n{text}");
    }
    assert!(text.ends_with("# EOF\n"), "{text}");
}

#[tokio::test]
async fn a_storefront_does_not() {
    let answer = Shop::open().await.get("/metrics").await;
    assert_eq!((answer.status, answer.code()), (403, "insufficient_scope"));
}
