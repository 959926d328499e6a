//! Bearer tokens: JSON Web Tokens checked against the issuer's published keys.

mod claims;
mod compact;
mod error;
mod jwks;
mod key_set;
mod shared_keys;
mod signature;
mod verify;

pub use claims::{ClaimNames, Claims};
pub use error::TokenError;
pub use jwks::{Fetch, Jwks};
pub use key_set::KeySet;
pub use shared_keys::SharedKeys;
pub(crate) use verify::LEEWAY_SECONDS;
pub use verify::{TokenConfig, TokenVerifier};
