//! What the tests of the functions share: sample events, replies taken apart, a token issuer.

#![expect(clippy::expect_used, clippy::missing_panics_doc, reason = "a test that cannot be set up must fail")]

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, OnceLock};
use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use lambda_http::http::HeaderMap;
use lambda_http::request::LambdaRequest;
use lambda_http::{Body, Context, RequestExt};
use ring::rand::SystemRandom;
use ring::signature::{Ed25519KeyPair, KeyPair};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::dead_letters::{DeadLetters, NotBuried, Unreadable};
use crate::http::headers::every_header;
use crate::http::{ApiRequest, Problem, Reply};
use crate::token::{ClaimNames, Jwks, KeySet, TokenConfig, TokenVerifier};

/// The text of `events/<name>.json`.
#[must_use]
pub fn sample_text(name: &str) -> String {
    let path = format!("{}/../../events/{name}.json", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(path).expect("the sample event can be read")
}

/// The event in `events/<name>.json`.
#[must_use]
pub fn sample_event<T: DeserializeOwned>(name: &str) -> T {
    serde_json::from_str(&sample_text(name)).expect("the sample event has the shape of its kind")
}

/// The request in `events/<name>.json`.
#[must_use]
pub fn sample_request(name: &str) -> ApiRequest {
    ApiRequest::new(every_header(sample_event(name)).into())
}

/// The request in `events/<name>.json`, changed, as Lambda hands it over under this request id.
#[must_use]
pub fn attempt(name: &str, lambda_request_id: &str, change: impl FnOnce(&mut Value)) -> ApiRequest {
    let mut event: Value = sample_event(name);
    change(&mut event);
    let request: LambdaRequest = serde_json::from_value(event).expect("the changed event is a request");
    let request = lambda_http::Request::from(every_header(request));
    ApiRequest::new(request.with_lambda_context(lambda_context(lambda_request_id)))
}

/// What Lambda says of a request besides the event.
#[must_use]
pub fn lambda_context(request_id: &str) -> Context {
    let mut context = Context::default();
    context.request_id = request_id.to_owned();
    context
}

/// Status, headers and JSON body of what a handler answers; other text is a string, and no body is `null`.
#[must_use]
pub fn parts(outcome: Result<Reply, Problem>) -> (u16, HeaderMap, Value) {
    let response = outcome.map_or_else(|problem| problem.into_response("test", "/test"), Reply::into_response);
    let (parts, body) = response.into_parts();
    let body = match body {
        Body::Text(text) => serde_json::from_str(&text).unwrap_or(Value::String(text)),
        _ => Value::Null,
    };
    (parts.status.as_u16(), parts.headers, body)
}

/// What a client gets, as text: status, headers and body, with what differs from run to run replaced.
#[must_use]
pub fn shape(outcome: Result<Reply, Problem>) -> String {
    let (status, headers, mut body) = parts(outcome);
    let header = |name: &lambda_http::http::HeaderName| {
        let values: Vec<_> =
            headers.get_all(name).iter().map(|value| String::from_utf8_lossy(value.as_bytes())).collect();
        format!("{name}: {}\n", values.join(", "))
    };
    let mut lines: Vec<String> = headers.keys().map(header).collect();
    lines.sort();
    let cursor = body.pointer("/page/next_cursor").and_then(Value::as_str).map(ToOwned::to_owned);
    replace_what_differs(&mut body);
    let body = match body {
        Value::Null => String::new(),
        Value::String(text) => text,
        json => pretty(&json),
    };
    let text = format!("{status}\n{}\n{body}", lines.concat());
    cursor.map_or_else(|| text.clone(), |cursor| text.replace(&cursor, "<cursor>"))
}

/// JSON for people, members by name whatever the map of the build keeps.
#[must_use]
pub fn pretty(value: &Value) -> String {
    serde_json::to_string_pretty(&sorted(value)).expect("JSON")
}

fn sorted(value: &Value) -> Value {
    match value {
        Value::Object(members) => {
            let mut members: Vec<_> = members.iter().map(|(name, value)| (name.clone(), sorted(value))).collect();
            members.sort_by(|(one, _), (other, _)| one.cmp(other));
            Value::Object(members.into_iter().collect())
        }
        Value::Array(items) => items.iter().map(sorted).collect(),
        value => value.clone(),
    }
}

/// Times and the ids of requests.
fn replace_what_differs(value: &mut Value) {
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                match name.as_str() {
                    "at" | "created_at" | "expires_at" | "updated_at" => *value = "<time>".into(),
                    "request_id" => *value = "<request id>".into(),
                    _ => replace_what_differs(value),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(replace_what_differs),
        _ => {}
    }
}

/// An issuer of tokens with a key of its own.
#[derive(Debug)]
pub struct TestIssuer;

const ISSUER: &str = "https://issuer.example";
const AUDIENCE: &str = "orders";
const KEY_ID: &str = "test";

impl TestIssuer {
    /// A verifier that accepts this issuer's tokens.
    #[must_use]
    pub fn verifier() -> TokenVerifier {
        let point = URL_SAFE_NO_PAD.encode(own_key().public_key());
        let published = json!({"keys": [{"kty": "OKP", "crv": "Ed25519", "kid": KEY_ID, "x": point}]});
        let keys: KeySet = serde_json::from_value(published).expect("keys");
        TokenVerifier::new(TokenConfig {
            issuer: ISSUER.to_owned(),
            audience: AUDIENCE.to_owned(),
            names: ClaimNames::default(),
            keys: Jwks::inline(keys),
        })
    }

    /// A token with these claims beside `iss`, `aud` and an `exp` five minutes on, which they may override.
    #[must_use]
    pub fn token(claims: &Value) -> String {
        sign("EdDSA", claims, |message| own_key().sign(message))
    }

    /// The same, signed by another issuer's key under the same key id.
    #[must_use]
    pub fn foreign_token(claims: &Value) -> String {
        sign("EdDSA", claims, |message| new_key().sign(message))
    }
}

fn own_key() -> &'static Ed25519KeyPair {
    static KEY: OnceLock<Ed25519KeyPair> = OnceLock::new();
    KEY.get_or_init(new_key)
}

fn new_key() -> Ed25519KeyPair {
    let document = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).expect("randomness");
    Ed25519KeyPair::from_pkcs8(document.as_ref()).expect("a key pair")
}

fn sign<S: AsRef<[u8]>>(algorithm: &str, claims: &Value, signature: impl FnOnce(&[u8]) -> S) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("a time after 1970").as_secs();
    let mut all = json!({"iss": ISSUER, "aud": AUDIENCE, "exp": now + 300});
    let (Some(all_members), Some(members)) = (all.as_object_mut(), claims.as_object()) else { return String::new() };
    all_members.extend(members.clone());
    let part = |part: &Value| URL_SAFE_NO_PAD.encode(part.to_string());
    let message = format!("{}.{}", part(&json!({"typ": "JWT", "alg": algorithm, "kid": KEY_ID})), part(&all));
    let signature = URL_SAFE_NO_PAD.encode(signature(message.as_bytes()));
    format!("{message}.{signature}")
}

/// Dead letters in memory.
#[derive(Debug, Default)]
pub struct MemoryDeadLetters {
    buried: Mutex<Vec<Unreadable>>,
    is_down: AtomicBool,
}

impl MemoryDeadLetters {
    /// What was set aside.
    #[must_use]
    pub fn buried(&self) -> Vec<Unreadable> {
        self.buried.lock().expect("no test panics while it holds this").clone()
    }

    /// Makes the queue unavailable, or available again.
    pub fn set_down(&self, is_down: bool) {
        self.is_down.store(is_down, Ordering::SeqCst);
    }
}

impl DeadLetters for MemoryDeadLetters {
    async fn bury(&self, record: &Unreadable) -> Result<(), NotBuried> {
        if self.is_down.load(Ordering::SeqCst) {
            return Err(NotBuried("switched off".to_owned()));
        }
        self.buried.lock().expect("no test panics while it holds this").push(record.clone());
        Ok(())
    }
}
