//! Why a token is not accepted.

/// Why a token is not accepted.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// Not a bearer token.
    #[error("the Authorization header holds no bearer token")]
    NotBearer,
    /// The signature, a time, the issuer or the audience is wrong.
    #[error("the token is not valid: {0}")]
    Invalid(#[from] jsonwebtoken::errors::Error),
    /// It asks for processing that this service does not know (RFC 7515 §4.1.11).
    #[error("the token's header has critical extensions")]
    Critical,
    /// The algorithm is not the key's.
    #[error("the token's algorithm is not that of its key")]
    Algorithm,
    /// The issuer has no such key, or cannot be asked for it.
    #[error("the token was signed with an unknown key")]
    UnknownKey,
    /// A claim is missing or not of its form.
    #[error("the claim {0} is missing or not valid")]
    Claim(String),
}
