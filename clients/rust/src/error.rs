//! Why a call did not succeed.

use std::error::Error as StdError;
use std::fmt;

use crate::key::IdempotencyKey;
use crate::problem::{Problem, ProblemKind};

/// A call that did not succeed, whatever was tried.
#[derive(Debug)]
pub struct Error(Box<Inner>);

#[derive(Debug)]
struct Inner {
    kind: ErrorKind,
    attempts: u32,
    is_uncertain: bool,
    idempotency_key: Option<IdempotencyKey>,
}

/// What the last attempt came to.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The service answered with a problem.
    #[error("{0}")]
    Problem(Box<Problem>),
    /// There was an answer, but not one of this API: from a proxy, or cut off.
    #[error("HTTP {status} with a body that this API does not send")]
    Unreadable {
        /// The HTTP status.
        status: u16,
    },
    /// There was no answer.
    #[error("no answer")]
    NoAnswer(#[source] reqwest::Error),
    /// No connection for live updates could be made, or it ended at once.
    #[error("no connection")]
    NoConnection(#[source] Box<dyn StdError + Send + Sync>),
    /// The [`crate::TokenProvider`] gave no token.
    #[error("no token")]
    Token(#[source] Box<dyn StdError + Send + Sync>),
    /// The client or the call was set up with a value that cannot be sent.
    #[error("{0}")]
    Invalid(String),
}

impl Error {
    pub(crate) fn new(kind: ErrorKind, attempts: u32, is_uncertain: bool) -> Self {
        Self(Box::new(Inner { kind, attempts, is_uncertain, idempotency_key: None }))
    }

    pub(crate) fn invalid(what: impl Into<String>) -> Self {
        Self::new(ErrorKind::Invalid(what.into()), 0, false)
    }

    pub(crate) fn with_key(mut self, key: IdempotencyKey) -> Self {
        self.0.idempotency_key = Some(key);
        self
    }

    /// What the last attempt came to.
    #[must_use]
    pub fn kind(&self) -> &ErrorKind {
        &self.0.kind
    }

    /// The problem that the service answered with.
    #[must_use]
    pub fn problem(&self) -> Option<&Problem> {
        match &self.0.kind {
            ErrorKind::Problem(problem) => Some(problem),
            _ => None,
        }
    }

    /// The code of that problem.
    #[must_use]
    pub fn problem_kind(&self) -> Option<&ProblemKind> {
        self.problem().map(|problem| &problem.kind)
    }

    /// How many requests were sent.
    #[must_use]
    pub fn attempts(&self) -> u32 {
        self.0.attempts
    }

    /// Whether the call may have taken effect all the same, because an answer was lost. Read the order to know; an order
    /// or batch that was to be placed can be placed again under [`Error::idempotency_key`].
    #[must_use]
    pub fn is_uncertain(&self) -> bool {
        self.0.is_uncertain
    }

    /// The key of the order or batch that was to be placed.
    #[must_use]
    pub fn idempotency_key(&self) -> Option<&IdempotencyKey> {
        self.0.idempotency_key.as_ref()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.kind.fmt(formatter)
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.kind.source()
    }
}
