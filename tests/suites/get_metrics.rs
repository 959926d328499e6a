//! `GET /metrics`

use e2e::{Shop, eventually};
use reqwest::Method;

#[tokio::test]
async fn an_administrator_reads_openmetrics_text() {
    let shop = Shop::with_scope("orders:admin").await;
    let answer = shop.request(Method::GET, "/metrics").send().await.unwrap();
    assert_eq!(answer.status(), 200);
    assert!(answer.headers()["content-type"].to_str().unwrap().starts_with("application/openmetrics-text"));
    let text = answer.text().await.unwrap();
    for sample in [
        "orders_build_info{version=",
        "orders_follow_ups_waiting ",
        "orders{status=\"confirmed\"} ",
        "orders_circuit_open{partner=\"inventory\"} ",
    ] {
        assert!(text.lines().any(|line| line.starts_with(sample)), "{sample} is missing:\n{text}");
    }
    assert!(text.ends_with("# EOF\n"), "{text}");
}

#[tokio::test]
async fn an_order_is_counted_by_the_status_that_it_has() {
    let shop = Shop::with_scope("orders:admin orders:write").await;
    let sku = shop.product(1).await;
    shop.buy(&[(&sku, 1)]).await;
    eventually("the count of the order", || async {
        let text = shop.request(Method::GET, "/metrics").send().await.unwrap().text().await.unwrap();
        text.contains("orders{status=\"confirmed\"} 1\n").then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_storefront_does_not() {
    let answer = Shop::open().await.get("/metrics").await;
    assert_eq!((answer.status, answer.code()), (403, "insufficient_scope"));
}
