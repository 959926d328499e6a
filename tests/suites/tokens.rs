//! Who may do what.

use e2e::{Shop, order_of};
use serde_json::json;

const PATH: &str = "/orders/0192f0c1-7a3e-7cc0-8000-000000000001";

#[tokio::test]
async fn without_a_valid_token_no_order_is_seen() {
    let shop = Shop::open().await;
    let expired = json!({"tenant": shop.tenant, "sub": "s", "scope": "orders:read", "expires_in": -3600});
    let expired = shop.partners.token(expired).await;
    for token in ["", "nonsense", expired.as_str()] {
        let answer = shop.with_token(token).get(PATH).await;
        assert_eq!((answer.status, answer.code()), (401, "unauthenticated"), "{token:?}");
        assert_eq!(answer.header("content-type"), "application/problem+json");
    }
}

#[tokio::test]
async fn a_token_does_only_what_its_scope_says() {
    let reader = Shop::with_scope("orders:read").await;
    let answer = reader.place("a", &order_of(&[("sku-1", 1)])).await;
    assert_eq!((answer.status, answer.code()), (403, "insufficient_scope"));
    assert_eq!(reader.get(PATH).await.status, 404);
    let writer = Shop::with_scope("orders:write").await;
    assert_eq!(writer.get(PATH).await.code(), "insufficient_scope");
    assert_eq!(Shop::with_scope("orders:admin").await.get(PATH).await.status, 404);
}

#[tokio::test]
async fn a_token_confined_to_a_customer_sees_and_makes_only_that_customers_orders() {
    let shop = Shop::open().await;
    let product = shop.product(5).await;
    let claims =
        json!({"tenant": shop.tenant, "sub": "s", "scope": "orders:read orders:write", "customer_id": "cust-2"});
    let confined = shop.with_token(shop.partners.token(claims).await);
    let of_another = shop.order(&[(&product, 1)]).await;
    assert_eq!(confined.get(&format!("/orders/{}", of_another.id())).await.code(), "order_not_found");
    assert_eq!(confined.place("a", &order_of(&[(&product, 1)])).await.code(), "other_customer");
    let own = json!({"customer_id": "cust-2", "lines": [{"product_id": product, "quantity": 1}]});
    let placed = confined.place("b", &own).await;
    assert_eq!(placed.status, 201);
    let path = format!("/orders/{}", placed.id());
    for (status, expected) in [("processing", "confined_token"), ("shipped", "confined_token")] {
        let answer = confined.put(&format!("{path}/status"), &json!({"status": status})).await;
        assert_eq!((answer.status, answer.code()), (403, expected));
    }
    assert_eq!(confined.delete(&path).await.code(), "confined_token");
    assert_eq!(confined.put(&format!("{path}/status"), &json!({"status": "canceled"})).await.status, 200);
}
