//! Why the service refused a request: RFC 9457 problem details with a stable code.

use std::fmt;
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::model::Status;

/// A refusal. Programs should look at [`Problem::kind`] alone.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Problem {
    /// What went wrong.
    pub kind: ProblemKind,
    /// The HTTP status.
    pub status: u16,
    /// A sentence for people, the same for every occurrence.
    pub title: String,
    /// What is particular to this occurrence, for people.
    pub detail: Option<String>,
    /// Names this request to the service's operators.
    pub request_id: Option<String>,
    /// How long to wait before the same request may succeed (`Retry-After`).
    pub retry_after: Option<Duration>,
}

/// The codes of problems, with what each says beyond a sentence. docs/errors.md tells cause and cure of each.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(tag = "code", rename_all = "snake_case")]
#[non_exhaustive]
#[allow(missing_docs, reason = "docs/errors.md documents the codes")]
pub enum ProblemKind {
    AccessDenied,
    AwaitingConfirmation,
    BodyTooLarge,
    ConfinedToken,
    Conflict,
    IdempotencyKeyReused,
    IllegalTransition {
        from: Status,
        to: Status,
        allowed: Vec<Status>,
    },
    InsufficientScope {
        scope: String,
    },
    Internal,
    ExportNotFound,
    InvalidCursor,
    InvalidIdempotencyKey,
    InvalidIfMatch,
    InvalidJson,
    InvalidParameter {
        errors: Vec<FieldError>,
    },
    InvalidTotal,
    LinesClosed {
        order_status: Status,
    },
    MethodNotAllowed,
    OrderCanceled,
    OrderDeleted,
    OrderNotFound,
    OrderShipped,
    OrderTooLarge,
    OtherCustomer,
    OutOfStock {
        unavailable: Vec<Shortage>,
    },
    PreconditionFailed {
        current_version: u64,
    },
    QuotaExceeded,
    /// A report has more groups than one is made of; ask for fewer days.
    ReportTooLarge,
    RequestRefused {
        reason: String,
    },
    ReservationRefused,
    ReservationUnconfirmed,
    RouteNotFound,
    Throttled,
    Unauthenticated,
    TooManyConnections,
    TooManyExports,
    TooManyReplays,
    TooManySubscriptions,
    Unavailable,
    UnknownCustomer,
    UnknownProduct {
        products: Vec<String>,
    },
    UnsupportedFilter,
    UnsupportedMediaType,
    ValidationFailed {
        errors: Vec<FieldError>,
    },
    /// A code that this release of the client does not know, or a known one without its members.
    #[serde(untagged)]
    Other {
        code: String,
        #[serde(flatten)]
        members: Map<String, Value>,
    },
}

/// What is wrong with one field.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct FieldError {
    /// A JSON pointer into the body (RFC 6901), or `?name` for a query parameter.
    pub pointer: String,
    /// A stable code, such as `out_of_range`.
    pub code: String,
    /// The rule, as a sentence.
    #[serde(default)]
    pub detail: String,
}

/// A product of which fewer units are available than asked for.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[allow(missing_docs, reason = "the names say it")]
pub struct Shortage {
    pub product_id: String,
    pub requested: u64,
    pub available: u64,
}

impl Problem {
    /// Reads a body; `None` when it is no problem.
    pub(crate) fn read(status: u16, retry_after: Option<Duration>, body: &[u8]) -> Option<Self> {
        Self::of(status, retry_after, &serde_json::from_slice(body).ok()?)
    }

    /// The problem of a JSON object; `None` when it is none.
    pub(crate) fn of(status: u16, retry_after: Option<Duration>, body: &Value) -> Option<Self> {
        let text = |name: &str| body.get(name).and_then(Value::as_str).map(ToOwned::to_owned);
        // A number would be read as the index of a variant.
        text("code")?;
        Some(Self {
            kind: ProblemKind::deserialize(body).ok()?,
            status,
            title: text("title").unwrap_or_default(),
            detail: text("detail"),
            request_id: text("request_id"),
            retry_after,
        })
    }

    /// The fields that are wrong, for the kinds that name some.
    #[must_use]
    pub fn field_errors(&self) -> &[FieldError] {
        match &self.kind {
            ProblemKind::ValidationFailed { errors } | ProblemKind::InvalidParameter { errors } => errors,
            _ => &[],
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} (HTTP {})", self.title, self.status)?;
        self.detail.iter().try_for_each(|detail| write!(formatter, ": {detail}"))?;
        self.field_errors().iter().try_for_each(|error| write!(formatter, "; {}: {}", error.pointer, error.detail))
    }
}

impl std::error::Error for Problem {}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn kind(body: Value) -> ProblemKind {
        Problem::read(400, None, body.to_string().as_bytes()).unwrap().kind
    }

    #[test]
    fn a_known_code_brings_its_members_and_whatever_else_is_there() {
        let body = json!({"code": "precondition_failed", "current_version": 7, "title": "t", "new_member": [1]});
        assert_eq!(kind(body), ProblemKind::PreconditionFailed { current_version: 7 });
        assert_eq!(kind(json!({"code": "conflict", "status": 409, "new_member": {}})), ProblemKind::Conflict);
    }

    #[test]
    fn an_unknown_code_and_a_known_one_in_another_form_are_kept_as_they_are() {
        let ProblemKind::Other { code, members } = kind(json!({"code": "on_fire", "degrees": 900})) else { panic!() };
        assert_eq!((code.as_str(), &members["degrees"]), ("on_fire", &json!(900)));
        let ProblemKind::Other { code, .. } = kind(json!({"code": "out_of_stock"})) else { panic!() };
        assert_eq!(code, "out_of_stock");
    }

    #[test]
    fn what_has_no_code_is_no_problem() {
        for body in ["", "<html>", "{}", r#"{"message":"Forbidden"}"#, r#"{"code":5}"#, "[]"] {
            assert_eq!(Problem::read(403, None, body.as_bytes()), None, "{body}");
        }
    }
}
