//! What belongs to one storefront, or to one customer, is nothing to another, on every route.

use std::collections::BTreeSet;

use e2e::{Answer, Shop, eventually, order_of, report_path, routes};
use futures_util::FutureExt;
use futures_util::future::LocalBoxFuture;
use order_service_client::GroupBy;
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use uuid::Uuid;

/// What an intruder knows of the storefront whose orders it is after.
struct Victim {
    shop: Shop,
    /// The key under which the order was placed, the body, and the order as it is.
    key: String,
    body: Value,
    order: Value,
    /// Where the first page of the storefront's list ends.
    cursor: String,
}

/// Somebody with a valid token.
struct Intruder {
    shop: Shop,
    /// The customer that its own orders are for.
    customer: &'static str,
    is_confined: bool,
}

/// A route, and what an intruder tries on it. A route without an entry fails the first test here.
type Attempt = for<'a> fn(&'a Victim, &'a Intruder) -> LocalBoxFuture<'a, ()>;
const TABLE: [(&str, &str, Attempt); 13] = [
    ("POST", "/orders", |victim, intruder| take_the_key(victim, intruder).boxed_local()),
    ("POST", "/orders/batch", |victim, intruder| take_the_key_of_a_batch(victim, intruder).boxed_local()),
    ("GET", "/orders", |victim, intruder| read_the_list(victim, intruder).boxed_local()),
    ("GET", "/orders/{id}", |victim, intruder| read_the_order(victim, intruder).boxed_local()),
    ("PUT", "/orders/{id}", |victim, intruder| {
        change(victim, intruder, "PUT", "", json!({"notes": "mine"})).boxed_local()
    }),
    ("PUT", "/orders/{id}/shipping", |victim, intruder| {
        let shipping = json!({"carrier": "mine", "tracking_number": "1"});
        change(victim, intruder, "PUT", "/shipping", shipping).boxed_local()
    }),
    ("PUT", "/orders/{id}/status", |victim, intruder| {
        change(victim, intruder, "PUT", "/status", json!({"status": "canceled"})).boxed_local()
    }),
    ("DELETE", "/orders/{id}", |victim, intruder| change(victim, intruder, "DELETE", "", Value::Null).boxed_local()),
    ("GET", "/reports/orders", |victim, intruder| read_the_report(victim, intruder).boxed_local()),
    ("POST", "/exports", |victim, intruder| take_the_key_of_an_export(victim, intruder).boxed_local()),
    ("GET", "/exports/{export_id}", |victim, intruder| read_the_export(victim, intruder).boxed_local()),
    ("GET", "/health", |victim, intruder| read_the_health(victim, intruder).boxed_local()),
    ("GET", "/metrics", |victim, intruder| read_the_metrics(victim, intruder).boxed_local()),
];

impl Victim {
    async fn open() -> Self {
        let shop = Shop::open().await;
        let product = shop.product(10).await;
        shop.order(&[(&product, 1)]).await;
        let (key, body) = (Uuid::new_v4().to_string(), order_of(&[(&product, 2)]));
        let order = shop.place(&key, &body).await;
        assert_eq!(order.status, 201, "{order:?}");
        let cursor = shop.get("/orders?limit=1").await.body["page"]["next_cursor"].clone();
        Self { shop, key, body, order: order.body, cursor: cursor.as_str().unwrap().to_owned() }
    }

    fn path(&self) -> String {
        format!("/orders/{}", self.order["id"].as_str().unwrap())
    }

    fn etag(&self) -> String {
        format!("\"{}\"", self.order["version"])
    }
}

impl Intruder {
    /// Another storefront, which may do everything with its own orders.
    async fn storefront() -> Self {
        let shop = Shop::with_scope("orders:read orders:write orders:admin").await;
        Self { shop, customer: "cust-1", is_confined: false }
    }

    /// Another customer of the same storefront.
    async fn customer(victim: &Victim) -> Self {
        let claims = json!({
            "tenant": victim.shop.tenant, "sub": "customer", "customer_id": "cust-2",
            "scope": "orders:read orders:write orders:admin",
        });
        let shop = victim.shop.with_token(victim.shop.partners.token(claims).await);
        Self { shop, customer: "cust-2", is_confined: true }
    }

    /// Sends a request in the ways in which a client may claim to be somebody else; it changes nothing.
    async fn send(&self, victim: &Victim, request: impl Fn() -> RequestBuilder) -> Answer {
        let plain = self.shop.send(request()).await;
        let claimed = request().header("X-Tenant-Id", &victim.shop.tenant).header("X-Customer-Id", "cust-1");
        assert_eq!(told(&self.shop.send(claimed).await), told(&plain));
        plain
    }
}

/// What an answer tells: all but what names this one request.
fn told(answer: &Answer) -> (u16, String, String, Value) {
    let mut body = answer.body.clone();
    if let Some(members) = body.as_object_mut() {
        members.retain(|name, _| name != "request_id" && name != "instance");
    }
    (answer.status, answer.header("etag").to_owned(), answer.header("content-type").to_owned(), body)
}

async fn read_the_order(victim: &Victim, intruder: &Intruder) {
    let unknown = format!("/orders/{}", Uuid::new_v4());
    for known in ["", "*", &victim.etag()] {
        let read = |path: &str| {
            let request = intruder.shop.request(Method::GET, path);
            if known.is_empty() { request } else { request.header("If-None-Match", known) }
        };
        let answer = intruder.send(victim, || read(&victim.path())).await;
        assert_eq!((answer.status, answer.code()), (404, "order_not_found"), "{known}");
        assert_eq!(told(&answer), told(&intruder.send(victim, || read(&unknown)).await), "{known}");
    }
}

/// Whatever version it names, an order of somebody else answers as one that does not exist.
async fn change(victim: &Victim, intruder: &Intruder, method: &str, sub: &str, body: Value) {
    let method: Method = method.parse().unwrap();
    let unknown = format!("/orders/{}{sub}", Uuid::new_v4());
    let existing = format!("{}{sub}", victim.path());
    for version in ["", "*", &victim.etag(), "\"7\""] {
        let write = |path: &str| {
            let request = intruder.shop.request(method.clone(), path);
            let request = if body.is_null() { request } else { request.json(&body) };
            if version.is_empty() { request } else { request.header("If-Match", version) }
        };
        let answer = intruder.send(victim, || write(&existing)).await;
        let is_refused =
            answer.code() == "order_not_found" || intruder.is_confined && answer.code() == "confined_token";
        assert!(is_refused, "{method} {existing} {version}: {answer:?}");
        assert_eq!(told(&answer), told(&intruder.send(victim, || write(&unknown)).await), "{method} {sub} {version}");
    }
}

/// The same key names another order for everybody else.
async fn take_the_key(victim: &Victim, intruder: &Intruder) {
    let mut own = victim.body.clone();
    own["customer_id"] = intruder.customer.into();
    let placed = intruder.shop.place(&victim.key, &own).await;
    assert_eq!((placed.status, placed.header("idempotent-replayed")), (201, ""), "{placed:?}");
    assert_ne!(placed.body["id"], victim.order["id"]);
    if intruder.is_confined {
        let taken = intruder.shop.place(&victim.key, &victim.body).await;
        assert_eq!((taken.status, taken.code()), (403, "other_customer"));
    }
    let replayed = victim.shop.place(&victim.key, &victim.body).await;
    assert_eq!((&replayed.body["id"], replayed.header("idempotent-replayed")), (&victim.order["id"], "true"));
}

/// The same key of a batch names other orders for everybody else, and a customer places none for another.
async fn take_the_key_of_a_batch(victim: &Victim, intruder: &Intruder) {
    let mut own = victim.body.clone();
    own["customer_id"] = intruder.customer.into();
    let key = Uuid::new_v4().to_string();
    let of = |answer: &Answer| answer.body["results"][0].clone();
    let original = of(&victim.shop.place_batch(&key, std::slice::from_ref(&victim.body)).await);
    assert_eq!(original["status"], 201, "{original}");
    let answer = intruder.shop.place_batch(&key, &[own, victim.body.clone()]).await;
    let placed = of(&answer);
    assert_eq!((&placed["status"], &placed["replayed"]), (&json!(201), &json!(false)), "{placed}");
    assert_ne!(placed["order"]["id"], original["order"]["id"]);
    if intruder.is_confined {
        assert_eq!(answer.body["results"][1]["problem"]["code"], "other_customer");
    }
    let replayed = of(&victim.shop.place_batch(&key, std::slice::from_ref(&victim.body)).await);
    assert_eq!((&replayed["order"]["id"], &replayed["replayed"]), (&original["order"]["id"], &json!(true)));
}

async fn read_the_list(victim: &Victim, intruder: &Intruder) {
    let get = async |query: &str| {
        let path = format!("/orders?{query}");
        intruder.send(victim, || intruder.shop.request(Method::GET, &path)).await
    };
    let cursor = &victim.cursor;
    for query in ["", "limit=100", "status=confirmed", "status=canceled", &format!("customer_id={}", intruder.customer)]
    {
        let (page, continued) = (get(query).await, get(&format!("{query}&cursor={cursor}")).await);
        // A confined token lists by its customer, which goes with no status.
        if intruder.is_confined && query.starts_with("status") {
            assert_eq!((page.code(), continued.code()), ("unsupported_filter", "unsupported_filter"));
            continue;
        }
        let rows = page.body["data"].as_array().unwrap();
        let is_own = |row: &Value| row["customer_id"] == intruder.customer && row["id"] != victim.order["id"];
        assert!(rows.iter().all(is_own), "{query}: {rows:?}");
        assert_eq!((continued.status, continued.code()), (400, "invalid_cursor"), "{query}");
    }
    let of_victim = get("customer_id=cust-1").await;
    match intruder.is_confined {
        true => assert_eq!((of_victim.status, of_victim.code()), (403, "other_customer")),
        false => assert!(!of_victim.body.to_string().contains(victim.order["id"].as_str().unwrap())),
    }
    for query in [format!("tenant={}", victim.shop.tenant), format!("tenant_id={}", victim.shop.tenant)] {
        assert_eq!(get(&query).await.code(), "invalid_parameter");
    }
}

/// A report tells of the storefront of the token alone, and nothing to a customer.
async fn read_the_report(victim: &Victim, intruder: &Intruder) {
    let path = report_path(GroupBy::Product);
    let product = victim.shop.product(1).await;
    victim.shop.order(&[(&product, 1)]).await;
    let has_product = |answer: &Answer| answer.body.to_string().contains(&product);
    let counted = async || Some(victim.shop.get(&path).await).filter(has_product);
    eventually("the victim's report", counted).await;
    let report = intruder.send(victim, || intruder.shop.request(Method::GET, &path)).await;
    match intruder.is_confined {
        true => assert_eq!((report.status, report.code()), (403, "confined_token")),
        false => assert!(report.status == 200 && !has_product(&report), "{report:?}"),
    }
    let refused = intruder.shop.get(&format!("{path}&tenant={}", victim.shop.tenant)).await;
    assert!(["invalid_parameter", "confined_token"].contains(&refused.code()), "{refused:?}");
}

/// The same key of an export names another one for another storefront. A customer exports nothing.
async fn take_the_key_of_an_export(victim: &Victim, intruder: &Intruder) {
    let key = Uuid::new_v4().to_string();
    let original = victim.shop.export(&key, &json!({"format": "csv"})).await;
    assert_eq!(original.status, 202, "{original:?}");
    let answer = intruder.shop.export(&key, &json!({"format": "csv"})).await;
    match intruder.is_confined {
        true => assert_eq!((answer.status, answer.code()), (403, "confined_token")),
        false => {
            assert_eq!((answer.status, answer.header("idempotent-replayed")), (202, ""), "{answer:?}");
            assert_ne!(answer.id(), original.id());
            let finished = intruder.shop.exported(&answer.id()).await;
            let file = intruder.shop.download(&finished).await;
            assert!(!file.contains(victim.order["id"].as_str().unwrap()), "{file}");
        }
    }
}

async fn read_the_export(victim: &Victim, intruder: &Intruder) {
    let export = victim.shop.export(&Uuid::new_v4().to_string(), &json!({"format": "csv"})).await.id();
    victim.shop.exported(&export).await;
    let read = async |id: &str| {
        let path = format!("/exports/{id}");
        intruder.send(victim, || intruder.shop.request(Method::GET, &path)).await
    };
    let (theirs, unknown) = (read(&export).await, read(&Uuid::new_v4().to_string()).await);
    let expected = if intruder.is_confined { (403, "confined_token") } else { (404, "export_not_found") };
    assert_eq!((theirs.status, theirs.code()), expected);
    assert_eq!(told(&theirs), told(&unknown));
}

async fn read_the_health(victim: &Victim, intruder: &Intruder) {
    let health = intruder.send(victim, || intruder.shop.request(Method::GET, "/health")).await;
    assert_eq!(health.status, 200);
    assert!(!health.body.to_string().contains(&victim.shop.tenant), "{health:?}");
}

/// The metrics are those of the whole service, without anything of a storefront.
async fn read_the_metrics(victim: &Victim, intruder: &Intruder) {
    let metrics = intruder.shop.get("/metrics").await;
    match intruder.is_confined {
        true => assert_eq!((metrics.status, metrics.code()), (403, "confined_token")),
        false => {
            assert_eq!(metrics.status, 200);
            let text = metrics.body.as_str().unwrap();
            assert!(!text.contains(&victim.shop.tenant) && !text.contains(&intruder.shop.tenant), "{text}");
        }
    }
}

async fn intrude(victim: &Victim, intruder: &Intruder) {
    for (_, _, attempt) in TABLE {
        attempt(victim, intruder).await;
    }
    let after = victim.shop.get(&victim.path()).await;
    assert_eq!((after.status, &after.body), (200, &victim.order), "nothing of the order changed");
}

#[test]
fn every_route_of_the_template_is_tried() {
    let tried: BTreeSet<_> = TABLE.map(|(method, path, _)| (method.to_owned(), path.to_owned())).into();
    let routes: BTreeSet<_> = routes().into_iter().map(|route| (route.method, route.path)).collect();
    assert_eq!(tried, routes, "a route without an attempt, or an attempt without a route");
}

#[tokio::test]
async fn another_storefront_finds_and_changes_nothing() {
    let victim = Victim::open().await;
    intrude(&victim, &Intruder::storefront().await).await;
}

#[tokio::test]
async fn another_customer_of_the_storefront_finds_and_changes_nothing() {
    let victim = Victim::open().await;
    intrude(&victim, &Intruder::customer(&victim).await).await;
}
