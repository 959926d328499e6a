//! The shared circuits: three environments open one for all, and of many one probes.

use std::time::Duration;

use adapters::outbound::{CircuitState, Circuits, Election, Vote};
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{AttributeDefinition, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType};
use domain::ports::Clock;
use domain::timestamp::Timestamp;

use crate::engine::Engine;

pub const TABLE: &str = "circuits";

pub async fn table() -> Client {
    let client = Engine::start().await.client;
    let attribute = AttributeDefinition::builder().attribute_name("pk").attribute_type(ScalarAttributeType::S);
    let key = KeySchemaElement::builder().attribute_name("pk").key_type(KeyType::Hash);
    let create = client.create_table().table_name(TABLE).billing_mode(BillingMode::PayPerRequest);
    create.attribute_definitions(attribute.build().unwrap()).key_schema(key.build().unwrap()).send().await.unwrap();
    client
}

/// Each is an environment of its own.
fn environments<const N: usize>(client: &Client) -> [Circuits; N] {
    std::array::from_fn(|_| Circuits::new(client.clone(), TABLE))
}

fn now() -> Timestamp {
    adapters::system::SystemClock.now()
}

async fn seen_by(circuits: &Circuits, partner: &'static str) -> CircuitState {
    circuits.refresh().await.unwrap();
    circuits.of(partner).state()
}

#[tokio::test]
async fn a_circuit_that_nobody_opened_is_closed() {
    let [one] = environments(&table().await);
    assert_eq!(seen_by(&one, "inventory").await, CircuitState::Closed);
}

#[tokio::test]
async fn the_third_environment_that_votes_opens_the_circuit_for_all() {
    let client = table().await;
    let [one, two, three, other] = environments(&client);
    let (at, until) = (now(), now().plus(Duration::from_secs(5)));
    for _ in 0..5 {
        assert_eq!(one.of("inventory").vote(at, until).await.unwrap(), Vote::Alone, "one environment has one vote");
    }
    assert_eq!(two.of("inventory").vote(at, until).await.unwrap(), Vote::Alone);
    assert_eq!(three.of("customers").vote(at, until).await.unwrap(), Vote::Alone, "each partner has its own votes");
    assert_eq!(seen_by(&other, "inventory").await, CircuitState::Closed);
    assert_eq!(three.of("inventory").vote(at, until).await.unwrap(), Vote::Opened(until));
    assert_eq!(seen_by(&other, "inventory").await, CircuitState::Open { until });
    assert_eq!(other.of("inventory").vote(at, now()).await.unwrap(), Vote::WasOpen(until));
    assert_eq!(other.of("customers").state(), CircuitState::Closed);
    one.of("inventory").close().await.unwrap();
    assert_eq!(seen_by(&other, "inventory").await, CircuitState::Closed);
}

#[tokio::test]
async fn votes_count_for_ten_seconds() {
    let [one, two, three] = environments(&table().await);
    let at = |seconds| Timestamp::from_millis(now().as_millis()).plus(Duration::from_secs(seconds));
    assert_eq!(one.of("inventory").vote(at(0), at(5)).await.unwrap(), Vote::Alone);
    assert_eq!(two.of("inventory").vote(at(5), at(10)).await.unwrap(), Vote::Alone);
    assert_eq!(three.of("inventory").vote(at(11), at(16)).await.unwrap(), Vote::Alone);
    let Vote::Opened(_) = one.of("inventory").vote(at(12), at(17)).await.unwrap() else { panic!("three within 10 s") };
}

/// Three environments have opened the circuit of the inventory service: when.
async fn opened(client: &Client) -> Timestamp {
    let (at, voters): (_, [Circuits; 3]) = (now(), environments(client));
    for voter in voters {
        voter.of("inventory").vote(at, at).await.unwrap();
    }
    at
}

#[tokio::test]
async fn of_two_environments_that_wish_to_probe_at_the_same_time_one_does() {
    let client = table().await;
    let opened = opened(&client).await;
    let [one, two] = environments(&client).map(|circuits| circuits.of("inventory"));
    for window in 1..=20_u64 {
        let at = opened.plus(Duration::from_secs(10 * window));
        let next = at.plus(Duration::from_secs(5));
        let (first, second) = tokio::join!(one.elect(at, next), two.elect(at, next));
        let outcome = [first.unwrap(), second.unwrap()];
        let is_one = outcome.contains(&Election::Elected) && outcome.contains(&Election::NotBefore(next));
        assert!(is_one, "{outcome:?}");
    }
}

#[tokio::test]
async fn of_many_environments_one_is_elected_for_each_window() {
    let client = table().await;
    let opened = opened(&client).await;
    let circuits: [Circuits; 10] = environments(&client);
    for window in 1..=3_u64 {
        let at = opened.plus(Duration::from_secs(10 * window));
        let next = at.plus(Duration::from_secs(5));
        let mut elections = Vec::new();
        for environment in &circuits {
            elections.push(environment.of("inventory").elect(at, next).await.unwrap());
        }
        assert_eq!(elections.iter().filter(|election| **election == Election::Elected).count(), 1);
        assert_eq!(elections.iter().filter(|election| **election == Election::NotBefore(next)).count(), 9);
    }
    circuits[1].of("inventory").close().await.unwrap();
    assert_eq!(circuits[0].of("inventory").elect(now(), now()).await.unwrap(), Election::Closed);
}
