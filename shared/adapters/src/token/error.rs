//! Why a token is not accepted.

use domain::ports::Unavailable;

/// Why a token is not accepted.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// Not a bearer token.
    #[error("the Authorization header holds no bearer token")]
    NotBearer,
    /// The signature, a time, the issuer, the audience or a claim is wrong.
    #[error("the token is not valid: {0}")]
    Invalid(#[from] jsonwebtoken::errors::Error),
    /// The algorithm is not on the list.
    #[error("the token's algorithm is not accepted")]
    Algorithm,
    /// The issuer has no such key.
    #[error("the token was signed with an unknown key")]
    UnknownKey,
    /// The issuer's keys cannot be fetched, so nothing can be said of the token.
    #[error("the issuer's keys cannot be had: {0}")]
    KeysUnavailable(#[from] Unavailable),
}
