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
        let setting = config::required("JWKS")?;
        let invalid = |detail: String| ConfigError::Invalid { name: "JWKS", detail };
        if !setting.starts_with("https://") && !setting.starts_with("http://") {
            let keys: KeySet = serde_json::from_str(&setting).map_err(|error| invalid(error.to_string()))?;
            return if keys.is_empty() { Err(invalid("no usable key".to_owned())) } else { Ok(Self::inline(keys)) };
        }
        let hours: Option<u64> =
            config::optional("JWKS_STALE_HOURS").map(|_| config::parsed("JWKS_STALE_HOURS")).transpose()?;
        let url = Url::parse(&setting).map_err(|error| invalid(error.to_string()))?;
        let copy = SharedKeys::from_env(aws, &url)?;
        let stale_after = Duration::from_secs(hours.unwrap_or(24) * 3_600);
        Ok(Self::fetched_by(from_issuer(client, url), stale_after).with_copy(copy))
    }

    /// Keys that are given.
    #[must_use]
    pub fn inline(keys: KeySet) -> Self {
        Self::new(None, Duration::MAX, Kept { keys, ..Kept::default() })
    }

    /// Keys that are fetched like this.
    #[must_use]
    pub fn fetched_by(fetch: Fetch, stale_after: Duration) -> Self {
        Self::new(Some(fetch), stale_after, Kept::default())
    }

    /// Shares the keys with other environments through this copy.
    #[must_use]
    pub fn with_copy(mut self, copy: SharedKeys) -> Self {
        if let Some(inner) = Arc::get_mut(&mut self.inner) {
            inner.copy = Some(copy);
        }
        self
    }

    fn new(fetch: Option<Fetch>, stale_after: Duration, kept: Kept) -> Self {
        Self { inner: Arc::new(Inner { fetch, stale_after, copy: None, kept: Mutex::new(kept) }) }
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
            tracing::error!(cause = %error, "a refresh of the identity provider's keys broke off");
        }
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
mod tests {
    use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

    use domain::ports::Outage;
    use serde_json::json;

    use super::*;

    /// An issuer that publishes the Ed25519 keys of these ids after this time, or is down.
    struct Issuer {
        ids: Mutex<Vec<&'static str>>,
        takes: Duration,
        is_down: AtomicBool,
        asked: AtomicUsize,
    }

    const HOUR: Duration = Duration::from_secs(3_600);

    /// How long the issuer takes to answer, or its caller to give up.
    const ANSWER: Duration = Duration::from_secs(2);

    impl Issuer {
        fn with(ids: &[&'static str]) -> (Arc<Self>, Jwks) {
            Self::taking(ANSWER, ids)
        }

        fn taking(takes: Duration, ids: &[&'static str]) -> (Arc<Self>, Jwks) {
            let ids = Mutex::new(ids.to_vec());
            let issuer = Arc::new(Self { ids, takes, is_down: AtomicBool::default(), asked: AtomicUsize::default() });
            let asked = Arc::clone(&issuer);
            let fetch = move || -> BoxFuture<'static, _> { Box::pin(Arc::clone(&asked).answer()) };
            (issuer, Jwks::fetched_by(Box::new(fetch), 24 * HOUR))
        }

        async fn answer(self: Arc<Self>) -> Result<KeySet, Unavailable> {
            self.asked.fetch_add(1, Ordering::SeqCst);
            let begun = Instant::now();
            tokio::time::sleep(self.takes).await;
            let no_answer = |detail: &str| {
                let (service, outage) = ("token issuer", Outage::NoAnswer);
                Err(Unavailable { service, outage, detail: detail.to_owned() })
            };
            if begun.elapsed() > self.takes + ANSWER {
                return no_answer("the environment was frozen over the call");
            }
            if self.is_down.load(Ordering::SeqCst) {
                return no_answer("switched off");
            }
            let key = |id: &&str| json!({"kty": "OKP", "crv": "Ed25519", "kid": id, "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"});
            let ids = self.ids.lock().unwrap().clone();
            Ok(serde_json::from_value(json!({"keys": ids.iter().map(key).collect::<Vec<_>>()})).unwrap())
        }

        fn asked(&self) -> usize {
            self.asked.load(Ordering::SeqCst)
        }
    }

    /// Whether a key is known, and how long the request had to wait to learn it.
    async fn ask(keys: &Jwks, id: &str) -> (bool, Duration) {
        let begun = Instant::now();
        let outcome = keys.key(Some(id)).await;
        assert!(matches!(outcome, Ok(_) | Err(TokenError::UnknownKey)));
        (outcome.is_ok(), begun.elapsed())
    }

    #[tokio::test(start_paused = true)]
    async fn keys_fetched_while_the_environment_starts_make_no_request_wait() {
        let (issuer, keys) = Issuer::with(&["a"]);
        keys.connection().await;
        assert_eq!((ask(&keys, "a").await, issuer.asked()), ((true, Duration::ZERO), 1));
    }

    #[tokio::test(start_paused = true)]
    async fn a_slow_issuer_is_asked_beside_requests_that_wait_for_a_moment() {
        let (issuer, keys) = Issuer::with(&["a", "b"]);
        keys.connection().await;
        *issuer.ids.lock().unwrap() = vec!["b"];
        tokio::time::advance(REFRESHED_AFTER).await;
        assert_eq!(ask(&keys, "a").await, (true, REFRESH_PATIENCE), "as long as nothing better is known");
        assert_eq!(ask(&keys, "a").await, (true, Duration::ZERO), "only the one that began waits");
        tokio::time::sleep(ANSWER * 2).await;
        assert_eq!((ask(&keys, "a").await.0, ask(&keys, "b").await.0), (false, true), "a withdrawn key");
    }

    #[tokio::test(start_paused = true)]
    async fn an_environment_that_is_frozen_between_requests_still_fetches_keys() {
        let (issuer, keys) = Issuer::taking(REFRESH_PATIENCE / 2, &["a", "b"]);
        keys.connection().await;
        for n in 1..=12 {
            // Time goes by and nothing runs.
            tokio::time::advance(REFRESHED_AFTER).await;
            assert_eq!(ask(&keys, "a").await, (true, REFRESH_PATIENCE / 2));
            assert_eq!(issuer.asked(), 1 + n);
            let age = keys.inner.kept().fetched.map(|at| at.elapsed());
            assert_eq!(age, Some(Duration::ZERO), "the fetch of request {n} has failed");
        }
        tokio::time::advance(REFRESHED_AFTER).await;
        *issuer.ids.lock().unwrap() = vec!["b"];
        assert!(!ask(&keys, "a").await.0, "a withdrawn key");
    }

    #[tokio::test]
    async fn failed_fetches_open_no_circuit() {
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
        let fetch = from_issuer(&PartnerClient::new().unwrap(), url);
        let is_down = Arc::new(AtomicBool::new(true));
        let down = Arc::clone(&is_down);
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                if down.load(Ordering::SeqCst) {
                    continue;
                }
                let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\n{\"keys\":[]}";
                tokio::io::AsyncWriteExt::write_all(&mut stream, answer).await.unwrap();
                tokio::io::AsyncReadExt::read(&mut stream, &mut [0; 1024]).await.unwrap();
            }
        });
        for _ in 0..10 {
            fetch().await.unwrap_err();
        }
        is_down.store(false, Ordering::SeqCst);
        assert!(fetch().await.unwrap().is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn an_unknown_key_id_is_looked_for_at_most_every_half_minute_and_delays_no_known_one() {
        let (issuer, keys) = Issuer::with(&["a"]);
        keys.connection().await;
        tokio::time::advance(FETCHED_EVERY).await;
        issuer.ids.lock().unwrap().push("new");
        assert_eq!(ask(&keys, "new").await, (true, ANSWER), "a key that was added");
        let asked = issuer.asked();
        for _ in 0..100 {
            assert_eq!(ask(&keys, "made up").await, (false, Duration::ZERO));
            assert_eq!(ask(&keys, "a").await, (true, Duration::ZERO));
        }
        assert_eq!(issuer.asked(), asked);
    }

    #[tokio::test(start_paused = true)]
    async fn an_issuer_that_is_down_for_half_a_day_stops_nobody_whose_key_is_known() {
        let (issuer, keys) = Issuer::with(&["a"]);
        keys.connection().await;
        issuer.is_down.store(true, Ordering::SeqCst);
        let (begun, mut waited, mut requests) = (Instant::now(), 0, 0);
        while begun.elapsed() < 12 * HOUR {
            let (is_known, time) = ask(&keys, "a").await;
            assert!(is_known && time <= ANSWER, "after {:?}", begun.elapsed());
            (waited, requests) = (waited + u32::from(time > REFRESH_PATIENCE), requests + 1);
            assert!(!ask(&keys, "new").await.0);
            tokio::time::sleep(Duration::from_secs(10)).await;
        }
        assert!(waited <= 12 * 12, "{waited} of {requests} requests waited longer than a moment");
        issuer.is_down.store(false, Ordering::SeqCst);
        tokio::time::sleep(AWAITED_EVERY).await;
        issuer.ids.lock().unwrap().push("new");
        assert!(ask(&keys, "new").await.0, "back again");
    }

    #[tokio::test(start_paused = true)]
    async fn keys_that_could_not_be_fetched_for_a_day_are_not_trusted() {
        let (issuer, keys) = Issuer::with(&["a"]);
        keys.connection().await;
        issuer.is_down.store(true, Ordering::SeqCst);
        tokio::time::advance(24 * HOUR).await;
        assert!(!ask(&keys, "a").await.0);
    }

    #[tokio::test(start_paused = true)]
    async fn a_key_set_without_a_usable_key_replaces_nothing() {
        let (issuer, keys) = Issuer::with(&["a"]);
        keys.connection().await;
        issuer.ids.lock().unwrap().clear();
        tokio::time::advance(AWAITED_AFTER).await;
        assert!(ask(&keys, "a").await.0);
    }
}
