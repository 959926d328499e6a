//! What every answer has, whoever gives it: a function or the gateway.

use e2e::{Answer, Shop, order_of, routes};
use reqwest::Method;
use serde_json::json;

/// It may not be stored, guessed at or asked for without TLS, and it names the version of the contract.
fn is_whole(answer: &Answer) -> bool {
    answer.header("api-version").starts_with("1.")
        && answer.header("cache-control") == "no-store"
        && answer.header("x-content-type-options") == "nosniff"
        && answer.header("strict-transport-security") == "max-age=31536000"
}

#[tokio::test]
async fn every_answer_of_every_route_is_protected_and_names_the_version() {
    let shop = Shop::open().await;
    let product = shop.product(5).await;
    let id = shop.order(&[(&product, 1)]).await.id();
    let unscoped = json!({"tenant": shop.tenant, "sub": "s", "scope": "email"});
    let unscoped = shop.with_token(shop.partners.token(unscoped).await);
    let mut seen = Vec::new();
    for route in routes() {
        let method: Method = route.method.parse().unwrap();
        let path = route.path.replace("{id}", &id).replace("{export_id}", &id);
        let with_body = |shop: &Shop| match method {
            Method::GET | Method::DELETE => shop.request(method.clone(), &path),
            _ => shop.request(method.clone(), &path).json(&order_of(&[(&product, 1)])),
        };
        for caller in [&shop, &shop.with_token(""), &unscoped] {
            let answer = caller.send(with_body(caller)).await;
            assert!(is_whole(&answer), "{method} {path}: {answer:?}");
            seen.push(answer.status);
        }
    }
    for status in [200, 201, 204, 401, 403, 422] {
        assert!(seen.contains(&status), "no answer was {status}: {seen:?}");
    }
}

#[tokio::test]
async fn what_the_gateway_answers_by_itself_is_no_different() {
    let shop = Shop::open().await;
    let unknown_route = shop.get("/hostile-marker").await;
    let unknown_method = shop.send(shop.request(Method::PATCH, "/orders")).await;
    let anonymous = shop.with_token("").get("/orders").await;
    for (answer, status, code) in [
        (unknown_route, 404, "route_not_found"),
        (unknown_method, 405, "method_not_allowed"),
        (anonymous, 401, "unauthenticated"),
    ] {
        assert_eq!((answer.status, answer.code()), (status, code));
        assert!(is_whole(&answer), "{answer:?}");
    }
}

#[tokio::test]
async fn an_order_that_may_not_be_stored_is_still_not_sent_twice() {
    let shop = Shop::open().await;
    let product = shop.product(1).await;
    let placed = shop.order(&[(&product, 1)]).await;
    let path = format!("/orders/{}", placed.id());
    let known = shop.send(shop.request(Method::GET, &path).header("If-None-Match", placed.header("etag"))).await;
    assert_eq!((known.status, known.header("etag")), (304, placed.header("etag")));
    assert!(is_whole(&known), "{known:?}");
}
