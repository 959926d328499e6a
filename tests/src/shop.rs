//! A storefront: a tenant that no other test knows, and its calls of the API.

use order_service_client::{
    Error, GroupBy, NewOrder, Order, ProblemKind, ReportQuery, Retries, Status, Target, Timeouts, Token,
};
use reqwest::header::HeaderMap;
use reqwest::{Client, Method, RequestBuilder};
use serde_json::{Value, json};
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use crate::seeds::personal;
use crate::{DEADLINE, Events, Partners, eventually, http, setting};

/// A storefront of its own.
#[derive(Debug, Clone)]
pub struct Shop {
    /// Its tenant.
    pub tenant: String,
    /// The stage behind the API.
    pub partners: Partners,
    /// The events that come out.
    pub events: Events,
    /// Its calls, typed. It repeats none, so that no failure is passed over.
    pub client: order_service_client::Client,
    http: Client,
    api: String,
    token: String,
}

/// What the API answered.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The JSON body, other text as a string, `null` when there is none.
    pub body: Value,
}

impl Answer {
    /// A header as text; empty when absent.
    #[must_use]
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The `code` of a problem; empty when it is none.
    #[must_use]
    pub fn code(&self) -> &str {
        self.body["code"].as_str().unwrap_or_default()
    }

    /// The order's id.
    #[must_use]
    pub fn id(&self) -> String {
        self.body["id"].as_str().unwrap_or_else(|| panic!("no order: {self:?}")).to_owned()
    }
}

impl Shop {
    /// A new tenant with a token that reads and writes.
    pub async fn open() -> Self {
        Self::with_scope("orders:read orders:write").await
    }

    /// A new tenant with a token of this scope.
    pub async fn with_scope(scope: &str) -> Self {
        let tenant = format!("t-{}", Uuid::new_v4().simple());
        let partners = Partners::of(&tenant);
        let token = partners.token(json!({"tenant": tenant, "sub": "suite", "scope": scope})).await;
        let (events, client) = (Events::new(), client(&token));
        Self { tenant, partners, events, client, http: http(), api: setting("API_URL"), token }
    }

    /// The same storefront with another token.
    #[must_use]
    pub fn with_token(&self, token: impl Into<String>) -> Self {
        let token = token.into();
        Self { client: client(&token), token, ..self.clone() }
    }

    /// A product that no other test knows, with this many units at 10.00 EUR.
    pub async fn product(&self, units: u64) -> String {
        let id = format!("p-{}", Uuid::new_v4().simple());
        self.partners.stock(&id, units, 1_000, "EUR").await;
        id
    }

    /// An order for `cust-1` with these products; must be accepted and confirmed.
    pub async fn buy(&self, lines: &[(&str, u32)]) -> Order {
        let wanted = lines.iter().fold(NewOrder::new("cust-1"), |order, (product, units)| order.line(*product, *units));
        let order = self.client.place_order(&wanted).await.expect("an order").order;
        assert_eq!(order.status, Status::Confirmed, "{order:?}");
        order
    }

    /// Moves an order, again and again until its reservation is confirmed.
    pub async fn moved(&self, order: impl Into<Target>, status: Status) -> Order {
        let target = order.into();
        let result = eventually("the confirmation of the reservation", || async {
            let result = self.client.move_order(target, status.clone()).await;
            let is_early = |error: &Error| error.problem_kind() == Some(&ProblemKind::ReservationUnconfirmed);
            Some(result).filter(|result| !result.as_ref().is_err_and(is_early))
        });
        result.await.expect("the order moves")
    }

    /// The token.
    #[must_use]
    pub fn token(&self) -> &str {
        &self.token
    }

    /// A request with the shop's token.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.http.request(method, format!("{}{path}", self.api));
        if self.token.is_empty() { request } else { request.bearer_auth(&self.token) }
    }

    /// The same request, with this value of its `Authorization` header; none: without one.
    pub fn with_authorization(&self, method: Method, path: &str, values: &[&str]) -> RequestBuilder {
        let request = self.http.request(method, format!("{}{path}", self.api));
        values.iter().fold(request, |request, value| request.header("Authorization", value.as_bytes()))
    }

    /// Sends a request.
    pub async fn send(&self, request: RequestBuilder) -> Answer {
        let answer = request.send().await.expect("the API answers");
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        let bytes = answer.bytes().await.expect("a whole body");
        let text = || Some(String::from_utf8_lossy(&bytes).into_owned()).filter(|text| !text.is_empty());
        let body = serde_json::from_slice(&bytes).unwrap_or_else(|_| text().map_or(Value::Null, Value::String));
        Answer { status, headers, body }
    }

    /// `GET path`
    pub async fn get(&self, path: &str) -> Answer {
        self.send(self.request(Method::GET, path)).await
    }

    /// `PUT path` with a JSON body.
    pub async fn put(&self, path: &str, body: &Value) -> Answer {
        self.send(self.request(Method::PUT, path).json(body)).await
    }

    /// `PUT path`, sent again, as `Retry-After` asks for, until the order's reservation is confirmed.
    pub async fn put_once_confirmed(&self, path: &str, body: &Value) -> Answer {
        eventually("the confirmation of the reservation", || async {
            Some(self.put(path, body).await).filter(|answer| answer.code() != "reservation_unconfirmed")
        })
        .await
    }

    /// `PUT /orders/{id}/status`
    pub async fn move_to(&self, id: &str, status: &str) -> Answer {
        self.put_once_confirmed(&format!("/orders/{id}/status"), &json!({"status": status})).await
    }

    /// `DELETE path`
    pub async fn delete(&self, path: &str) -> Answer {
        self.send(self.request(Method::DELETE, path)).await
    }

    /// `POST /orders` with an idempotency key.
    pub async fn place(&self, key: &str, body: &Value) -> Answer {
        let request = self.request(Method::POST, "/orders").header("Idempotency-Key", key);
        self.send(request.json(body)).await
    }

    /// `POST /orders/batch` with an idempotency key.
    pub async fn place_batch(&self, key: &str, orders: &[Value]) -> Answer {
        let request = self.request(Method::POST, "/orders/batch").header("Idempotency-Key", key);
        self.send(request.json(&json!({"orders": orders}))).await
    }

    /// `POST /exports` with an idempotency key.
    pub async fn export(&self, key: &str, body: &Value) -> Answer {
        let request = self.request(Method::POST, "/exports").header("Idempotency-Key", key);
        self.send(request.json(body)).await
    }

    /// `GET /exports/{export_id}`, again and again until the file is there.
    pub async fn exported(&self, id: &str) -> Answer {
        eventually("the export", || async {
            let answer = self.get(&format!("/exports/{id}")).await;
            assert!(answer.status == 200 && answer.body["status"] != "failed", "{answer:?}");
            Some(answer).filter(|answer| answer.body["status"] == "succeeded")
        })
        .await
    }

    /// The file of an export that is there, downloaded without a token.
    pub async fn download(&self, export: &Answer) -> String {
        let url = export.body["download"]["url"].as_str().expect("a link");
        let answer = self.http.get(url).send().await.expect("an answer");
        assert_eq!(answer.status().as_u16(), 200, "{answer:?}");
        answer.text().await.expect("text")
    }

    /// `POST /orders` for `cust-1` with these products, under a new key; must be accepted.
    pub async fn order(&self, lines: &[(&str, u64)]) -> Answer {
        let answer = self.place(&Uuid::new_v4().to_string(), &order_of(lines)).await;
        assert_eq!(answer.status, 201, "{answer:?}");
        answer
    }
}

fn client(token: &str) -> order_service_client::Client {
    let timeouts = Timeouts { attempt: DEADLINE, call: DEADLINE, ..Timeouts::default() };
    let builder = order_service_client::Client::builder(setting("API_URL")).token(Token::new(token));
    builder.retries(Retries::none()).timeouts(timeouts).build().expect("a client")
}

/// Why the service refused.
///
/// # Panics
/// When it did not.
pub fn refusal<T: std::fmt::Debug>(result: Result<T, Error>) -> ProblemKind {
    let error = result.expect_err("the service refuses");
    error.problem_kind().cloned().unwrap_or_else(|| panic!("no problem: {error:?}"))
}

/// The body of an order for `cust-1` with these products and quantities, and something of a person in every field.
#[must_use]
pub fn order_of(lines: &[(&str, u64)]) -> Value {
    let lines: Vec<Value> =
        lines.iter().map(|(product, quantity)| json!({"product_id": product, "quantity": quantity})).collect();
    let mut order = json!({"customer_id": "cust-1", "lines": lines});
    order.as_object_mut().expect("an object").extend(personal().as_object().cloned().unwrap_or_default());
    order
}

/// Asks for the report of what is ordered today. A test may run at midnight, and the clock of the stack be ahead.
#[must_use]
pub fn report_query(group_by: GroupBy) -> ReportQuery {
    let today = OffsetDateTime::now_utc().date();
    ReportQuery::new(today - Duration::DAY, today + Duration::DAY).group_by(group_by)
}

/// The path of the same report.
#[must_use]
pub fn report_path(group_by: GroupBy) -> String {
    let ReportQuery { from, to, group_by, .. } = report_query(group_by);
    format!("/reports/orders?from={from}&to={to}&group_by={group_by}")
}
