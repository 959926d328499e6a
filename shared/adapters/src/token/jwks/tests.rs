//! Requests wait for the issuer as seldom as they may.

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

#[test]
fn keys_are_given_or_come_over_an_encrypted_connection() {
    let fetched = |setting: &str| matches!(Source::parse(setting), Ok(Source::Fetched(_)));
    for url in ["https://issuer.example/keys", "http://127.0.0.1:4580/keys"] {
        assert!(fetched(url), "{url}");
    }
    let given = r#" {"keys":[{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}"#;
    assert!(matches!(Source::parse(given), Ok(Source::Given(_))));
    for wrong in
        ["http://issuer.example/keys", "http://localhost.example/keys", "issuer.example", r#"{"keys":[]}"#, "[]"]
    {
        assert!(matches!(Source::parse(wrong), Err(ConfigError::Invalid { name: "JWKS", .. })), "{wrong}");
    }
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
        (issuer, Jwks::fetched_by(Box::new(fetch), 24 * HOUR, None))
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

#[tokio::test(start_paused = true)]
async fn a_request_waits_for_keys_older_than_an_hour_as_long_as_a_slow_issuer_takes() {
    let (issuer, keys) = Issuer::with(&["a", "b"]);
    keys.connection().await;
    *issuer.ids.lock().unwrap() = vec!["b"];
    tokio::time::advance(AWAITED_AFTER).await;
    assert_eq!(ask(&keys, "a").await, (false, ANSWER), "a withdrawn key");
    assert_eq!(ask(&keys, "b").await, (true, Duration::ZERO));
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
