//! A request as handlers see it: parsed piece by piece, each with its own problem.

use domain::caller::{Caller, Scope};
use domain::history::Stamp;
use domain::id::{IdempotencyKey, OrderId};
use domain::ports::Clock;
use domain::use_cases::{IfMatch, ListRequest, Target};
use lambda_http::request::RequestContext;
use lambda_http::{Request, RequestExt};
use serde::de::DeserializeOwned;

use super::{body, caller, list_query};
use crate::outbound::CallScope;
use crate::problem::{Code, Problem};

/// One HTTP request from API Gateway (REST or payload 2.0).
#[derive(Debug)]
pub struct ApiRequest {
    inner: Request,
}

impl ApiRequest {
    /// Wraps a request.
    #[must_use]
    pub const fn new(inner: Request) -> Self {
        Self { inner }
    }

    /// API Gateway's id of the request; Lambda's where there is none.
    #[must_use]
    pub fn request_id(&self) -> String {
        let from_gateway = self.inner.request_context_ref().and_then(|context| match context {
            RequestContext::ApiGatewayV1(context) => context.request_id.clone(),
            RequestContext::ApiGatewayV2(context) => context.request_id.clone(),
            _ => None,
        });
        from_gateway
            .or_else(|| self.inner.lambda_context_ref().map(|context| context.request_id.clone()))
            .unwrap_or_default()
    }

    /// The bounds of the partner calls of this request.
    #[must_use]
    pub fn call_scope(&self) -> CallScope {
        CallScope::of_request(self.inner.lambda_context_ref())
    }

    /// The HTTP method.
    #[must_use]
    pub fn method(&self) -> &str {
        self.inner.method().as_str()
    }

    /// The path as the client sent it.
    #[must_use]
    pub fn path(&self) -> &str {
        self.inner.raw_http_path()
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
        let caller = caller::from_context(self.inner.request_context_ref())?;
        caller.require(scope)?;
        Ok(caller)
    }

    /// The order id in the path.
    ///
    /// # Errors
    /// [`Code::OrderNotFound`]: what is not an id names no order.
    pub fn order_id(&self) -> Result<OrderId, Problem> {
        let parameters = self.inner.path_parameters_ref();
        let id = parameters.and_then(|parameters| parameters.first("id")).unwrap_or_default();
        OrderId::parse(id).map_err(|_| Problem::new(Code::OrderNotFound))
    }

    /// The `Idempotency-Key` header.
    ///
    /// # Errors
    /// [`Code::InvalidIdempotencyKey`].
    pub fn idempotency_key(&self) -> Result<Option<IdempotencyKey>, Problem> {
        let Some(value) = self.inner.headers().get("idempotency-key") else { return Ok(None) };
        let key = IdempotencyKey::parse(value.to_str().unwrap_or("\u{fffd}"));
        key.map(Some).map_err(|invalid| Problem::new(Code::InvalidIdempotencyKey).detail(invalid.detail))
    }

    /// The versions that the `If-Match` header accepts. Entity tags that no version has never match (RFC 9110 §13.1.1).
    #[must_use]
    pub fn if_match(&self) -> IfMatch {
        let Some(header) = self.inner.headers().get("if-match") else { return IfMatch::Any };
        let header = header.to_str().unwrap_or_default().trim();
        if header == "*" {
            return IfMatch::Any;
        }
        let version = |tag: &str| tag.trim().strip_prefix('"')?.strip_suffix('"')?.parse().ok();
        IfMatch::Versions(header.split(',').filter_map(version).collect())
    }

    /// The order that this request wants to change, for a caller whose token may write.
    ///
    /// # Errors
    /// As [`ApiRequest::caller`] and [`ApiRequest::order_id`].
    pub fn target(&self, clock: &impl Clock) -> Result<Target, Problem> {
        let caller = self.caller(Scope::Write)?;
        let stamp = self.stamp(&caller, clock);
        Ok(Target { caller, id: self.order_id()?, if_match: self.if_match(), stamp })
    }

    /// What the query string asks for.
    ///
    /// # Errors
    /// [`Code::InvalidParameter`] naming every parameter that is wrong, unknown or given twice.
    pub fn list_request(&self) -> Result<(ListRequest, Option<String>), Problem> {
        list_query::parse(self.inner.query_string_parameters_ref())
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
        Stamp { at: clock.now(), actor: caller.subject.clone(), request_id: self.request_id() }
    }
}
