//! The partners' admin surface, see `tests/partners`.

use std::path::Path;

use hostile_tokens::Issuer;
use reqwest::{Client, Method};
use serde_json::{Value, json};

use crate::{http, setting};

/// The partner simulator of the stack under test.
#[derive(Debug, Clone)]
pub struct Partners {
    http: Client,
    url: String,
    /// Whose calls misbehave.
    tenant: String,
}

impl Partners {
    /// The simulator at `PARTNERS_URL`, as this tenant's storefront has it.
    #[must_use]
    pub fn of(tenant: &str) -> Self {
        Self { http: http(), url: setting("PARTNERS_URL"), tenant: tenant.to_owned() }
    }

    /// A token with these claims.
    pub async fn token(&self, claims: Value) -> String {
        let answer = self.call(Method::POST, "/token", Some(claims)).await;
        answer["token"].as_str().expect("a token").to_owned()
    }

    /// The token issuer itself, to sign whatever a test wants signed.
    #[must_use]
    pub fn issuer(&self) -> Issuer {
        let folder = std::env::var("STACK_FOLDER").unwrap_or_else(|_| ".local".to_owned());
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(folder).join("partners.json");
        let state: Value = serde_json::from_slice(&std::fs::read(file).expect("the partners' state")).expect("JSON");
        let seed: Vec<u8> = serde_json::from_value(state["key_seed"].clone()).expect("a seed");
        Issuer::new(&seed.try_into().expect("32 bytes"), &self.url, "orders", "local")
    }

    /// Sets a product's free units and price.
    pub async fn stock(&self, product: &str, available: u64, amount: i64, currency: &str) {
        let unit_price = json!({"amount": amount, "currency": currency});
        let body = json!({"name": format!("Product {product}"), "unit_price": unit_price, "available": available});
        self.call(Method::PUT, &format!("/admin/stock/{product}"), Some(body)).await;
    }

    /// Units of a product: available, reserved, confirmed.
    pub async fn units(&self, product: &str) -> (u64, u64, u64) {
        let stock = self.call(Method::GET, &format!("/admin/stock/{product}"), None).await;
        let units = |name: &str| stock[name].as_u64().expect("a count");
        (units("available"), units("reserved"), units("confirmed"))
    }

    /// Makes a route misbehave for this tenant (`customers`, `products`, `reservations` or `*`), or behave again (`none`).
    pub async fn fault(&self, route: &str, kind: &str, value: u64) {
        let fault = json!({"route": route, "tenant": self.tenant, "kind": kind, "value": value});
        self.call(Method::PUT, "/admin/faults", Some(fault)).await;
    }

    /// Makes the calls of a route with this method misbehave for this tenant, until the route behaves again.
    pub async fn fault_of(&self, route: &str, method: &str, kind: &str, value: u64) {
        let fault = json!({"route": route, "tenant": self.tenant, "method": method, "kind": kind, "value": value});
        self.call(Method::PUT, "/admin/faults", Some(fault)).await;
    }

    /// Makes handshakes over TLS take this much longer, whoever connects.
    pub async fn slow_handshakes(&self, millis: u64) {
        let fault = json!({"route": "connections", "kind": "delay", "value": millis});
        self.call(Method::PUT, "/admin/faults", Some(fault)).await;
    }

    /// How many handshakes over TLS were made later since the simulator started.
    pub async fn delayed_handshakes(&self) -> u64 {
        self.call(Method::GET, "/admin/handshakes", None).await["delayed"].as_u64().expect("a count")
    }

    /// Makes the issuer's key set misbehave, or behave again (`none`), for everybody.
    pub async fn fault_of_keys(&self, kind: &str) {
        self.call(Method::PUT, "/admin/faults", Some(json!({"route": "keys", "kind": kind}))).await;
    }

    /// The calls of these routes for this tenant since the log was last cleared: when each came, in milliseconds since 1970.
    pub async fn calls(&self, routes: &[&str]) -> Vec<u64> {
        let calls = self.call(Method::GET, "/admin/requests", None).await;
        let calls = calls.as_array().expect("a log").iter();
        let is_wanted = |call: &Value| {
            call["tenant"] == self.tenant.as_str() && routes.contains(&call["route"].as_str().expect("a route"))
        };
        let wanted = calls.filter(|call| is_wanted(call));
        wanted.map(|call| call["at"].as_u64().expect("a time")).collect()
    }

    /// Clears the log of calls.
    pub async fn forget_calls(&self) {
        self.call(Method::DELETE, "/admin/requests", None).await;
    }

    async fn call(&self, method: Method, path: &str, body: Option<Value>) -> Value {
        let mut request = self.http.request(method, format!("{}{path}", self.url));
        if let Some(body) = body {
            request = request.json(&body);
        }
        let answer = request.send().await.expect("the partners answer");
        assert!(answer.status().is_success(), "{path}: {}", answer.status());
        serde_json::from_slice(&answer.bytes().await.expect("a whole body")).unwrap_or(Value::Null)
    }
}
