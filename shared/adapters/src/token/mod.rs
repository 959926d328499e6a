//! Bearer tokens: JSON Web Tokens checked against the issuer's published keys.

mod jwks;
mod verify;

pub use jwks::Jwks;
pub use verify::{Claims, TokenConfig, TokenError, TokenVerifier};
