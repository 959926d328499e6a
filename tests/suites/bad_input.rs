//! Whatever a client sends, it gets a problem with a stable code, and nothing is written.

use e2e::Shop;
use reqwest::Method;
use serde_json::{Value, json};

/// A request that no route may take.
struct Bad {
    what: &'static str,
    content_type: &'static str,
    body: Vec<u8>,
    /// The answers that are right.
    codes: &'static [&'static str],
}

fn bad(what: &'static str, body: impl Into<Vec<u8>>, codes: &'static [&'static str]) -> Bad {
    Bad { what, content_type: "application/json", body: body.into(), codes }
}

const JSON: &[&str] = &["invalid_json"];
const SHAPE: &[&str] = &["validation_failed"];
const EITHER: &[&str] = &["invalid_json", "validation_failed"];

/// What is wrong for every route with a body.
fn everywhere() -> Vec<Bad> {
    vec![
        bad("an empty body", "", JSON),
        bad("not JSON", "customer_id=1", JSON),
        bad("half a body", "{\"", JSON),
        bad("two bodies", "{}{}", EITHER),
        bad("a list", "[]", SHAPE),
        bad("a number", "7", SHAPE),
        bad("null", "null", SHAPE),
        bad("a field that does not exist", r#"{"surprise":1}"#, SHAPE),
        bad("a list as a bomb", "[".repeat(100_000), EITHER),
        bad("an object as a bomb", "{\"a\":".repeat(40_000), EITHER),
        bad("bad UTF-8", b"{\"notes\":\"\xff\xfe\"}".to_vec(), EITHER),
        bad("300 KB", " ".repeat(300_000), &["body_too_large"]),
        Bad { what: "no media type", content_type: "", body: b"{}".to_vec(), codes: &["unsupported_media_type"] },
        Bad { what: "a form", content_type: "text/plain", body: b"{}".to_vec(), codes: &["unsupported_media_type"] },
    ]
}

fn of_create() -> Vec<Bad> {
    let order = |change: fn(&mut Value)| {
        let mut body = json!({"customer_id": "cust-1", "lines": [{"product_id": "sku-1", "quantity": 1}]});
        change(&mut body);
        body.to_string()
    };
    let line = |line: &str| format!(r#"{{"customer_id":"cust-1","lines":[{line}]}}"#);
    vec![
        bad("no customer", order(|body| body["customer_id"] = Value::Null), SHAPE),
        bad("a customer with a separator", order(|body| body["customer_id"] = json!("a#b")), SHAPE),
        bad("no lines", order(|body| body["lines"] = json!([])), SHAPE),
        bad("a line that is a list", line(r#"["sku-1",1]"#), SHAPE),
        bad("an address that is a list", order(|body| body["shipping_address"] = json!(["x"])), SHAPE),
        bad("lines that are none", order(|body| body["lines"] = json!("sku-1")), SHAPE),
        bad("101 lines", order(|body| body["lines"] = json!(vec![body["lines"][0].clone(); 101])), SHAPE),
        bad("a price of the client's own", order(|body| body["lines"][0]["unit_price"] = json!(1)), SHAPE),
        bad(
            "a total of the client's own",
            order(|body| body["total"] = json!({"amount": 1, "currency": "EUR"})),
            SHAPE,
        ),
        bad("a quantity of zero", line(r#"{"product_id":"sku-1","quantity":0}"#), SHAPE),
        bad("a negative quantity", line(r#"{"product_id":"sku-1","quantity":-1}"#), SHAPE),
        bad("half a unit", line(r#"{"product_id":"sku-1","quantity":0.5}"#), SHAPE),
        bad("too many units", line(r#"{"product_id":"sku-1","quantity":10001}"#), SHAPE),
        bad("a number beyond 64 bits", line(r#"{"product_id":"sku-1","quantity":99999999999999999999}"#), SHAPE),
        bad("a number beyond floats", line(r#"{"product_id":"sku-1","quantity":1e999}"#), EITHER),
        bad("a field twice", r#"{"customer_id":"a","customer_id":"b","lines":[]}"#, SHAPE),
        bad("51 pairs", order(|body| body["metadata"] = (0..51).map(|n| (n.to_string(), json!("v"))).collect()), SHAPE),
        bad("metadata that are numbers", order(|body| body["metadata"] = json!({"a": 1})), SHAPE),
        bad(
            "a pair twice",
            r#"{"customer_id":"cust-1","lines":[{"product_id":"sku-1","quantity":1}],"metadata":{"a":"1","a":"2"}}"#,
            SHAPE,
        ),
        bad("long notes", order(|body| body["notes"] = json!("n".repeat(2_001))), SHAPE),
        bad("a long reference", order(|body| body["external_reference"] = json!("r".repeat(256))), SHAPE),
        bad("half an address", order(|body| body["shipping_address"] = json!({"city": "x"})), SHAPE),
    ]
}

fn of_shipping() -> Vec<Bad> {
    vec![
        bad("no number", r#"{"carrier":"c"}"#, SHAPE),
        bad("a script as URL", r#"{"carrier":"c","tracking_number":"n","tracking_url":"javascript:1"}"#, SHAPE),
        bad(
            "a host that is none",
            r#"{"carrier":"c","tracking_number":"n","tracking_url":"https://[javascript]"}"#,
            SHAPE,
        ),
        bad("a time that is none", r#"{"carrier":"c","tracking_number":"n","shipped_at":"soon"}"#, SHAPE),
    ]
}

fn of_status() -> Vec<Bad> {
    vec![
        bad("no status", "{}", SHAPE),
        bad("a status that does not exist", r#"{"status":"lost"}"#, SHAPE),
        bad("a long reason", json!({"status": "canceled", "reason": "r".repeat(256)}).to_string(), SHAPE),
    ]
}

fn of_update() -> Vec<Bad> {
    vec![
        bad("a field that is not the client's", r#"{"status":"shipped"}"#, SHAPE),
        bad("another customer", r#"{"customer_id":"cust-2"}"#, SHAPE),
        bad("no lines", r#"{"lines":[]}"#, SHAPE),
        bad("lines that are null", r#"{"lines":null}"#, SHAPE),
    ]
}

/// Sends every bad request to the route and expects a problem of its code each time.
async fn refuses(shop: &Shop, method: Method, path: &str, cases: Vec<Bad>) {
    for Bad { what, content_type, body, codes } in cases {
        let mut request = shop.request(method.clone(), path).body(body);
        if !content_type.is_empty() {
            request = request.header("Content-Type", content_type);
        }
        let answer = shop.send(request).await;
        assert!((400..500).contains(&answer.status), "{method} {path} with {what}: {answer:?}");
        assert!(codes.contains(&answer.code()), "{method} {path} with {what}: {answer:?}");
        assert_eq!(answer.header("content-type"), "application/problem+json", "{what}");
        assert_eq!(answer.body["status"], answer.status, "{what}");
        assert!(!answer.body["request_id"].as_str().unwrap_or_default().is_empty(), "{what}");
        assert_eq!(answer.body["instance"], format!("/v1{path}"), "{what}");
    }
}

#[tokio::test]
async fn creating_refuses_what_it_cannot_read_and_writes_nothing() {
    let shop = Shop::open().await;
    refuses(&shop, Method::POST, "/orders", everywhere().into_iter().chain(of_create()).collect()).await;
    assert_eq!(shop.get("/orders").await.body["data"], json!([]));
}

#[tokio::test]
async fn a_batch_refuses_what_it_cannot_take_apart_and_writes_nothing() {
    let shop = Shop::open().await;
    let own = [
        bad("no orders", "{}", SHAPE),
        bad("an order that breaks off", r#"{"orders":[{"customer_id":"cust-1"}"#, JSON),
        bad("orders that are no list", r#"{"orders":{"0":{}}}"#, SHAPE),
        bad("orders twice", r#"{"orders":[],"orders":[]}"#, SHAPE),
    ];
    refuses(&shop, Method::POST, "/orders/batch", everywhere().into_iter().chain(own).collect()).await;
    let cases = of_create();
    let orders: Vec<_> = cases.iter().map(|case| std::str::from_utf8(&case.body).unwrap()).collect();
    let request = shop.request(Method::POST, "/orders/batch").header("Content-Type", "application/json");
    let answer = shop.send(request.body(format!(r#"{{"orders":[{}]}}"#, orders.join(",")))).await;
    assert_eq!(answer.status, 207, "{answer:?}");
    let results = answer.body["results"].as_array().unwrap();
    assert_eq!(results.len(), cases.len());
    for (result, case) in results.iter().zip(cases) {
        assert!(case.codes.contains(&result["problem"]["code"].as_str().unwrap()), "{}: {result}", case.what);
    }
    assert_eq!(shop.get("/orders").await.body["data"], json!([]));
}

#[tokio::test]
async fn changing_refuses_what_it_cannot_read_and_writes_nothing() {
    let shop = Shop::open().await;
    let product = shop.product(1).await;
    let path = format!("/orders/{}", shop.order(&[(&product, 1)]).await.id());
    for (sub, own) in [("", of_update()), ("/shipping", of_shipping()), ("/status", of_status())] {
        let cases = everywhere().into_iter().chain(own).collect();
        refuses(&shop, Method::PUT, &format!("{path}{sub}"), cases).await;
    }
    assert_eq!(shop.get(&path).await.body["version"], 1);
}

#[tokio::test]
async fn a_bad_idempotency_key_is_named() {
    let shop = Shop::open().await;
    for key in ["a b", "", "\"\"", &"k".repeat(256)] {
        let answer = shop.place(key, &json!({"customer_id": "cust-1", "lines": []})).await;
        assert_eq!((answer.status, answer.code()), (400, "invalid_idempotency_key"), "{key:?}");
    }
}

#[tokio::test]
async fn listing_refuses_every_parameter_it_does_not_know() {
    let shop = Shop::open().await;
    for (query, code) in [
        ("limit=0", "invalid_parameter"),
        ("limit=101", "invalid_parameter"),
        ("limit=many", "invalid_parameter"),
        ("limit=%2B5", "invalid_parameter"),
        ("limit=05", "invalid_parameter"),
        ("status=lost", "invalid_parameter"),
        ("customer_id=a%23b", "invalid_parameter"),
        ("created_after=yesterday", "invalid_parameter"),
        ("page=2", "invalid_parameter"),
        ("status=pending&customer_id=cust-1", "unsupported_filter"),
        ("cursor=x", "invalid_cursor"),
        ("cursor=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "invalid_cursor"),
    ] {
        let answer = shop.get(&format!("/orders?{query}")).await;
        assert_eq!((answer.status, answer.code()), (400, code), "{query}");
    }
}

#[tokio::test]
async fn unknown_orders_routes_and_methods_do_not_exist() {
    let shop = Shop::open().await;
    let unknown = "/orders/0192f0c1-7a3e-7cc0-8000-000000000404";
    let shipping = json!({"carrier": "c", "tracking_number": "n"});
    for answer in [
        shop.get(unknown).await,
        shop.put(unknown, &json!({})).await,
        shop.put(&format!("{unknown}/shipping"), &shipping).await,
        shop.move_to("not-an-id", "canceled").await,
        shop.delete(unknown).await,
    ] {
        assert_eq!((answer.status, answer.code()), (404, "order_not_found"), "{answer:?}");
    }
    for (method, path) in [(Method::GET, "/customers"), (Method::PUT, "/orders/1/2/3"), (Method::DELETE, "/")] {
        let answer = shop.send(shop.request(method.clone(), path)).await;
        assert_eq!((answer.status, answer.code()), (404, "route_not_found"), "{method} {path}: {answer:?}");
        assert_eq!(answer.body["instance"], format!("/v1{path}"));
    }
}

#[tokio::test]
async fn a_path_names_the_methods_that_it_has() {
    let shop = Shop::open().await;
    let order = "/orders/0192f0c1-7a3e-7cc0-8000-000000000404";
    for (method, path, allow) in [
        (Method::PATCH, "/orders".to_owned(), "GET, HEAD, POST"),
        (Method::TRACE, "/orders".to_owned(), "GET, HEAD, POST"),
        (Method::DELETE, "/orders".to_owned(), "GET, HEAD, POST"),
        (Method::GET, "/orders/batch".to_owned(), "POST"),
        (Method::POST, order.to_owned(), "GET, HEAD, PUT, DELETE"),
        (Method::GET, format!("{order}/shipping"), "PUT"),
        (Method::GET, format!("{order}/status"), "PUT"),
        (Method::POST, "/health".to_owned(), "GET, HEAD"),
    ] {
        let answer = shop.send(shop.request(method.clone(), &path)).await;
        assert_eq!((answer.status, answer.code()), (405, "method_not_allowed"), "{method} {path}: {answer:?}");
        assert_eq!(answer.header("allow"), allow, "{method} {path}");
        assert_eq!(answer.body["instance"], format!("/v1{path}"));
    }
}

#[tokio::test]
async fn head_answers_as_get_without_a_body() {
    let shop = Shop::open().await;
    let product = shop.product(1).await;
    let path = format!("/orders/{}", shop.order(&[(&product, 1)]).await.id());
    for (path, status, etag) in
        [(path.as_str(), 200, "\"1\""), ("/orders", 200, ""), ("/health", 200, ""), ("/orders/none", 404, "")]
    {
        let answer = shop.send(shop.request(Method::HEAD, path)).await;
        assert_eq!((answer.status, answer.header("etag")), (status, etag), "{path}");
        assert_eq!(answer.body, Value::Null, "{path}");
    }
}
