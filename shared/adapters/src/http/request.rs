//! A request as handlers see it: parsed piece by piece, each with its own problem.

use domain::caller::{Caller, Scope};
use domain::history::Stamp;
use domain::id::{OrderId, TenantId};
use domain::ports::Clock;
use domain::trace::TraceParent;
use domain::use_cases::Target;
use lambda_http::aws_lambda_events::query_map::QueryMap;
use lambda_http::http::HeaderValue;
use lambda_http::http::header::GetAll;
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

    /// Every field of a header.
    pub(super) fn fields(&self, name: &str) -> GetAll<'_, HeaderValue> {
        self.inner.headers().get_all(name)
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
