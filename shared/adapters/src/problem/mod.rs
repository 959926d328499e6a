//! Errors as RFC 9457 problem details: a stable code for programs, a sentence for people, nothing of the inside.

mod fields;
mod outcome;
#[cfg(feature = "schemas")]
mod schema;

use domain::id::OrderId;
use lambda_http::http::HeaderValue;
use lambda_http::http::StatusCode;
use lambda_http::http::header::{ALLOW, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use lambda_http::{Body, Response};
use serde::Serialize;
use serde_json::{Map, Value, json};

pub use fields::Fields;
#[cfg(feature = "schemas")]
pub use schema::{FIELD_CODES, ProblemView};

/// Every error code of the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Code {
    /// The body is not JSON.
    InvalidJson,
    /// The `Idempotency-Key` header is not valid.
    InvalidIdempotencyKey,
    /// There are two `If-Match` headers.
    InvalidIfMatch,
    /// A query parameter is not valid, or not known.
    InvalidParameter,
    /// No index answers this combination of filters.
    UnsupportedFilter,
    /// The cursor was not made for this list.
    InvalidCursor,
    /// No usable token.
    Unauthenticated,
    /// The token lacks a scope.
    InsufficientScope,
    /// The token is confined to another customer.
    OtherCustomer,
    /// A token confined to a customer does not allow this.
    ConfinedToken,
    /// No such order.
    OrderNotFound,
    /// No such export.
    ExportNotFound,
    /// The route has no such method.
    MethodNotAllowed,
    /// Fewer units are free than asked for.
    OutOfStock,
    /// The state machine does not know the move.
    IllegalTransition,
    /// Only a follow-up confirms a pending order.
    AwaitingConfirmation,
    /// The reservation of the order's lines is not permanent yet.
    ReservationUnconfirmed,
    /// Lines cannot change any more.
    LinesClosed,
    /// A canceled order cannot be shipped.
    OrderCanceled,
    /// A shipped order cannot be deleted.
    OrderShipped,
    /// Others kept changing the order.
    Conflict,
    /// The order of this idempotency key was deleted.
    OrderDeleted,
    /// The `If-Match` condition does not hold.
    PreconditionFailed,
    /// The body is larger than is read.
    BodyTooLarge,
    /// The order would be larger than is stored.
    OrderTooLarge,
    /// The body is not declared as JSON.
    UnsupportedMediaType,
    /// Fields break a rule.
    ValidationFailed,
    /// The customer service does not know the customer.
    UnknownCustomer,
    /// The inventory service does not know a product.
    UnknownProduct,
    /// The prices cannot be summed into one total.
    InvalidTotal,
    /// The inventory service does not accept the reservation.
    ReservationRefused,
    /// The idempotency key was used with another body.
    IdempotencyKeyReused,
    /// A report would be larger than one is made.
    ReportTooLarge,
    /// A connection subscribes to as much as one may.
    TooManySubscriptions,
    /// The subject of the token has as many connections as one may.
    TooManyConnections,
    /// The subject of the token was sent what it missed as often as one may within a minute.
    TooManyReplays,
    /// As many exports of the storefront run as may.
    TooManyExports,
    /// Something unexpected.
    Internal,
    /// The store or a partner gives no answer.
    Unavailable,
}

impl Code {
    /// Every code.
    pub const ALL: [Self; 39] = [
        Self::InvalidJson,
        Self::InvalidIdempotencyKey,
        Self::InvalidIfMatch,
        Self::InvalidParameter,
        Self::UnsupportedFilter,
        Self::InvalidCursor,
        Self::Unauthenticated,
        Self::InsufficientScope,
        Self::OtherCustomer,
        Self::ConfinedToken,
        Self::OrderNotFound,
        Self::ExportNotFound,
        Self::MethodNotAllowed,
        Self::OutOfStock,
        Self::IllegalTransition,
        Self::AwaitingConfirmation,
        Self::ReservationUnconfirmed,
        Self::LinesClosed,
        Self::OrderCanceled,
        Self::OrderShipped,
        Self::Conflict,
        Self::OrderDeleted,
        Self::PreconditionFailed,
        Self::BodyTooLarge,
        Self::OrderTooLarge,
        Self::UnsupportedMediaType,
        Self::ValidationFailed,
        Self::UnknownCustomer,
        Self::UnknownProduct,
        Self::InvalidTotal,
        Self::ReservationRefused,
        Self::IdempotencyKeyReused,
        Self::ReportTooLarge,
        Self::TooManySubscriptions,
        Self::TooManyConnections,
        Self::TooManyReplays,
        Self::TooManyExports,
        Self::Internal,
        Self::Unavailable,
    ];

    /// The stable code.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        self.parts().1
    }

    /// The HTTP status.
    #[must_use]
    pub const fn status(self) -> StatusCode {
        self.parts().0
    }

    /// The problem's title, the same for every occurrence.
    #[must_use]
    pub const fn title(self) -> &'static str {
        self.parts().2
    }

    /// In how many seconds the same request may succeed: an export takes a turn of a minute, or several.
    const fn retry_after(self) -> Option<&'static str> {
        match self {
            Self::Unavailable | Self::ReservationUnconfirmed => Some("1"),
            Self::TooManyExports => Some("60"),
            _ => None,
        }
    }

    const fn parts(self) -> (StatusCode, &'static str, &'static str) {
        use StatusCode as S;
        match self {
            Self::InvalidJson => (S::BAD_REQUEST, "invalid_json", "The body is not valid JSON."),
            Self::InvalidIdempotencyKey => {
                (S::BAD_REQUEST, "invalid_idempotency_key", "The Idempotency-Key header is not valid.")
            }
            Self::InvalidIfMatch => (S::BAD_REQUEST, "invalid_if_match", "The If-Match header is not valid."),
            Self::InvalidParameter => (S::BAD_REQUEST, "invalid_parameter", "A query parameter is not valid."),
            Self::UnsupportedFilter => (S::BAD_REQUEST, "unsupported_filter", "These filters cannot be combined."),
            Self::InvalidCursor => (S::BAD_REQUEST, "invalid_cursor", "The cursor does not belong to this list."),
            Self::Unauthenticated => (S::UNAUTHORIZED, "unauthenticated", "A valid token is required."),
            Self::InsufficientScope => (S::FORBIDDEN, "insufficient_scope", "The token lacks a scope."),
            Self::OtherCustomer => (S::FORBIDDEN, "other_customer", "The token is confined to another customer."),
            Self::ConfinedToken => {
                (S::FORBIDDEN, "confined_token", "A token confined to a customer does not allow this.")
            }
            Self::OrderNotFound => (S::NOT_FOUND, "order_not_found", "There is no such order."),
            Self::ExportNotFound => (S::NOT_FOUND, "export_not_found", "There is no such export."),
            Self::MethodNotAllowed => {
                (S::METHOD_NOT_ALLOWED, "method_not_allowed", "This route does not have this method.")
            }
            Self::OutOfStock => (S::CONFLICT, "out_of_stock", "Fewer units are available than asked for."),
            Self::IllegalTransition => (S::CONFLICT, "illegal_transition", "The order cannot move to this status."),
            Self::AwaitingConfirmation => {
                (S::CONFLICT, "awaiting_confirmation", "The order waits for the customer or inventory service.")
            }
            Self::ReservationUnconfirmed => {
                (S::CONFLICT, "reservation_unconfirmed", "The order's reservation is not confirmed yet.")
            }
            Self::LinesClosed => (S::CONFLICT, "lines_closed", "The lines of this order cannot change any more."),
            Self::OrderCanceled => (S::CONFLICT, "order_canceled", "The order is canceled."),
            Self::OrderShipped => (S::CONFLICT, "order_shipped", "The order is on its way."),
            Self::Conflict => (S::CONFLICT, "conflict", "Others are changing the order."),
            Self::PreconditionFailed => {
                (S::PRECONDITION_FAILED, "precondition_failed", "The order has another version.")
            }
            Self::OrderTooLarge => (S::PAYLOAD_TOO_LARGE, "order_too_large", "The order would be larger than 399 KiB."),
            Self::OrderDeleted => (S::GONE, "order_deleted", "The order of this idempotency key was deleted."),
            Self::BodyTooLarge => (S::PAYLOAD_TOO_LARGE, "body_too_large", "The body is larger than 256 KiB."),
            Self::UnsupportedMediaType => {
                (S::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", "The body must be application/json.")
            }
            Self::ValidationFailed => (S::UNPROCESSABLE_ENTITY, "validation_failed", "Some fields are not valid."),
            Self::UnknownCustomer => (S::UNPROCESSABLE_ENTITY, "unknown_customer", "There is no such customer."),
            Self::UnknownProduct => (S::UNPROCESSABLE_ENTITY, "unknown_product", "There is no such product."),
            Self::InvalidTotal => {
                (S::UNPROCESSABLE_ENTITY, "invalid_total", "The prices cannot be summed into one total.")
            }
            Self::ReservationRefused => {
                (S::UNPROCESSABLE_ENTITY, "reservation_refused", "The inventory service does not accept these lines.")
            }
            Self::IdempotencyKeyReused => (
                S::UNPROCESSABLE_ENTITY,
                "idempotency_key_reused",
                "The idempotency key was used with another request.",
            ),
            Self::ReportTooLarge => {
                (S::UNPROCESSABLE_ENTITY, "report_too_large", "The report would have more groups than one is made of.")
            }
            Self::TooManySubscriptions => {
                (S::UNPROCESSABLE_ENTITY, "too_many_subscriptions", "The connection has 100 subscriptions.")
            }
            Self::TooManyConnections => {
                (S::TOO_MANY_REQUESTS, "too_many_connections", "The token's subject has too many connections.")
            }
            Self::TooManyReplays => {
                (S::TOO_MANY_REQUESTS, "too_many_replays", "The token's subject asks too often for what it missed.")
            }
            Self::TooManyExports => {
                (S::TOO_MANY_REQUESTS, "too_many_exports", "The storefront has 10 exports running.")
            }
            Self::Internal => (S::INTERNAL_SERVER_ERROR, "internal", "Something went wrong on our side."),
            Self::Unavailable => (S::SERVICE_UNAVAILABLE, "unavailable", "The service cannot answer right now."),
        }
    }
}

/// What is wrong with one field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schemas", derive(schemars::JsonSchema))]
pub struct FieldError {
    /// A JSON pointer into the body (RFC 6901), or `?name` for a query parameter.
    pub pointer: String,
    /// A stable code.
    #[cfg_attr(feature = "schemas", schemars(extend("enum" = schema::FIELD_CODES)))]
    pub code: &'static str,
    /// The rule, as a sentence.
    pub detail: String,
}

/// Why a request got no other answer.
#[derive(Debug, Clone)]
pub struct Problem {
    code: Code,
    about: Box<Occurrence>,
}

/// What is particular to one occurrence of a problem.
#[derive(Debug, Clone, Default)]
struct Occurrence {
    detail: Option<String>,
    errors: Vec<FieldError>,
    members: Map<String, Value>,
    cause: Option<String>,
    allow: Option<&'static str>,
}

impl Problem {
    /// A problem of this code.
    #[must_use]
    pub fn new(code: Code) -> Self {
        Self { code, about: Box::default() }
    }

    /// Says more about this occurrence, to the client.
    #[must_use]
    pub fn detail(mut self, detail: impl Into<String>) -> Self {
        self.about.detail = Some(detail.into());
        self
    }

    /// Names the fields that are wrong.
    #[must_use]
    pub fn errors(mut self, errors: Vec<FieldError>) -> Self {
        self.about.errors = errors;
        self
    }

    /// Adds a member of this problem type.
    #[must_use]
    pub fn member(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.about.members.insert(name.to_owned(), value.into());
        self
    }

    /// Names the order that was asked for, where no path does.
    #[must_use]
    pub fn about_order(self, order: Option<OrderId>) -> Self {
        match order {
            Some(id) => self.member("order_id", id.to_string()),
            None => self,
        }
    }

    /// Names the methods that the route has.
    #[must_use]
    pub fn allow(mut self, methods: &'static str) -> Self {
        self.about.allow = Some(methods);
        self
    }

    /// Says why, to the log alone.
    #[must_use]
    pub fn because(mut self, cause: impl ToString) -> Self {
        self.about.cause = Some(cause.to_string());
        self
    }

    /// The stable code.
    #[must_use]
    pub const fn code(&self) -> Code {
        self.code
    }

    /// The fields that are wrong.
    #[must_use]
    pub fn field_errors(&self) -> &[FieldError] {
        &self.about.errors
    }

    /// What the log says and the client does not hear.
    #[must_use]
    pub fn cause(&self) -> Option<&str> {
        self.about.cause.as_deref()
    }

    /// The `application/problem+json` response.
    #[must_use]
    pub fn into_response(self, request_id: &str, instance: &str) -> Response<Body> {
        let mut response = Response::new(Body::from(self.body(request_id, instance).to_string()));
        *response.status_mut() = self.code.status();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if let Some(seconds) = self.code.retry_after() {
            headers.insert(RETRY_AFTER, HeaderValue::from_static(seconds));
        }
        if self.code == Code::Unauthenticated {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if let Some(methods) = self.about.allow {
            headers.insert(ALLOW, HeaderValue::from_static(methods));
        }
        response
    }

    /// The members of the problem.
    #[must_use]
    pub fn body(&self, request_id: &str, instance: &str) -> Value {
        let mut body = json!({
            "type": format!("urn:problem-type:orders:{}", self.code.as_str()),
            "title": self.code.title(),
            "status": self.code.status().as_u16(),
            "instance": instance,
            "code": self.code.as_str(),
            "request_id": request_id,
        });
        if let Some(members) = body.as_object_mut() {
            if let Some(detail) = &self.about.detail {
                members.insert("detail".to_owned(), detail.as_str().into());
            }
            if !self.about.errors.is_empty() {
                members.insert("errors".to_owned(), json!(self.about.errors));
            }
            members.extend(self.about.members.clone());
        }
        body
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_401_says_how_to_authenticate() {
        let response = Problem::new(Code::Unauthenticated).into_response("request", "/v1/orders");
        assert_eq!(response.headers()["www-authenticate"], "Bearer");
    }
}
