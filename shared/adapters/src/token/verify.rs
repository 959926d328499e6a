//! Checks a token: signature, algorithm, issuer, audience, times, and the claims this service needs.

use aws_config::SdkConfig;
use domain::ports::Clock;
use serde_json::{Map, Value};

use super::compact::CompactToken;
use super::{ClaimNames, Claims, Jwks, TokenError, signature};
use crate::config::{self, ConfigError};
use crate::connections::Connection;
use crate::outbound::PartnerClient;
use crate::system::SystemClock;

/// Clocks may differ by this many seconds.
pub(crate) const LEEWAY_SECONDS: i64 = 30;

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
    pub fn from_env(client: &PartnerClient, aws: &SdkConfig) -> Result<Self, ConfigError> {
        Ok(Self {
            issuer: config::required("TOKEN_ISSUER")?,
            audience: config::required("TOKEN_AUDIENCE")?,
            names: ClaimNames::from_env()?,
            keys: Jwks::from_env(client, aws)?,
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

    /// Fetches the issuer's keys before they are needed.
    pub fn connection(&self) -> Connection {
        self.config.keys.connection()
    }

    /// Checks the value of an `Authorization` header.
    ///
    /// # Errors
    /// [`TokenError`].
    pub async fn verify(&self, authorization: &str) -> Result<Claims, TokenError> {
        let token = CompactToken::of_header(authorization)?;
        if token.is_extended() {
            return Err(TokenError::Extension);
        }
        let key = self.config.keys.key(token.key_id()?).await?;
        let claims = token.verified_by(&key)?;
        self.check_origin(&claims)?;
        Claims::read(&claims, &self.config.names, SystemClock.now())
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
