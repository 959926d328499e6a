//! The issuer's keys: given inline, or fetched and kept for a while.

use std::time::{Duration, Instant};

use jsonwebtoken::jwk::{Jwk, JwkSet};
use reqwest::Url;
use tokio::sync::Mutex;

use super::TokenError;
use crate::config::ConfigError;
use crate::outbound::{Breaker, Partner, PartnerClient};

/// Keys are fetched anew after this long, so that a withdrawn key stops working.
const KEPT_FOR: Duration = Duration::from_secs(600);

/// An unknown key id makes the keys be fetched anew, but not more often than this.
const REFETCH_AFTER: Duration = Duration::from_secs(30);

/// A JSON Web Key Set (RFC 7517).
#[derive(Debug)]
pub struct Jwks {
    source: Source,
    fetched: Mutex<Option<(JwkSet, Instant)>>,
}

#[derive(Debug)]
enum Source {
    Inline(JwkSet),
    Url(Box<Partner>),
}

impl Jwks {
    /// Keys from a setting: a URL to fetch them from, or the JSON document itself.
    ///
    /// # Errors
    /// [`ConfigError`] when the setting is neither.
    pub fn parse(setting: String, client: &PartnerClient) -> Result<Self, ConfigError> {
        let invalid = |detail: String| ConfigError::Invalid { name: "JWKS", detail };
        let source = if setting.starts_with("https://") || setting.starts_with("http://") {
            let url = Url::parse(&setting).map_err(|error| invalid(error.to_string()))?;
            Source::Url(Box::new(client.partner("token issuer", url, Breaker::new(None))))
        } else {
            Source::Inline(serde_json::from_str(&setting).map_err(|error| invalid(error.to_string()))?)
        };
        Ok(Self { source, fetched: Mutex::new(None) })
    }

    /// The key of this id; the only key when the token names none.
    ///
    /// # Errors
    /// [`TokenError::UnknownKey`], or [`TokenError::KeysUnavailable`] when the keys cannot be fetched.
    pub async fn key(&self, id: Option<&str>) -> Result<Jwk, TokenError> {
        let issuer = match &self.source {
            Source::Inline(keys) => return find(keys, id).ok_or(TokenError::UnknownKey),
            Source::Url(issuer) => issuer,
        };
        let mut fetched = self.fetched.lock().await;
        let age = fetched.as_ref().map_or(Duration::MAX, |(_, at)| at.elapsed());
        let known = fetched.as_ref().and_then(|(keys, _)| find(keys, id));
        match known {
            Some(key) if age < KEPT_FOR => return Ok(key),
            None if age < REFETCH_AFTER => return Err(TokenError::UnknownKey),
            _ => {}
        }
        let keys: JwkSet = Box::pin(issuer.get()).await?;
        let key = find(&keys, id).ok_or(TokenError::UnknownKey);
        *fetched = Some((keys, Instant::now()));
        key
    }
}

fn find(keys: &JwkSet, id: Option<&str>) -> Option<Jwk> {
    match (id, keys.keys.as_slice()) {
        (Some(id), _) => keys.find(id).cloned(),
        (None, [only]) => Some(only.clone()),
        (None, _) => None,
    }
}
