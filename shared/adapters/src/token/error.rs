//! Why a token is not accepted. No text here comes from the token, so that each can be logged.

/// Why a token is not accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// Not a bearer token.
    #[error("the Authorization header holds no bearer token")]
    NotBearer,
    /// Not a JSON Web Token in compact form (RFC 7519, RFC 7515 §7.1).
    #[error("the token is malformed")]
    Malformed,
    /// It asks for processing that this service does not do (RFC 7515 §4.1.11).
    #[error("the token's header asks for an extension")]
    Extension,
    /// The algorithm is not the key's.
    #[error("the token's algorithm is not that of its key")]
    Algorithm,
    /// The issuer has no such key, or cannot be asked for it.
    #[error("the token was signed with an unknown key")]
    UnknownKey,
    /// The signature is not that of the key.
    #[error("the token's signature is wrong")]
    Signature,
    /// It expired.
    #[error("the token has expired")]
    Expired,
    /// A claim is missing or not of its form. The name is the one that the settings give.
    #[error("the claim {0} is missing or not valid")]
    Claim(String),
    /// It allows nothing here.
    #[error("the token holds no scope of this service")]
    NoScope,
}
