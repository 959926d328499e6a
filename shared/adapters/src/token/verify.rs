//! Checks a token: signature, algorithm, issuer, audience, times, and the claims this service needs.

use jsonwebtoken::Validation;
use serde_json::{Map, Value};

use super::{ClaimNames, Claims, Jwks, TokenError, signature};
use crate::config::{self, ConfigError};
use crate::outbound::PartnerClient;

/// Clocks may differ by this many seconds.
pub(crate) const LEEWAY_SECONDS: u64 = 30;

/// Whose tokens are accepted.
#[derive(Debug)]
pub struct TokenConfig {
    /// The `iss` claim required.
    pub issuer: String,
    /// The audience required.
    pub audience: String,
    /// The names of the claims.
    pub names: ClaimNames,
    /// The issuer's keys.
    pub keys: Jwks,
}

impl TokenConfig {
    /// Reads `TOKEN_ISSUER`, `TOKEN_AUDIENCE`, and what [`ClaimNames`] and [`Jwks`] read.
    ///
    /// # Errors
    /// [`ConfigError`] when one is missing or not valid.
    pub fn from_env(client: &PartnerClient) -> Result<Self, ConfigError> {
        Ok(Self {
            issuer: config::required("TOKEN_ISSUER")?,
            audience: config::required("TOKEN_AUDIENCE")?,
            names: ClaimNames::from_env()?,
            keys: Jwks::from_env(client)?,
        })
    }
}

/// Checks tokens of one issuer.
#[derive(Debug)]
pub struct TokenVerifier {
    config: TokenConfig,
}

impl TokenVerifier {
    /// A verifier for this issuer's tokens.
    #[must_use]
    pub fn new(config: TokenConfig) -> Self {
        signature::use_ring();
        Self { config }
    }

    /// Fetches the issuer's keys while the environment starts.
    pub async fn warm(&self) {
        self.config.keys.warm().await;
    }

    /// Checks the value of an `Authorization` header.
    ///
    /// # Errors
    /// [`TokenError`].
    pub async fn verify(&self, authorization: &str) -> Result<Claims, TokenError> {
        let (scheme, token) = authorization.trim().split_once(' ').ok_or(TokenError::NotBearer)?;
        if !scheme.eq_ignore_ascii_case("bearer") {
            return Err(TokenError::NotBearer);
        }
        let header = jsonwebtoken::decode_header(token.trim())?;
        if header.crit.is_some() {
            return Err(TokenError::Critical);
        }
        let key = self.config.keys.key(header.kid.as_deref()).await?;
        if header.alg != key.algorithm {
            return Err(TokenError::Algorithm);
        }
        let mut rules = Validation::new(key.algorithm);
        rules.leeway = LEEWAY_SECONDS;
        rules.validate_nbf = true;
        // The audience is checked below, under the name that the provider gives it.
        rules.validate_aud = false;
        rules.set_required_spec_claims(&["exp", "sub"]);
        let claims = jsonwebtoken::decode::<Map<String, Value>>(token.trim(), &key.decoding, &rules)?.claims;
        self.check_origin(&claims)?;
        Claims::read(&claims, &self.config.names)
    }

    /// The token is of this issuer, and for this service.
    fn check_origin(&self, claims: &Map<String, Value>) -> Result<(), TokenError> {
        let TokenConfig { issuer, audience, names, .. } = &self.config;
        if claims.get("iss").and_then(Value::as_str) != Some(issuer) {
            return Err(TokenError::Claim("iss".to_owned()));
        }
        let is_meant = match claims.get(&names.audience) {
            Some(Value::String(one)) => one == audience,
            Some(Value::Array(several)) => several.iter().any(|one| one.as_str() == Some(audience)),
            _ => false,
        };
        if is_meant { Ok(()) } else { Err(TokenError::Claim(names.audience.clone())) }
    }
}
