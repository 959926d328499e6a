//! Checks a token: signature, algorithm, issuer, audience, times, and the claims this service needs.

use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde::Deserialize;

use super::{Jwks, TokenError};
use crate::config::{self, ConfigError};
use crate::outbound::PartnerClient;

/// The only algorithms accepted; a token's own `alg` is never trusted beyond this list.
const ALGORITHMS: [Algorithm; 3] = [Algorithm::RS256, Algorithm::ES256, Algorithm::EdDSA];

/// Clocks may differ by this many seconds.
const LEEWAY_SECONDS: u64 = 30;

/// Whose tokens are accepted.
#[derive(Debug)]
pub struct TokenConfig {
    /// The `iss` claim required.
    pub issuer: String,
    /// The `aud` claim required.
    pub audience: String,
    /// The issuer's keys.
    pub keys: Jwks,
}

impl TokenConfig {
    /// Reads `TOKEN_ISSUER`, `TOKEN_AUDIENCE` and `JWKS` (a URL or the JSON document).
    ///
    /// # Errors
    /// [`ConfigError`] when one is missing or not valid.
    pub fn from_env(client: &PartnerClient) -> Result<Self, ConfigError> {
        Ok(Self {
            issuer: config::required("TOKEN_ISSUER")?,
            audience: config::required("TOKEN_AUDIENCE")?,
            keys: Jwks::parse(config::required("JWKS")?, client)?,
        })
    }
}

/// What a valid token says.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Claims {
    /// The storefront.
    pub tenant: String,
    /// Who acts.
    pub sub: String,
    /// Scopes, separated by spaces.
    #[serde(default)]
    pub scope: String,
    /// The only customer the bearer may act for.
    #[serde(default)]
    pub customer_id: Option<String>,
}

/// Checks tokens of one issuer.
#[derive(Debug)]
pub struct TokenVerifier {
    config: TokenConfig,
}

impl TokenVerifier {
    /// A verifier for this issuer's tokens.
    #[must_use]
    pub const fn new(config: TokenConfig) -> Self {
        Self { config }
    }

    /// Checks the value of an `Authorization` header.
    ///
    /// # Errors
    /// [`TokenError`]; only [`TokenError::KeysUnavailable`] is not the token's fault.
    pub async fn verify(&self, authorization: &str) -> Result<Claims, TokenError> {
        let (scheme, token) = authorization.trim().split_once(' ').ok_or(TokenError::NotBearer)?;
        if !scheme.eq_ignore_ascii_case("bearer") {
            return Err(TokenError::NotBearer);
        }
        let header = jsonwebtoken::decode_header(token.trim())?;
        if !ALGORITHMS.contains(&header.alg) {
            return Err(TokenError::Algorithm);
        }
        let key = self.config.keys.key(header.kid.as_deref()).await?;
        let mut rules = Validation::new(header.alg);
        rules.leeway = LEEWAY_SECONDS;
        rules.validate_nbf = true;
        rules.set_issuer(&[&self.config.issuer]);
        rules.set_audience(&[&self.config.audience]);
        rules.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
        Ok(jsonwebtoken::decode::<Claims>(token.trim(), &DecodingKey::from_jwk(&key)?, &rules)?.claims)
    }
}
