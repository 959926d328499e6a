//! A request as handlers see it: parsed piece by piece, each with its own problem.

use domain::caller::{Caller, Scope};
use domain::history::Stamp;
use domain::id::{IdempotencyKey, OrderId, TenantId};
use domain::ports::Clock;
use domain::trace::TraceParent;
use domain::use_cases::{IfMatch, Target};
use lambda_http::aws_lambda_events::query_map::QueryMap;
use lambda_http::http::HeaderValue;
use lambda_http::request::RequestContext;
use lambda_http::{Request, RequestExt};
use serde::de::DeserializeOwned;
use uuid::Uuid;

use super::{body, caller};
use crate::outbound::CallScope;
use crate::problem::{Code, Problem};
use crate::system::SystemClock;
use crate::telemetry;

/// One HTTP request from API Gateway (REST or payload 2.0).
#[derive(Debug)]
pub struct ApiRequest {
    inner: Request,
    attempt_id: String,
    trace: Option<TraceParent>,
}

impl ApiRequest {
    /// Wraps a request.
    #[must_use]
    pub fn new(inner: Request) -> Self {
        let context = inner.lambda_context_ref();
        let lambda_request_id = context.map(|context| context.request_id.clone()).filter(|id| !id.is_empty());
        let attempt_id = lambda_request_id.unwrap_or_else(|| Uuid::now_v7().to_string());
        let caller = inner.headers().get("traceparent").and_then(|value| value.to_str().ok());
        let xray = context.and_then(|context| context.xray_trace_id.as_deref());
        let trace = telemetry::trace_of(caller, xray, &attempt_id);
        Self { inner, attempt_id, trace }
    }

    /// What tells this attempt from every other: Lambda's own id of the request, which no client can choose; a fresh
    /// one where there is none.
    #[must_use]
    pub fn attempt_id(&self) -> &str {
        &self.attempt_id
    }

    /// API Gateway's id of the request, for logs and answers only: a client can choose it (`x-amzn-RequestId`). Lambda's
    /// where there is none, or one that no gateway would make.
    #[must_use]
    pub fn request_id(&self) -> String {
        let from_gateway = self.inner.request_context_ref().and_then(|context| match context {
            RequestContext::ApiGatewayV1(context) => context.request_id.clone(),
            RequestContext::ApiGatewayV2(context) => context.request_id.clone(),
            _ => None,
        });
        from_gateway.filter(|id| is_plain(id)).unwrap_or_else(|| self.attempt_id.clone())
    }

    /// The bounds of the partner calls of this request.
    #[must_use]
    pub fn call_scope(&self) -> CallScope {
        CallScope::of_request(self.inner.lambda_context_ref())
    }

    /// The trace that the request is part of: its caller's (`traceparent`), or X-Ray's, or its own.
    #[must_use]
    pub const fn trace(&self) -> Option<TraceParent> {
        self.trace
    }

    /// The route as the template has it, such as `GET /orders/{id}`; `unknown` where there is no gateway.
    #[must_use]
    pub fn route(&self) -> String {
        let route = self.inner.request_context_ref().and_then(|context| match context {
            RequestContext::ApiGatewayV1(context) => {
                Some(format!("{} {}", context.http_method, context.resource_path.as_deref()?))
            }
            RequestContext::ApiGatewayV2(context) => context.route_key.clone().filter(|key| key.contains('/')),
            _ => None,
        });
        route.unwrap_or_else(|| "unknown".to_owned())
    }

    /// The caller's tenant, when there is a caller.
    #[must_use]
    pub fn tenant(&self) -> Option<TenantId> {
        caller::from_context(self.inner.request_context_ref(), SystemClock.now()).ok().map(|caller| caller.tenant)
    }

    /// The path of the route as the template has it, such as `/orders/{id}`; API Gateway alone tells it.
    pub(super) fn path_of_route(&self) -> Option<&str> {
        match self.inner.request_context_ref() {
            Some(RequestContext::ApiGatewayV1(context)) => context.resource_path.as_deref(),
            _ => None,
        }
    }

    /// The HTTP method.
    pub(super) fn method(&self) -> &str {
        self.inner.method().as_str()
    }

    /// The path as the client sees it, stage included: for its answer alone, not for logs.
    #[must_use]
    pub fn path(&self) -> &str {
        let from_gateway = match self.inner.request_context_ref() {
            Some(RequestContext::ApiGatewayV1(context)) => context.path.as_deref(),
            _ => None,
        };
        from_gateway.unwrap_or_else(|| self.inner.raw_http_path())
    }

    /// Path and query string as the client sees them, stage included.
    #[must_use]
    pub fn path_and_query(&self) -> String {
        let uri = self.inner.uri();
        uri.path_and_query().map_or_else(|| uri.path().to_owned(), ToString::to_string)
    }

    /// The caller, when its token holds the scope.
    ///
    /// # Errors
    /// [`Code::Unauthenticated`] or [`Code::InsufficientScope`].
    pub fn caller(&self, scope: Scope) -> Result<Caller, Problem> {
        let caller = caller::from_context(self.inner.request_context_ref(), SystemClock.now())?;
        caller.require(scope)?;
        Ok(caller)
    }

    /// The order id in the path.
    ///
    /// # Errors
    /// [`Code::OrderNotFound`]: what is not an id names no order.
    pub fn order_id(&self) -> Result<OrderId, Problem> {
        let id = self.path_parameter("id").unwrap_or_default();
        OrderId::parse(id).map_err(|_| Problem::new(Code::OrderNotFound))
    }

    /// What stands in the path where the route has `{name}`.
    pub(super) fn path_parameter(&self, name: &str) -> Option<&str> {
        self.inner.path_parameters_ref().and_then(|parameters| parameters.first(name))
    }

    /// The `Idempotency-Key` header.
    ///
    /// # Errors
    /// [`Code::InvalidIdempotencyKey`].
    pub fn idempotency_key(&self) -> Result<Option<IdempotencyKey>, Problem> {
        let Some(value) = self.single("idempotency-key", Code::InvalidIdempotencyKey)? else { return Ok(None) };
        let key = IdempotencyKey::parse(value.to_str().unwrap_or("\u{fffd}"));
        key.map(Some).map_err(|invalid| Problem::new(Code::InvalidIdempotencyKey).detail(invalid.detail))
    }

    /// The versions that the `If-Match` header accepts. Entity tags that no version has never match (RFC 9110 §13.1.1).
    ///
    /// # Errors
    /// [`Code::InvalidIfMatch`] for a header that is given twice.
    pub fn if_match(&self) -> Result<IfMatch, Problem> {
        let Some(header) = self.single("if-match", Code::InvalidIfMatch)? else { return Ok(IfMatch::Any) };
        let header = header.to_str().unwrap_or_default().trim();
        if header == "*" {
            return Ok(IfMatch::Any);
        }
        let version = |tag: &str| {
            let digits = tag.trim().strip_prefix('"')?.strip_suffix('"')?;
            digits.parse().ok().filter(|version: &u64| version.to_string() == digits)
        };
        Ok(IfMatch::Versions(header.split(',').filter_map(version).collect()))
    }

    /// A header that may be given once: of two, neither is taken.
    fn single(&self, name: &str, code: Code) -> Result<Option<&HeaderValue>, Problem> {
        let mut values = self.inner.headers().get_all(name).iter();
        match (values.next(), values.next()) {
            (value, None) => Ok(value),
            (_, Some(_)) => Err(Problem::new(code).detail("must be given once")),
        }
    }

    /// The entity tags of the `If-None-Match` header, as one list.
    #[must_use]
    pub fn if_none_match(&self) -> Option<String> {
        self.list("if-none-match")
    }

    /// A header that is a list, whose fields are one list together (RFC 9110 §5.3).
    fn list(&self, name: &str) -> Option<String> {
        let fields = self.inner.headers().get_all(name).iter();
        let fields: Vec<&str> = fields.map(|field| field.to_str().unwrap_or_default()).collect();
        (!fields.is_empty()).then(|| fields.join(", "))
    }

    /// The order that this request wants to change, for a caller whose token may write.
    ///
    /// # Errors
    /// As [`ApiRequest::caller`] and [`ApiRequest::order_id`]; [`Code::InvalidIfMatch`].
    pub fn target(&self, clock: &impl Clock) -> Result<Target, Problem> {
        let caller = self.caller(Scope::Write)?;
        let stamp = self.stamp(&caller, clock);
        Ok(Target { caller, id: self.order_id()?, if_match: self.if_match()?, stamp })
    }

    /// The query string.
    pub(super) fn query(&self) -> Option<&QueryMap> {
        self.inner.query_string_parameters_ref()
    }

    /// Whether the client prefers a cheaper read that may miss the last writes (RFC 7240): `Prefer: consistency=eventual`.
    #[must_use]
    pub fn prefers_eventual_consistency(&self) -> bool {
        let headers = self.inner.headers().get_all("prefer").iter().filter_map(|value| value.to_str().ok());
        let mut preferences = headers.flat_map(|header| header.split(','));
        preferences.any(|preference| {
            let words = preference.split(';').next().unwrap_or_default().split_once('=');
            words.is_some_and(|(name, value)| {
                name.trim().eq_ignore_ascii_case("consistency") && value.trim().trim_matches('"') == "eventual"
            })
        })
    }

    /// A header that is readable text.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.inner.headers().get(name).and_then(|value| value.to_str().ok())
    }

    /// The JSON body.
    ///
    /// # Errors
    /// [`Code::UnsupportedMediaType`], [`Code::BodyTooLarge`], [`Code::InvalidJson`], [`Code::ValidationFailed`].
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, Problem> {
        body::parse(self.header("content-type"), self.inner.body().as_ref())
    }

    /// What the order's history says of this request.
    #[must_use]
    pub fn stamp(&self, caller: &Caller, clock: &impl Clock) -> Stamp {
        Stamp { at: clock.now(), actor: caller.subject.clone(), request_id: self.attempt_id.clone(), trace: self.trace }
    }
}

/// 1 to 64 letters, digits and hyphens.
fn is_plain(id: &str) -> bool {
    (1..=64).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

#[cfg(test)]
mod tests {
    use domain::id::CustomerId;
    use domain::memory::sample;
    use lambda_http::Context;
    use serde_json::{Value, json};

    use super::*;
    use crate::testing;

    fn attempt_of(request: &ApiRequest) -> String {
        request.stamp(&sample::caller(), &SystemClock).request_id
    }

    #[test]
    fn lambdas_request_id_names_the_attempt_and_api_gateways_the_answer() {
        let request = testing::attempt("get-order", "lambda", |event| {
            event["requestContext"]["requestId"] = "gateway".into();
        });
        assert_eq!((attempt_of(&request), request.request_id()), ("lambda".to_owned(), "gateway".to_owned()));
        let direct = ApiRequest::new(Request::default().with_lambda_context(testing::lambda_context("lambda")));
        assert_eq!((attempt_of(&direct), direct.request_id()), ("lambda".to_owned(), "lambda".to_owned()));
    }

    fn with_header(name: &str, values: &[&str]) -> ApiRequest {
        testing::attempt("update-status", "lambda", |event| event["multiValueHeaders"][name] = values.into())
    }

    #[test]
    fn if_match_names_versions_as_the_etag_does() {
        let versions =
            |header: &str| with_header("if-match", &[header]).target(&SystemClock).map(|target| target.if_match);
        assert_eq!(versions("*").unwrap(), IfMatch::Any);
        assert_eq!(versions("\"25\", \"7\"").unwrap(), IfMatch::Versions(vec![25, 7]));
        for never in ["\"+25\"", "\"025\"", "\" 25\"", "25", "W/\"25\"", "\"\"", "\"x\"", "\"99999999999999999999\""] {
            assert_eq!(versions(never).unwrap(), IfMatch::Versions(vec![]), "{never}");
        }
    }

    #[test]
    fn a_client_may_prefer_an_eventually_consistent_read() {
        let prefers = |values: &[&str]| with_header("prefer", values).prefers_eventual_consistency();
        for preferred in [
            &["consistency=eventual"][..],
            &["Consistency = \"eventual\""],
            &["respond-async, consistency=eventual"],
            &["respond-async", "consistency=eventual; x=y"],
        ] {
            assert!(prefers(preferred), "{preferred:?}");
        }
        for other in [&[][..], &["consistency=strong"], &["consistency"], &["eventual"], &["x=consistency=eventual"]] {
            assert!(!prefers(other), "{other:?}");
        }
    }

    #[test]
    fn a_header_that_counts_is_given_once() {
        let twice = with_header("if-match", &["\"1\"", "\"2\""]).target(&SystemClock);
        assert_eq!(twice.unwrap_err().code().as_str(), "invalid_if_match");
        let twice = with_header("idempotency-key", &["a", "b"]).idempotency_key();
        assert_eq!(twice.unwrap_err().code().as_str(), "invalid_idempotency_key");
    }

    #[test]
    fn the_path_is_the_one_that_the_client_sees() {
        let request = testing::sample_request("get-order");
        assert_eq!(request.path(), "/v1/orders/0192f0c1-7a3e-7cc0-8000-000000000001");
    }

    #[test]
    fn a_token_that_expired_while_the_authorizers_answer_was_kept_is_refused() {
        let now = SystemClock.now().as_millis() / 1_000;
        let with_expiry = |expiry: serde_json::Value| {
            let request = testing::attempt("get-order", "lambda", |event| {
                event["requestContext"]["authorizer"]["exp"] = expiry;
            });
            request.caller(Scope::Read).map(drop).map_err(|problem| problem.code())
        };
        assert_eq!(with_expiry((now + 5).to_string().into()), Ok(()));
        assert_eq!(with_expiry((now - 25).to_string().into()), Ok(()), "clocks may differ");
        for expired in [(now - 31).to_string().into(), "".into(), "soon".into(), serde_json::Value::Null] {
            assert_eq!(with_expiry(expired), Err(Code::Unauthenticated));
        }
    }

    #[test]
    fn what_cannot_be_read_of_the_authorizers_answer_is_refused_and_never_passed_over() {
        let caller = |name: &str, value: Value| {
            let request = testing::attempt("get-order", "lambda", |event| {
                event["requestContext"]["authorizer"][name] = value;
            });
            request.caller(Scope::Read).map_err(|problem| problem.code())
        };
        let confined = caller("customer_id", "cust-1".into()).unwrap().customer;
        assert_eq!(confined.as_ref().map(CustomerId::as_str), Some("cust-1"));
        for name in ["customer_id", "tenant", "sub"] {
            for wrong in [json!(""), json!(7), json!(["cust-1"]), Value::Null] {
                assert_eq!(caller(name, wrong.clone()), Err(Code::Unauthenticated), "{name} {wrong}");
            }
        }
        for wrong in [json!("#"), json!("a/b")] {
            assert_eq!(caller("customer_id", wrong.clone()), Err(Code::Unauthenticated), "{wrong}");
            assert_eq!(caller("tenant", wrong.clone()), Err(Code::Unauthenticated), "{wrong}");
        }
        for wrong in [json!(""), json!("Orders:Read"), json!("orders:read\torders:write"), json!(7), Value::Null] {
            assert_eq!(caller("scope", wrong.clone()), Err(Code::InsufficientScope), "{wrong}");
        }
    }

    /// A request with these fields of one header.
    fn with_fields(name: &'static str, fields: &[&str]) -> ApiRequest {
        let mut request = Request::default();
        for field in fields {
            request.headers_mut().append(name, field.parse().unwrap());
        }
        ApiRequest::new(request)
    }

    #[test]
    fn a_request_has_one_if_match_header() {
        let versions = |fields: &[&str]| with_fields("if-match", fields).if_match().map_err(|no| no.code());
        assert_eq!(versions(&[]), Ok(IfMatch::Any));
        assert_eq!(versions(&["*"]), Ok(IfMatch::Any));
        assert_eq!(versions(&["\"1\", \"2\""]), Ok(IfMatch::Versions(vec![1, 2])));
        assert_eq!(versions(&["W/\"1\""]), Ok(IfMatch::Versions(Vec::new())));
        for several in [["\"1\"", "\"2\""], ["*", "*"], ["\"1\"", ""]] {
            assert_eq!(versions(&several), Err(Code::InvalidIfMatch), "{several:?}");
        }
    }

    #[test]
    fn fields_of_if_none_match_are_one_list() {
        let known = with_fields("if-none-match", &["\"1\"", "\"2\""]).if_none_match();
        assert_eq!(known.as_deref(), Some("\"1\", \"2\""));
        assert_eq!(with_fields("if-none-match", &[]).if_none_match(), None);
    }

    #[test]
    fn a_request_has_one_idempotency_key() {
        let key = |fields: &[&str]| with_fields("idempotency-key", fields).idempotency_key().map_err(|no| no.code());
        assert_eq!(key(&[]), Ok(None));
        assert_eq!(key(&["a"]).unwrap().unwrap().as_str(), "a");
        for several in [["a", "b"], ["a", "a"]] {
            assert_eq!(key(&several), Err(Code::InvalidIdempotencyKey), "{several:?}");
        }
    }

    #[test]
    fn requests_without_an_id_are_different_attempts() {
        let without = || ApiRequest::new(Request::default());
        let empty = || ApiRequest::new(Request::default().with_lambda_context(Context::default()));
        let requests = [without(), without(), empty(), empty()];
        let attempts: std::collections::BTreeSet<String> = requests.iter().map(attempt_of).collect();
        assert_eq!(attempts.len(), requests.len());
        assert!(requests.iter().all(|request| attempt_of(request) == request.attempt_id()));
    }
}
