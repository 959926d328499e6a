//! Whatever stands in the place of a token, no function behind a route is started by it.

use e2e::{Answer, Route, Shop, order_of, routes, started_behind_tokens};
use futures_util::StreamExt;
use hostile_tokens::table;
use reqwest::{Method, RequestBuilder};
use serde_json::json;

/// So many requests at a time.
const AT_ONCE: usize = 8;

const ID: &str = "0192f0c1-7a3e-7cc0-8000-000000000001";

/// The routes that need a token.
fn guarded() -> Vec<Route> {
    let routes: Vec<Route> = routes().into_iter().filter(|route| !route.is_open).collect();
    assert!(routes.len() >= 7, "{routes:?}");
    routes
}

/// A request that the route would take from somebody with a valid token.
fn request(shop: &Shop, route: &Route, query: &str, authorization: &[&str]) -> RequestBuilder {
    let method: Method = route.method.parse().unwrap();
    let path = format!("{}{query}", route.path.replace("{id}", ID).replace("{export_id}", ID));
    let request = shop.with_authorization(method.clone(), &path, authorization);
    if [Method::POST, Method::PUT].contains(&method) { request.json(&order_of(&[("sku-1", 1)])) } else { request }
}

/// Sends every request, and expects that all are refused and no function behind a route is started.
async fn refused_unstarted(shop: &Shop, requests: Vec<(String, RequestBuilder)>) {
    let before = started_behind_tokens().await;
    let answers = futures_util::stream::iter(requests)
        .map(async |(what, request)| (what, shop.send(request).await))
        .buffer_unordered(AT_ONCE);
    let wrong: Vec<String> = answers
        .filter_map(async |(what, answer)| (!is_refusal(&answer)).then(|| format!("{what}: {answer:?}")))
        .collect()
        .await;
    assert!(wrong.is_empty(), "{} wrong answers, such as\n{}", wrong.len(), wrong[..wrong.len().min(10)].join("\n"));
    assert_eq!(started_behind_tokens().await, before, "functions were started");
}

fn is_refusal(answer: &Answer) -> bool {
    let is_problem = answer.header("content-type") == "application/problem+json";
    is_problem && matches!((answer.status, answer.code()), (401, "unauthenticated") | (403, "access_denied"))
}

#[tokio::test]
async fn no_hostile_token_gets_past_the_gateway_on_any_route() {
    let shop = Shop::open().await;
    let tokens = table(&shop.partners.issuer());
    assert!(tokens.len() >= 80, "{}", tokens.len());
    let mut requests = Vec::new();
    for route in guarded() {
        for token in &tokens {
            let what = format!("{} {} with {}", route.method, route.path, token.what);
            requests.push((what, request(&shop, &route, "", &[&token.authorization])));
        }
    }
    refused_unstarted(&shop, requests).await;
}

#[tokio::test]
async fn the_token_that_they_are_made_of_starts_a_function() {
    let shop = Shop::open().await;
    let before = started_behind_tokens().await;
    let valid = shop.partners.issuer().valid_token();
    assert_eq!(shop.with_token(valid).get(&format!("/orders/{ID}")).await.code(), "order_not_found");
    let mut expected = before.clone();
    *expected.get_mut("GetOrderFunction").unwrap() += 1;
    assert_eq!(started_behind_tokens().await, expected, "what is counted is what is started");
}

#[tokio::test]
async fn a_token_counts_only_as_the_one_authorization_header() {
    let shop = Shop::open().await;
    let issuer = shop.partners.issuer();
    let valid = issuer.valid_token();
    let (bearer, other) = (format!("Bearer {valid}"), format!("Bearer {}", issuer.sign("{\"alg\":\"none\"}", "{}")));
    let queries = ["access_token", "token", "Authorization", "authorization", "jwt"];
    let mut requests = Vec::new();
    for route in guarded() {
        let mut add = |what: &str, request| requests.push((format!("{} {} {what}", route.method, route.path), request));
        add("without a header", request(&shop, &route, "", &[]));
        for headers in [[&bearer, &bearer], [&bearer, &other], [&other, &bearer], [&other, &other]] {
            add("with two headers", request(&shop, &route, "", &headers.map(String::as_str)));
        }
        for name in queries {
            add(&format!("with ?{name}="), request(&shop, &route, &format!("?{name}={valid}"), &[]));
            add(&format!("with ?{name}=Bearer"), request(&shop, &route, &format!("?{name}=Bearer%20{valid}"), &[]));
        }
        for name in ["Cookie", "X-Authorization", "Proxy-Authorization", "X-Api-Key", "X-Amz-Security-Token"] {
            add(&format!("with {name}"), request(&shop, &route, "", &[]).header(name, &bearer));
        }
        let forged = request(&shop, &route, "", &[]).header("X-Tenant-Id", &shop.tenant);
        add("with a tenant of its own", forged.header("X-Amzn-Authorizer", json!({"tenant": "demo"}).to_string()));
    }
    refused_unstarted(&shop, requests).await;
}
