//! The issuer's keys: given inline, or fetched and kept, so that an issuer that is down stops nobody whose key is known
//! (docs/adr/0015-keys-of-the-issuer.md).

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use domain::ports::Unavailable;
use futures_util::future::BoxFuture;
use reqwest::Url;
use tokio::time::Instant;

use super::TokenError;
use super::key_set::{Key, KeySet};
use crate::config::{self, ConfigError};
use crate::connections::Connection;
use crate::outbound::{Breaker, PartnerClient};
use crate::telemetry::{Line, metrics};

/// Keys older than this are fetched anew, by a request that does not wait for them.
const REFRESHED_AFTER: Duration = Duration::from_secs(300);

/// A request waits for keys that are older than this, so that a withdrawn key stops working also where requests are rare:
/// an environment that is frozen between two requests has no time to fetch them beside.
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
}

impl Jwks {
    /// The keys that `JWKS` names, a URL or the JSON document itself, kept for `JWKS_STALE_HOURS` (24) when the issuer is
    /// down.
    ///
    /// # Errors
    /// [`ConfigError`] when a setting is missing or not valid.
    pub fn from_env(client: &PartnerClient) -> Result<Self, ConfigError> {
        let setting = config::required("JWKS")?;
        let invalid = |detail: String| ConfigError::Invalid { name: "JWKS", detail };
        if !setting.starts_with("https://") && !setting.starts_with("http://") {
            let keys: KeySet = serde_json::from_str(&setting).map_err(|error| invalid(error.to_string()))?;
            return if keys.is_empty() { Err(invalid("no usable key".to_owned())) } else { Ok(Self::inline(keys)) };
        }
        let hours: Option<u64> =
            config::optional("JWKS_STALE_HOURS").map(|_| config::parsed("JWKS_STALE_HOURS")).transpose()?;
        let url = Url::parse(&setting).map_err(|error| invalid(error.to_string()))?;
        let issuer = Arc::new(client.partner("token issuer", url, Breaker::new(None)));
        let fetch = move || -> BoxFuture<'static, _> {
            let issuer = Arc::clone(&issuer);
            Box::pin(async move { issuer.get().await })
        };
        Ok(Self::fetched_by(Box::new(fetch), Duration::from_secs(hours.unwrap_or(24) * 3_600)))
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

    fn new(fetch: Option<Fetch>, stale_after: Duration, kept: Kept) -> Self {
        Self { inner: Arc::new(Inner { fetch, stale_after, kept: Mutex::new(kept) }) }
    }

    /// Fetches the keys before they are needed. What fails is retried with the first token.
    pub fn connection(&self) -> Connection {
        let inner = Arc::clone(&self.inner);
        Box::pin(async move {
            if let Some(fetch) = &inner.fetch {
                inner.fetch_with(fetch).await;
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
            Plan::Refresh => {
                // Driven by this and the next requests: while the environment is frozen, it rests.
                let inner = Arc::clone(&self.inner);
                tokio::spawn(async move {
                    if let Some(fetch) = &inner.fetch {
                        inner.refresh(fetch).await;
                    }
                });
            }
            Plan::Wait => self.inner.refresh(fetch).await,
        }
        self.inner.known(id)
    }
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

    async fn refresh(&self, fetch: &Fetch) {
        self.kept().asked = Some(Instant::now());
        self.fetch_with(fetch).await;
    }

    async fn fetch_with(&self, fetch: &Fetch) {
        let error = match fetch().await {
            Ok(keys) if !keys.is_empty() => {
                let mut kept = self.kept();
                let now = Some(Instant::now());
                (kept.keys, kept.fetched, kept.asked) = (keys, now, now);
                return;
            }
            Ok(_) => "the key set holds no usable key".to_owned(),
            Err(error) => error.to_string(),
        };
        let age = self.kept().fetched.map_or(0, |at| at.elapsed().as_secs());
        Line::error("the identity provider's keys cannot be fetched")
            .with("cause", error)
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

    /// An issuer that publishes the Ed25519 keys of these ids, slowly, or is down.
    #[derive(Default)]
    struct Issuer {
        ids: Mutex<Vec<&'static str>>,
        is_down: AtomicBool,
        asked: AtomicUsize,
    }

    const HOUR: Duration = Duration::from_secs(3_600);

    /// How long the issuer takes to answer, or its caller to give up.
    const ANSWER: Duration = Duration::from_secs(2);

    impl Issuer {
        fn with(ids: &[&'static str]) -> (Arc<Self>, Jwks) {
            let issuer = Arc::new(Self { ids: Mutex::new(ids.to_vec()), ..Self::default() });
            let asked = Arc::clone(&issuer);
            let fetch = move || -> BoxFuture<'static, _> { Box::pin(Arc::clone(&asked).answer()) };
            (issuer, Jwks::fetched_by(Box::new(fetch), 24 * HOUR))
        }

        async fn answer(self: Arc<Self>) -> Result<KeySet, Unavailable> {
            self.asked.fetch_add(1, Ordering::SeqCst);
            tokio::time::sleep(ANSWER).await;
            if self.is_down.load(Ordering::SeqCst) {
                return Err(Unavailable {
                    service: "token issuer",
                    outage: Outage::NoAnswer,
                    detail: "switched off".to_owned(),
                });
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
    async fn keys_are_fetched_anew_beside_requests_that_do_not_wait() {
        let (issuer, keys) = Issuer::with(&["a", "b"]);
        keys.connection().await;
        *issuer.ids.lock().unwrap() = vec!["b"];
        tokio::time::advance(REFRESHED_AFTER).await;
        assert_eq!(ask(&keys, "a").await, (true, Duration::ZERO), "as long as nothing better is known");
        tokio::time::sleep(ANSWER * 2).await;
        assert_eq!((ask(&keys, "a").await.0, ask(&keys, "b").await.0), (false, true), "a withdrawn key");
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
            (waited, requests) = (waited + u32::from(!time.is_zero()), requests + 1);
            assert!(!ask(&keys, "new").await.0);
            tokio::time::sleep(Duration::from_secs(10)).await;
        }
        assert!(waited <= 12 * 12, "{waited} of {requests} requests waited");
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
