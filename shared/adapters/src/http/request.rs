//! A request as handlers see it: parsed piece by piece, each with its own problem.

use domain::caller::{Caller, Scope};
use domain::history::Stamp;
use domain::id::{IdempotencyKey, OrderId};
use domain::ports::Clock;
use lambda_http::request::RequestContext;
use lambda_http::{Request, RequestExt};
use serde::de::DeserializeOwned;

use super::{Code, Problem, body, caller};

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
