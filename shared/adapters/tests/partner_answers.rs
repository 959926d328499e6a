//! Partners are not trusted: what is not the answer to the question asked is no usable answer.

#![allow(clippy::unwrap_used, reason = "tests")]

mod canned;

use std::time::Duration;

use adapters::outbound::{Breaker, Partner, PartnerClient};
use adapters::partners::{HttpCustomers, HttpInventory};
use adapters::telemetry::{self, Line};
use domain::id::{CustomerId, ProductId, TenantId};
use domain::ports::{CustomerService, InventoryService};
use domain::reservation::ReservationId;
use domain::trace::{self, TraceParent};
use serde_json::json;
use uuid::Uuid;

use canned::{Canned, Server};

fn tenant(name: &str) -> TenantId {
    TenantId::parse(name).unwrap()
}

fn customer() -> CustomerId {
    CustomerId::parse("cust-1").unwrap()
}

fn tea() -> [ProductId; 1] {
    [ProductId::parse("tea").unwrap()]
}

fn partner(server: &Server) -> Partner {
    PartnerClient::new().unwrap().partner("partner", server.url(200), Breaker::new(None))
}

/// The trace of the request.
const TRACE: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

#[tokio::test]
async fn every_call_carries_the_trace_and_is_noted_with_its_time() {
    let server = answering(product_body("tea", 1, "EUR")).await;
    let partner = PartnerClient::new().unwrap().partner("inventory service", server.url(200), Breaker::new(None));
    let inventory = HttpInventory::new(partner, Duration::ZERO);
    let calls = async {
        inventory.products(&tenant("demo"), &tea()).await.unwrap();
        inventory.confirm(&tenant("demo"), ReservationId::from_uuid(Uuid::nil())).await.unwrap();
    };
    let ((), notes) = telemetry::noting(trace::within(TraceParent::parse(TRACE), calls)).await;
    let heads = server.heads();
    assert_eq!(heads.len(), 2);
    assert!(heads.iter().all(|head| head.contains(&format!("traceparent: {TRACE}"))), "{heads:?}");
    let line = notes.tell(Line::info("called")).into_json();
    assert_eq!((line["InventoryLatency"].as_array().map(Vec::len), line.get("InventoryFailures")), (Some(2), None));
}

async fn answering(body: impl Into<Vec<u8>>) -> Server {
    let body = body.into();
    Server::start(|status| Canned { status, body: body.clone() }).await
}

fn customer_body(id: &str, name: &str, email: &str) -> String {
    json!({"id": id, "name": name, "email": email}).to_string()
}

fn product_body(id: &str, amount: i64, currency: &str) -> String {
    let unit_price = json!({"amount": amount, "currency": currency});
    json!({"products": [{"id": id, "name": "Tea", "unit_price": unit_price}]}).to_string()
}

/// What is no answer to any question.
fn nonsense() -> Vec<String> {
    let huge = json!({"id": "cust-1", "name": "a", "email": "b", "products": [], "padding": "x".repeat(2_000_000)});
    vec![String::new(), "<html>Welcome</html>".into(), "null".into(), "[]".into(), "{}".into(), huge.to_string()]
}

#[tokio::test]
async fn a_customer_is_believed_only_in_the_form_asked_for() {
    let find = async |body: String| {
        let server = answering(body).await;
        HttpCustomers::new(partner(&server), Duration::ZERO).find(&tenant("demo"), &customer()).await
    };
    let found = find(customer_body("cust-1", "Ada", "ada@shop.example")).await.unwrap().unwrap();
    assert_eq!((found.name.as_str(), found.email.as_str()), ("Ada", "ada@shop.example"));
    let mut unusable = nonsense();
    unusable.push(customer_body("cust-2", "Ada", "ada@shop.example"));
    unusable.push(customer_body("cust-1", "Ada", "ada@shop.example\r\nBcc: all@shop.example"));
    unusable.push(customer_body("cust-1", "Ada\nLovelace", "ada@shop.example"));
    unusable.push(customer_body("cust-1", " ", "ada@shop.example"));
    unusable.push(json!({"name": "Ada", "email": "ada@shop.example"}).to_string());
    for body in unusable {
        assert!(find(body.clone()).await.is_err(), "{:.100}", body);
    }
}

/// A partner's mistake must not bring personal data into the logs, which tell why a call failed.
#[tokio::test]
async fn why_an_answer_cannot_be_read_is_told_without_what_it_says() {
    let person = "Quillfeather";
    let price = json!({"amount": person, "currency": "EUR"});
    for (body, expected) in [
        (json!(person), "another form"),
        (json!({"id": 4_711, "name": person, "email": person}), "another form"),
        (json!({"id": "cust-1", "name": person}), "missing field `email`"),
        (json!({"products": [{"id": "tea", "name": person, "unit_price": price}]}), "another form"),
    ] {
        let server = answering(body.to_string()).await;
        let (customers, inventory) = (
            HttpCustomers::new(partner(&server), Duration::ZERO),
            HttpInventory::new(partner(&server), Duration::ZERO),
        );
        let is_of_products = body.get("products").is_some();
        let cause = match is_of_products {
            true => inventory.products(&tenant("demo"), &tea()).await.unwrap_err(),
            false => customers.find(&tenant("demo"), &customer()).await.unwrap_err(),
        };
        let cause = cause.to_string();
        assert!(!cause.contains(person) && !cause.contains("4711"), "{cause}");
        assert!(cause.contains(expected) && cause.contains("line 1 column"), "{cause}");
    }
}

#[tokio::test]
async fn a_product_is_believed_only_in_the_form_asked_for() {
    let products = async |body: String| {
        let server = answering(body).await;
        HttpInventory::new(partner(&server), Duration::ZERO).products(&tenant("demo"), &tea()).await
    };
    let found = products(product_body("tea", 0, "EUR")).await.unwrap();
    assert_eq!(found.iter().map(|product| product.unit_price.amount()).collect::<Vec<_>>(), [0]);
    let mut unusable = nonsense();
    unusable.push(product_body("coffee", 100, "EUR"));
    unusable.push(product_body("tea", -1, "EUR"));
    unusable.push(product_body("tea", 100, "euro"));
    for body in unusable {
        assert!(products(body.clone()).await.is_err(), "{:.100}", body);
    }
}

#[tokio::test]
async fn every_call_names_the_tenant_and_shows_the_secret() {
    let server = answering("").await;
    let partner = partner(&server).with_bearer("SECRET", "s3cret").unwrap();
    let inventory = HttpInventory::new(partner.clone(), Duration::ZERO);
    let id = ReservationId::from_uuid(Uuid::from_u128(1));
    drop(HttpCustomers::new(partner, Duration::ZERO).find(&tenant("demo"), &customer()).await);
    drop(inventory.products(&tenant("demo"), &tea()).await);
    drop(inventory.reserve(&reservation(id)).await);
    drop(inventory.confirm(&tenant("demo"), id).await);
    drop(inventory.release(&tenant("demo"), id).await);
    let heads = server.heads();
    assert_eq!(heads.len(), 5);
    for head in heads {
        assert!(head.contains("\r\nx-tenant-id: demo\r\n"), "{head}");
        assert!(head.contains("\r\nauthorization: bearer s3cret\r\n"), "{head}");
    }
}

#[tokio::test]
async fn what_one_tenant_was_told_is_told_to_no_other() {
    let server = answering(customer_body("cust-1", "Ada", "ada@shop.example")).await;
    let customers = HttpCustomers::new(partner(&server), Duration::from_secs(60));
    for name in ["one", "one", "other"] {
        customers.find(&tenant(name), &customer()).await.unwrap();
    }
    assert_eq!(server.heads().len(), 2);
    let server = answering(product_body("tea", 1, "EUR")).await;
    let inventory = HttpInventory::new(partner(&server), Duration::from_secs(60));
    for name in ["one", "one", "other"] {
        inventory.products(&tenant(name), &tea()).await.unwrap();
    }
    assert_eq!(server.heads().len(), 2);
}

fn reservation(id: ReservationId) -> domain::reservation::Reservation {
    let order = domain::memory::sample::order();
    domain::reservation::Reservation { id, tenant: tenant("demo"), ..order.reservation() }
}
