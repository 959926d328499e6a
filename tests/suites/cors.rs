//! What a page of another origin may call and read. The emulator answers a preflight request with the first of the allowed
//! origins alone: it does not evaluate the template that looks for the others.

use e2e::{Answer, Shop, order_of};
use reqwest::Method;
use serde_json::Value;

const ORIGIN: &str = "http://localhost:3000";
const OTHER_ORIGIN: &str = "http://localhost:5173";

const ROUTES: [(&str, &str); 10] = [
    ("POST", "/orders"),
    ("POST", "/orders/batch"),
    ("GET", "/orders"),
    ("GET", "/orders/0192f0c1-7a3e-7cc0-8000-000000000001"),
    ("PUT", "/orders/0192f0c1-7a3e-7cc0-8000-000000000001"),
    ("DELETE", "/orders/0192f0c1-7a3e-7cc0-8000-000000000001"),
    ("PUT", "/orders/0192f0c1-7a3e-7cc0-8000-000000000001/shipping"),
    ("PUT", "/orders/0192f0c1-7a3e-7cc0-8000-000000000001/status"),
    ("GET", "/reports/orders"),
    ("GET", "/health"),
];

async fn from(shop: &Shop, origin: &str, method: Method, path: &str) -> Answer {
    shop.send(shop.request(method, path).header("Origin", origin)).await
}

#[tokio::test]
async fn every_route_says_without_a_token_and_a_function_what_a_page_may_send() {
    let shop = Shop::open().await.with_token("");
    for (method, path) in ROUTES {
        let preflight = shop
            .request(Method::OPTIONS, path)
            .header("Origin", ORIGIN)
            .header("Access-Control-Request-Method", method)
            .header("Access-Control-Request-Headers", "authorization,idempotency-key");
        let answer = shop.send(preflight).await;
        assert_eq!((answer.status, answer.header("access-control-allow-origin")), (200, ORIGIN), "{method} {path}");
        assert!(answer.header("access-control-allow-methods").split(',').any(|allowed| allowed == method));
        for header in ["Authorization", "Content-Type", "Idempotency-Key", "If-Match", "If-None-Match"] {
            assert!(answer.header("access-control-allow-headers").split(',').any(|allowed| allowed == header));
        }
        assert_eq!((answer.header("access-control-max-age"), answer.header("vary")), ("7200", "Origin"));
        // Every function says how long it took.
        assert_eq!(answer.header("server-timing"), "", "a function was started");
    }
}

#[tokio::test]
async fn pages_of_allowed_origins_read_answers_and_their_headers() {
    let shop = Shop::open().await;
    let product = shop.product(5).await;
    for origin in [ORIGIN, OTHER_ORIGIN] {
        let request = shop.request(Method::POST, "/orders").header("Origin", origin);
        let placed = shop.send(request.json(&order_of(&[(&product, 1)]))).await;
        let refused = from(&shop, origin, Method::GET, "/orders?limit=0").await;
        for (answer, status) in [(&placed, 201), (&refused, 400)] {
            assert_eq!((answer.status, answer.header("access-control-allow-origin")), (status, origin), "{answer:?}");
            assert_eq!(answer.header("vary"), "Origin");
        }
        let exposed: Vec<String> =
            placed.header("access-control-expose-headers").split(',').map(str::to_lowercase).collect();
        for header in ["etag", "location"] {
            assert!(!placed.header(header).is_empty() && exposed.contains(&header.to_owned()), "{header}");
        }
    }
}

#[tokio::test]
async fn a_page_of_another_origin_reads_nothing() {
    let shop = Shop::open().await;
    let answer = from(&shop, "https://evil.example", Method::GET, "/orders").await;
    assert_eq!((answer.status, answer.header("access-control-allow-origin")), (200, ""));
    assert_eq!((answer.header("access-control-expose-headers"), answer.header("vary")), ("", "Origin"));
}

#[tokio::test]
async fn a_page_reads_why_the_gateway_refuses_its_request() {
    let shop = Shop::open().await.with_token("");
    for (path, status) in [("/orders", 401), ("/no-such-route", 404)] {
        let answer = from(&shop, ORIGIN, Method::GET, path).await;
        assert_eq!((answer.status, answer.header("access-control-allow-origin")), (status, "*"));
        assert!(answer.header("access-control-expose-headers").contains("x-amzn-RequestId"));
        assert_ne!(answer.body, Value::Null);
    }
}
