//! The shared circuits: of many environments one probes.

use std::time::Duration;

use adapters::outbound::{CircuitState, Circuits};
use aws_sdk_dynamodb::types::{AttributeDefinition, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType};
use domain::ports::Clock;

use crate::engine::Engine;

const TABLE: &str = "circuits";

async fn circuits() -> Circuits {
    let client = Engine::start().await.client;
    let attribute = AttributeDefinition::builder().attribute_name("pk").attribute_type(ScalarAttributeType::S);
    let key = KeySchemaElement::builder().attribute_name("pk").key_type(KeyType::Hash);
    let create = client.create_table().table_name(TABLE).billing_mode(BillingMode::PayPerRequest);
    create.attribute_definitions(attribute.build().unwrap()).key_schema(key.build().unwrap()).send().await.unwrap();
    Circuits::new(client, TABLE)
}

fn now() -> domain::timestamp::Timestamp {
    adapters::system::SystemClock.now()
}

#[tokio::test]
async fn a_circuit_that_nobody_opened_is_closed() {
    assert_eq!(circuits().await.of("inventory").read().await.unwrap(), CircuitState::Closed);
}

#[tokio::test]
async fn what_one_environment_opens_and_closes_another_sees() {
    let circuits = circuits().await;
    let (one, other) = (circuits.of("inventory"), circuits.of("inventory"));
    let until = now().plus(Duration::from_secs(5));
    one.open(until).await.unwrap();
    assert_eq!(other.read().await.unwrap(), CircuitState::Open { until });
    assert_eq!(circuits.of("customers").read().await.unwrap(), CircuitState::Closed);
    one.close().await.unwrap();
    assert_eq!(other.read().await.unwrap(), CircuitState::Closed);
}

#[tokio::test]
async fn of_many_environments_one_is_elected_for_each_window() {
    use adapters::outbound::Election;
    let circuit = circuits().await.of("inventory");
    circuit.open(now()).await.unwrap();
    for window in 1..=3u64 {
        let at = now().plus(Duration::from_secs(10 * window));
        let next = at.plus(Duration::from_secs(5));
        let mut elections = Vec::new();
        for _ in 0..10 {
            elections.push(circuit.elect(at, next).await.unwrap());
        }
        assert_eq!(elections.iter().filter(|election| **election == Election::Elected).count(), 1);
        assert_eq!(elections.iter().filter(|election| **election == Election::NotBefore(next)).count(), 9);
    }
    circuit.close().await.unwrap();
    assert_eq!(circuit.elect(now(), now()).await.unwrap(), Election::Closed);
}
