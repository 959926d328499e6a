//! Tokens that must be refused, in one table: the verifier's tests and the end-to-end suites share it.

#![allow(clippy::expect_used, clippy::missing_panics_doc, reason = "a table that cannot be made must fail the test")]

mod algorithms;
mod claims;
mod encodings;
mod issuer;
mod keys;

pub use issuer::Issuer;

/// Stands in every free text of these tokens, so that a log that repeats one is found.
pub const MARKER: &str = "hostile-marker";

/// The rule that a token breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    /// The header is `Bearer`, spaces, and something.
    Bearer,
    /// Three parts of unpadded base64url; two of them JSON objects that name each member once.
    Form,
    /// No processing is asked for beyond that of a plain signed token.
    Extension,
    /// The algorithm is the one of the key.
    Algorithm,
    /// The key is one that the issuer publishes.
    Key,
    /// The signature is that of the key.
    Signature,
    /// This claim is there and of its form.
    Claim(&'static str),
    /// The token has not expired.
    Expiry,
    /// The token holds a scope of this service.
    Scope,
}

/// A token that must be refused.
#[derive(Debug, Clone)]
pub struct Hostile {
    /// What is wrong with it.
    pub what: String,
    /// The value of the `Authorization` header. It can stand in one.
    pub authorization: String,
    /// The rule that it breaks.
    pub rule: Rule,
}

impl Hostile {
    fn new(what: impl Into<String>, token: &str, rule: Rule) -> Self {
        Self { what: what.into(), authorization: format!("Bearer {token}"), rule }
    }
}

/// Every hostile token that lies about this issuer.
#[must_use]
pub fn table(issuer: &Issuer) -> Vec<Hostile> {
    [
        algorithms::unsigned(issuer),
        algorithms::misnamed(issuer),
        algorithms::symmetric(issuer),
        keys::misnamed(issuer),
        keys::foreign(issuer),
        keys::extended(issuer),
        claims::origin(issuer),
        claims::times(issuer),
        claims::bearer(issuer),
        claims::scopes(issuer),
        claims::repeated(issuer),
        encodings::payloads(issuer),
        encodings::tokens(issuer),
        encodings::schemes(issuer),
    ]
    .concat()
}
