//! What a client sends: bodies, query strings, cursors, keys and entity tags.

use std::collections::HashMap;
use std::fmt::Debug;
use std::sync::LazyLock;

use adapters::http::{ApiRequest, Cursors, Problem, Reply};
use adapters::wire::{CreateExport, CreateOrder, UpdateOrder, UpdateShipping, UpdateStatus};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::draft::OrderDraft;
use domain::id::{IdempotencyKey, OrderId};
use domain::listing::{Filter, Limit, ListQuery, Position};
use domain::memory::sample;
use domain::order::Order;
use domain::timestamp::Timestamp;
use domain::use_cases::{IfMatch, ListRequest};
use lambda_http::http::HeaderValue;
use lambda_http::{Body, Request, RequestExt};
use serde_json::Value;

/// The bodies of all routes. One that is accepted means the same when its JSON is written another way.
pub fn body(data: &[u8]) {
    let json: Option<Value> = serde_json::from_slice(data).ok();
    let again = json.map(|json| json.to_string().into_bytes());
    means_the_same(data, again.as_deref(), |request| request.json::<CreateOrder>()?.into_draft());
    means_the_same(data, again.as_deref(), drafts_of_batch);
    means_the_same(data, again.as_deref(), |request| request.json::<CreateExport>()?.into_request());
    means_the_same(data, again.as_deref(), |request| Ok(format!("{:?}", request.json::<UpdateOrder>()?)));
    means_the_same(data, again.as_deref(), |request| Ok(format!("{:?}", request.json::<UpdateShipping>()?)));
    means_the_same(data, again.as_deref(), |request| Ok(format!("{:?}", request.json::<UpdateStatus>()?)));
}

/// What each order of a batch asks for; `None` of one that is refused.
fn drafts_of_batch(request: &ApiRequest) -> Result<Vec<Option<OrderDraft>>, Problem> {
    let orders = request.batch()?.into_iter();
    Ok(orders.map(|order| accepted(order.and_then(CreateOrder::into_draft))).collect())
}

fn means_the_same<T: PartialEq + Debug>(
    data: &[u8],
    again: Option<&[u8]>,
    parse: impl Fn(&ApiRequest) -> Result<T, Problem>,
) {
    if let Some(first) = accepted(parse(&with_body(data))) {
        assert_eq!(accepted(parse(&with_body(again.unwrap()))), Some(first));
    }
}

fn with_body(data: &[u8]) -> ApiRequest {
    let mut request = Request::new(Body::Binary(data.to_vec()));
    request.headers_mut().insert("content-type", HeaderValue::from_static("application/json"));
    ApiRequest::new(request)
}

/// What was accepted. A refusal is the client's fault.
fn accepted<T>(outcome: Result<T, Problem>) -> Option<T> {
    match outcome {
        Ok(value) => Some(value),
        Err(problem) => {
            assert!(problem.into_response("id", "/orders").status().is_client_error());
            None
        }
    }
}

/// `name=value` lines. What is accepted is accepted again as this service would write it.
pub fn query(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let mut parameters: HashMap<String, Vec<String>> = HashMap::new();
    for line in text.lines() {
        let (name, value) = line.split_once('=').unwrap_or((line, ""));
        parameters.entry(name.to_owned()).or_default().push(value.to_owned());
    }
    if let Some((list, cursor)) = accepted(list_request(parameters)) {
        assert_eq!(accepted(list_request(written(&list, cursor.as_deref()))), Some((list, cursor)));
    }
}

fn list_request(parameters: HashMap<String, Vec<String>>) -> Result<(ListRequest, Option<String>), Problem> {
    ApiRequest::new(Request::default().with_query_string_parameters(parameters)).list_request()
}

fn written(list: &ListRequest, cursor: Option<&str>) -> HashMap<String, Vec<String>> {
    let parameters = [
        ("status", list.status.map(|status| status.as_str().to_owned())),
        ("customer_id", list.customer.as_ref().map(ToString::to_string)),
        ("created_after", list.created_after.map(|at| at.to_string())),
        ("created_before", list.created_before.map(|at| at.to_string())),
        ("limit", Some(list.limit.get().to_string())),
        ("cursor", cursor.map(ToOwned::to_owned)),
    ];
    let given = parameters.into_iter().filter_map(|(name, value)| Some((name.to_owned(), vec![value?])));
    given.collect()
}

static CURSORS: LazyLock<Cursors> = LazyLock::new(|| Cursors::new("a secret of at least 32 characters").unwrap());

/// The list whose cursors are forged.
static LIST: LazyLock<ListQuery> = LazyLock::new(|| ListQuery {
    tenant: sample::tenant(),
    filter: Filter::All,
    created_after: None,
    created_before: None,
    after: None,
    limit: Limit::default(),
});

/// A place, then what a forger changes of its cursor: only the cursor itself leads back to the place.
pub fn cursor(data: &[u8]) {
    let (cursors, query) = (&*CURSORS, &*LIST);
    if let Ok(text) = std::str::from_utf8(data)
        && let Some(place) = accepted(cursors.read(query, text))
    {
        assert_eq!(cursors.write(query, place), text);
    }
    let Some((millis, rest)) = data.split_first_chunk::<8>() else { return };
    let place = Position { created_at: Timestamp::from_millis(i64::from_le_bytes(*millis)), id: sample::order_id(7) };
    let cursor = cursors.write(query, place);
    assert_eq!(accepted(cursors.read(query, &cursor)), Some(place));
    let mut forged = URL_SAFE_NO_PAD.decode(&cursor).unwrap();
    for (byte, change) in forged.iter_mut().zip(rest) {
        *byte ^= change;
    }
    let forged = URL_SAFE_NO_PAD.encode(forged);
    assert_eq!(accepted(cursors.read(query, &forged)).is_some(), forged == cursor);
}

/// A key that is accepted is the same in quotes, and names one order.
pub fn idempotency_key(data: &[u8]) {
    let Ok(header) = HeaderValue::from_bytes(data) else { return };
    let mut request = Request::default();
    request.headers_mut().insert("idempotency-key", header);
    let Some(Some(key)) = accepted(ApiRequest::new(request).idempotency_key()) else { return };
    assert!((1..=255).contains(&key.as_str().len()) && key.as_str().bytes().all(|byte| byte.is_ascii_graphic()));
    let quoted = IdempotencyKey::parse(&format!("\"{}\"", key.as_str())).unwrap();
    assert_eq!(quoted, key);
    let tenant = sample::tenant();
    let id = OrderId::derive(&tenant, None, &key);
    assert_eq!(OrderId::parse(&id.to_string()), Ok(id));
}

static ORDER: LazyLock<Order> = LazyLock::new(sample::order);

/// A list of entity tags means the same once it is written as this service writes them. A list that holds an order's tag
/// says that the client knows the order.
pub fn entity_tags(data: &[u8]) {
    let if_match = if_match(data);
    if let Some(IfMatch::Versions(versions)) = &if_match {
        let tags: Vec<String> = versions.iter().map(|version| format!("\"{version}\"")).collect();
        assert_eq!(self::if_match(tags.join(", ").as_bytes()), if_match);
    }
    let Ok(known) = std::str::from_utf8(data) else { return };
    let order = &*ORDER;
    let knows = |known: &str| Reply::order(order, Some(known)).unwrap().into_response().status().as_u16() == 304;
    let _ = knows(known);
    assert!(knows(&format!("{known}, \"{}\"", order.version)));
}

fn if_match(header: &[u8]) -> Option<IfMatch> {
    let mut request = Request::default();
    request.headers_mut().insert("if-match", HeaderValue::from_bytes(header).ok()?);
    accepted(ApiRequest::new(request).if_match())
}
