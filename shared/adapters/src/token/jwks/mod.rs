//! The issuer's keys: given inline, or fetched and kept, so that an issuer that is down stops nobody whose key is known
//! (docs/adr/0015-keys-of-the-issuer.md).

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use aws_config::SdkConfig;
use domain::ports::{Clock, Unavailable};
use futures_util::future::BoxFuture;
use reqwest::Url;
use tokio::time::Instant;

use super::TokenError;
use super::key_set::{Key, KeySet};
use super::shared_keys::SharedKeys;
use crate::config::{self, ConfigError};
use crate::connections::Connection;
use crate::outbound::{Breaker, PartnerClient, Role};
use crate::system::SystemClock;
use crate::telemetry::{Line, metrics};

/// Keys older than this are fetched anew, by a request that waits for them no longer than [`REFRESH_PATIENCE`].
const REFRESHED_AFTER: Duration = Duration::from_secs(300);

/// Long enough for most fetches: once its request is answered an environment may be frozen, and a fetch with it.
const REFRESH_PATIENCE: Duration = Duration::from_millis(300);

/// A request waits for keys that are older than this as long as it takes, so that a withdrawn key stops working also where
/// requests are rare and the issuer is slow.
const AWAITED_AFTER: Duration = Duration::from_secs(3_600);

/// While keys are that old, one request in so long waits for them.
const AWAITED_EVERY: Duration = Duration::from_secs(300);

/// Keys are not fetched more often than this, whatever key ids tokens name.
const FETCHED_EVERY: Duration = Duration::from_secs(30);

/// Gets the key set of an issuer.
pub type Fetch = Box<dyn Fn() -> BoxFuture<'static, Result<KeySet, Unavailable>> + Send + Sync>;

/// The keys of the issuer.
#[derive(Clone)]
pub struct Jwks {
    inner: Arc<Inner>,
}

struct Inner {
    /// `None`: the keys are given, and stay.
    fetch: Option<Fetch>,
    /// Keys that could not be fetched anew for so long are not trusted any more.
    stale_after: Duration,
    /// Where environments that start while the issuer is down learn its keys.
    copy: Option<SharedKeys>,
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    keys: KeySet,
    /// When the keys were fetched.
    fetched: Option<Instant>,
    /// When fetching was last begun.
    asked: Option<Instant>,
    /// When a request last waited for keys although it had some.
    awaited: Option<Instant>,
    /// When the keys of the shared copy were fetched.
    copied: Option<Instant>,
}

impl Jwks {
    /// The keys that `JWKS` names, a URL or the JSON document itself, kept for `JWKS_STALE_HOURS` (24) when the issuer is
    /// down, and copied to the table that `CIRCUITS_TABLE` names.
    ///
    /// # Errors
    /// [`ConfigError`] when a setting is missing or not valid.
    pub fn from_env(client: &PartnerClient, aws: &SdkConfig) -> Result<Self, ConfigError> {
        let url = match Source::parse(&config::required("JWKS")?)? {
            Source::Given(keys) => return Ok(Self::inline(keys)),
            Source::Fetched(url) => url,
        };
        let hours: Option<u64> =
            config::optional("JWKS_STALE_HOURS").map(|_| config::parsed("JWKS_STALE_HOURS")).transpose()?;
        let copy = SharedKeys::from_env(aws, &url)?;
        let stale_after = Duration::from_secs(hours.unwrap_or(24) * 3_600);
        Ok(Self::fetched_by(from_issuer(client, url), stale_after, Some(copy)))
    }

    /// Keys that are given.
    #[must_use]
    pub fn inline(keys: KeySet) -> Self {
        let kept = Mutex::new(Kept { keys, ..Kept::default() });
        Self::new(Inner { fetch: None, stale_after: Duration::MAX, copy: None, kept })
    }

    /// Keys that are fetched like this, and shared with other environments through this copy.
    #[must_use]
    pub fn fetched_by(fetch: Fetch, stale_after: Duration, copy: Option<SharedKeys>) -> Self {
        Self::new(Inner { fetch: Some(fetch), stale_after, copy, kept: Mutex::default() })
    }

    fn new(inner: Inner) -> Self {
        Self { inner: Arc::new(inner) }
    }

    /// Fetches the keys before they are needed, and reads the copy beside that: an issuer that hangs delays no token whose
    /// key is there. What fails is retried with the first token.
    pub fn connection(&self) -> Connection {
        let inner = Arc::clone(&self.inner);
        Box::pin(async move {
            let Some(fetch) = &inner.fetch else { return };
            match futures_util::future::join(inner.fetch_with(fetch), inner.recall()).await {
                (Ok(()), ()) => inner.share().await,
                (Err(cause), ()) => inner.report(cause),
            }
        })
    }

    /// The key of this id ([`KeySet::find`]).
    ///
    /// # Errors
    /// [`TokenError::UnknownKey`], also when the issuer cannot be asked: what is not known is not accepted.
    pub async fn key(&self, id: Option<&str>) -> Result<Key, TokenError> {
        let Some(fetch) = &self.inner.fetch else { return self.inner.kept().keys.find(id) };
        match self.inner.plan(id) {
            Plan::Use => {}
            Plan::Refresh => self.refresh_patiently().await,
            Plan::Wait => self.inner.refresh(fetch).await.unwrap_or_else(|cause| self.inner.report(cause)),
        }
        self.inner.known(id)
    }

    /// Starts a refresh and waits for it a moment; what takes longer goes on beside the next requests. A failure there is
    /// no news of the issuer: the environment may have been frozen over the call.
    async fn refresh_patiently(&self) {
        let inner = Arc::clone(&self.inner);
        let refresh = tokio::spawn(async move {
            let Some(fetch) = &inner.fetch else { return };
            let begun = Instant::now();
            match inner.refresh(fetch).await {
                Ok(()) => {}
                Err(cause) if begun.elapsed() < REFRESH_PATIENCE => inner.report(cause),
                Err(cause) => tracing::warn!(cause, "the identity provider's keys are not refreshed yet"),
            }
        });
        if let Ok(Err(error)) = tokio::time::timeout(REFRESH_PATIENCE, refresh).await {
            tracing::error!(cause = %error, "a refresh of the identity provider's keys was cut short");
        }
    }
}

/// Where the keys come from.
#[derive(Debug)]
enum Source {
    Given(KeySet),
    Fetched(Url),
}

impl Source {
    /// Reads `JWKS`: the JSON document of a key set, or its URL. Whoever can change what a URL answers can make tokens, so
    /// it is called with encryption.
    fn parse(setting: &str) -> Result<Self, ConfigError> {
        let invalid = |detail: String| ConfigError::Invalid { name: "JWKS", detail };
        if !setting.trim_start().starts_with('{') {
            return config::encrypted("JWKS", setting).map(Self::Fetched);
        }
        let keys: KeySet = serde_json::from_str(setting).map_err(|error| invalid(error.to_string()))?;
        if keys.is_empty() { Err(invalid("no usable key".to_owned())) } else { Ok(Self::Given(keys)) }
    }
}

/// Fetches the key set from its URL. Failures open no circuit: fetches are [`FETCHED_EVERY`] apart anyway, and a frozen
/// environment's say nothing of the issuer.
fn from_issuer(client: &PartnerClient, url: Url) -> Fetch {
    let issuer = Arc::new(client.partner("token issuer", url, Breaker::new(None).with_role(Role::Obeys)));
    Box::new(move || {
        let issuer = Arc::clone(&issuer);
        Box::pin(async move { issuer.get().await })
    })
}

/// What to do before a key is looked up.
enum Plan {
    Use,
    Refresh,
    Wait,
}

impl Inner {
    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn plan(&self, id: Option<&str>) -> Plan {
        let mut kept = self.kept();
        let now = Instant::now();
        let since = |at: Option<Instant>| at.map_or(Duration::MAX, |at| now.duration_since(at));
        let (age, may_fetch) = (since(kept.fetched), since(kept.asked) >= FETCHED_EVERY);
        if kept.keys.find(id).is_err() {
            return if may_fetch { Plan::Wait } else { Plan::Use };
        }
        if age >= AWAITED_AFTER && since(kept.awaited) >= AWAITED_EVERY {
            kept.awaited = Some(now);
            return Plan::Wait;
        }
        if age >= REFRESHED_AFTER && may_fetch { Plan::Refresh } else { Plan::Use }
    }

    async fn refresh(&self, fetch: &Fetch) -> Result<(), String> {
        self.kept().asked = Some(Instant::now());
        self.fetch_with(fetch).await?;
        self.share().await;
        Ok(())
    }

    /// Fetches the keys; why it failed, otherwise.
    async fn fetch_with(&self, fetch: &Fetch) -> Result<(), String> {
        let keys = fetch().await.map_err(|error| error.to_string())?;
        if keys.is_empty() {
            return Err("the key set holds no usable key".to_owned());
        }
        let mut kept = self.kept();
        let now = Some(Instant::now());
        (kept.keys, kept.fetched, kept.asked) = (keys, now, now);
        Ok(())
    }

    /// Learns the keys from the copy, unless the issuer gave them meanwhile.
    async fn recall(&self) {
        let Some(copy) = &self.copy else { return };
        let Some((keys, fetched)) = copy.read().await else { return };
        let age = SystemClock.now().as_millis().saturating_sub(fetched.as_millis());
        let age = Duration::from_millis(u64::try_from(age).unwrap_or(0));
        let mut kept = self.kept();
        kept.copied = Instant::now().checked_sub(age);
        if kept.fetched.is_none() {
            (kept.keys, kept.fetched, kept.awaited) = (keys, kept.copied, Some(Instant::now()));
        }
    }

    /// Renews the copy, when it is older than keys may get.
    async fn share(&self) {
        let Some(copy) = &self.copy else { return };
        let keys = {
            let kept = self.kept();
            if kept.copied.is_some_and(|at| at.elapsed() < REFRESHED_AFTER) {
                return;
            }
            kept.keys.clone()
        };
        if copy.write(&keys, SystemClock.now()).await {
            self.kept().copied = Some(Instant::now());
        }
    }

    /// Tells that a fetch failed that somebody waited for.
    fn report(&self, cause: String) {
        let age = self.kept().fetched.map_or(0, |at| at.elapsed().as_secs());
        Line::error("the identity provider's keys cannot be fetched")
            .with("cause", cause)
            .with("seconds_without", age)
            .measured(&metrics::ISSUER_FAILURES, 1)
            .write();
    }

    fn known(&self, id: Option<&str>) -> Result<Key, TokenError> {
        let kept = self.kept();
        match kept.fetched {
            Some(at) if at.elapsed() < self.stale_after => kept.keys.find(id),
            Some(_) | None => Err(TokenError::UnknownKey),
        }
    }
}

impl std::fmt::Debug for Jwks {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Jwks").field("keys", &self.inner.kept().keys).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
