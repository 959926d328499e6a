//! The issuer's keys outlive the environments that fetched them.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use adapters::token::{Fetch, Jwks, KeySet, SharedKeys};
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::AttributeValue;
use domain::ports::{Outage, Unavailable};
use serde_json::json;

use crate::circuits::{TABLE, table};

const DAY: Duration = Duration::from_secs(24 * 3_600);
const URL: &str = "https://issuer.example/keys";

/// How long an issuer that is down keeps its caller waiting.
const HANGS: Duration = Duration::from_millis(2_500);

/// An issuer of one key, up or down, and environments that ask it and share this table.
struct World {
    client: Client,
    is_down: Arc<AtomicBool>,
    key: Arc<Mutex<&'static str>>,
}

impl World {
    async fn new() -> Self {
        Self { client: table().await, is_down: Arc::default(), key: Arc::new(Mutex::new("a")) }
    }

    fn fetch(&self) -> Fetch {
        let (is_down, key) = (Arc::clone(&self.is_down), Arc::clone(&self.key));
        Box::new(move || {
            let (is_down, key) = (Arc::clone(&is_down), Arc::clone(&key));
            Box::pin(async move {
                if is_down.load(Ordering::SeqCst) {
                    tokio::time::sleep(HANGS).await;
                    let (service, outage, detail) = ("token issuer", Outage::NoAnswer, String::new());
                    return Err(Unavailable { service, outage, detail });
                }
                let point = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
                let certificates = ["MIIB".repeat(1_000)];
                let id = *key.lock().unwrap();
                let key = json!({"kty": "OKP", "crv": "Ed25519", "kid": id, "x": point, "x5c": certificates});
                Ok(serde_json::from_value::<KeySet>(json!({"keys": [key, {"kty": "oct"}]})).unwrap())
            })
        })
    }

    /// The keys of an environment that starts now; it does not wait for an issuer that hangs.
    async fn environment(&self, url: &str, stale_after: Duration) -> Jwks {
        let copy = SharedKeys::new(self.client.clone(), TABLE, url);
        let keys = Jwks::fetched_by(self.fetch(), stale_after, Some(copy));
        adapters::connections::made([keys.connection()]).await;
        keys
    }

    /// When the keys of the copy were fetched, in milliseconds since 1970.
    async fn fetched_at(&self) -> i64 {
        let item = self.client.scan().table_name(TABLE).send().await.unwrap().items.unwrap().remove(0);
        item["fetched_at"].as_n().unwrap().parse().unwrap()
    }

    /// Makes the copy older.
    async fn age(&self, by: Duration) {
        let mut item = self.client.scan().table_name(TABLE).send().await.unwrap().items.unwrap().remove(0);
        let older = self.fetched_at().await - i64::try_from(by.as_millis()).unwrap();
        item.insert("fetched_at".to_owned(), AttributeValue::N(older.to_string()));
        self.client.put_item().table_name(TABLE).set_item(Some(item)).send().await.unwrap();
    }

    fn goes_down(&self) {
        self.is_down.store(true, Ordering::SeqCst);
    }
}

#[tokio::test]
async fn an_environment_that_starts_in_an_outage_knows_the_keys_that_another_fetched() {
    let world = World::new().await;
    world.environment(URL, DAY).await;
    world.goes_down();
    let keys = world.environment(URL, DAY).await;
    let begun = Instant::now();
    keys.key(Some("a")).await.unwrap();
    assert!(begun.elapsed() < HANGS / 2, "a known key waited {:?}", begun.elapsed());
    assert!(keys.key(Some("new")).await.is_err());
}

#[tokio::test]
async fn without_a_copy_an_environment_that_starts_in_an_outage_refuses_every_token() {
    let world = World::new().await;
    world.goes_down();
    assert!(world.environment(URL, DAY).await.key(Some("a")).await.is_err());
}

#[tokio::test]
async fn a_copy_of_another_issuers_keys_is_none() {
    let world = World::new().await;
    world.environment(URL, DAY).await;
    world.goes_down();
    assert!(world.environment("https://other.example/keys", DAY).await.key(Some("a")).await.is_err());
}

#[tokio::test]
async fn what_the_issuer_says_counts_and_not_the_copy() {
    let world = World::new().await;
    world.environment(URL, DAY).await;
    *world.key.lock().unwrap() = "b";
    let keys = world.environment(URL, DAY).await;
    assert!(keys.key(Some("a")).await.is_err(), "a withdrawn key");
    keys.key(Some("b")).await.unwrap();
}

#[tokio::test]
async fn a_copy_is_trusted_no_longer_than_keys_in_memory() {
    let world = World::new().await;
    world.environment(URL, DAY).await;
    world.goes_down();
    assert!(world.environment(URL, Duration::from_millis(1)).await.key(Some("a")).await.is_err());
}

#[tokio::test]
async fn the_age_of_a_copy_is_that_of_its_keys() {
    let world = World::new().await;
    world.environment(URL, DAY).await;
    world.age(DAY / 2).await;
    world.goes_down();
    assert!(world.environment(URL, DAY / 4).await.key(Some("a")).await.is_err());
    world.environment(URL, DAY).await.key(Some("a")).await.unwrap();
}

#[tokio::test]
async fn a_copy_is_renewed_when_it_is_older_than_five_minutes() {
    let world = World::new().await;
    world.environment(URL, DAY).await;
    let first = world.fetched_at().await;
    world.environment(URL, DAY).await;
    assert_eq!(world.fetched_at().await, first);
    world.age(Duration::from_secs(301)).await;
    world.environment(URL, DAY).await;
    assert!(world.fetched_at().await >= first);
}

#[tokio::test]
async fn a_copy_holds_usable_keys_without_their_certificates() {
    let world = World::new().await;
    world.environment(URL, DAY).await;
    let item = world.client.scan().table_name(TABLE).send().await.unwrap().items.unwrap().remove(0);
    assert_eq!(item["pk"].as_s().unwrap(), "issuer-keys");
    let keys = item["keys"].as_s().unwrap();
    assert!(keys.contains(r#""kid":"a""#) && !keys.contains("oct") && !keys.contains("x5c"), "{keys}");
}
