//! Bearer tokens: JSON Web Tokens checked against the issuer's published keys.

mod error;
mod jwks;
mod verify;

pub use error::TokenError;
pub use jwks::Jwks;
pub use verify::{Claims, TokenConfig, TokenVerifier};
