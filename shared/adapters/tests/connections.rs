//! The connections that are made while an environment starts.

#![allow(clippy::unwrap_used, reason = "tests")]

mod slow;

use std::time::{Duration, Instant};

use adapters::connections::{self, DEADLINE};
use adapters::outbound::{Breaker, CallScope, Circuits, Partner, PartnerClient};
use adapters::publisher::{EventBridge, SnsFeed};
use adapters::store::{DynamoStore, Shards};
use aws_config::{Region, SdkConfig};
use aws_sdk_dynamodb::config::{Credentials, SharedCredentialsProvider};
use reqwest::Url;
use serde_json::Value;
use tokio::net::TcpListener;

use slow::{slow, slow_once};

fn partner(url: Url, patience: &str) -> Partner {
    let client = PartnerClient::new().unwrap();
    client.partner("partner", url, Breaker::new(None)).with_patience(patience.parse().unwrap())
}

/// This service's own configuration, with every service of AWS at this address.
async fn aws(endpoint: &Url) -> SdkConfig {
    let config = adapters::aws::config().unwrap().into_builder();
    config
        .endpoint_url(endpoint.as_str())
        .region(Region::from_static("eu-central-1"))
        .credentials_provider(SharedCredentialsProvider::new(Credentials::for_tests()))
        .build()
}

/// Connects to everything at this address as the functions do; how long it took.
async fn connect_all(url: &Url) -> Duration {
    let aws = aws(url).await;
    let shards = Shards { status: 1, follow_up: 1 };
    let connections = [
        partner(url.clone(), "5000,5000,5000").connection(),
        partner(url.clone(), "5000,5000,5000").connection(),
        Circuits::new(aws_sdk_dynamodb::Client::new(&aws), "circuits").connection(),
        DynamoStore::new(aws_sdk_dynamodb::Client::new(&aws), "orders", shards, "eu-central-1").connection(),
        EventBridge::new(aws_sdk_eventbridge::Client::new(&aws), "bus").connection(),
        SnsFeed::new(aws_sdk_sns::Client::new(&aws), "topic").connection(),
    ];
    let started = Instant::now();
    connections::made(connections).await;
    started.elapsed()
}

#[tokio::test]
async fn endpoints_that_hang_delay_a_start_by_the_deadline_and_no_more() {
    let (url, _) = slow(Duration::from_secs(60), Duration::ZERO).await;
    let took = connect_all(&url).await;
    assert!((DEADLINE..DEADLINE + Duration::from_millis(500)).contains(&took), "{took:?}");
}

#[tokio::test]
async fn endpoints_that_are_not_there_delay_no_start() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
    drop(listener);
    let took = connect_all(&url).await;
    assert!(took < DEADLINE, "{took:?}");
}

#[tokio::test]
async fn connections_are_made_side_by_side() {
    let (url, connections) = slow(Duration::from_millis(300), Duration::from_millis(50)).await;
    let took = connect_all(&url).await;
    assert!((Duration::from_millis(350)..Duration::from_millis(700)).contains(&took), "{took:?}");
    assert_eq!(connections.begun(), 6, "one connection each");
}

#[tokio::test]
async fn the_connection_of_a_start_serves_the_first_call() {
    let (url, connections) = slow(Duration::from_millis(100), Duration::ZERO).await;
    let partner = partner(url.clone(), "1000,1000,2500");
    let aws = aws(&url).await;
    let shards = Shards { status: 1, follow_up: 1 };
    let client = aws_sdk_dynamodb::Client::new(&aws);
    let store = DynamoStore::new(client.clone(), "orders", shards, "eu-central-1");
    connections::made([partner.connection(), store.connection()]).await;
    assert_eq!(connections.begun(), 2);
    partner.get::<Value>().await.unwrap();
    // The answer is not one of DynamoDB's. It came over the connection that was there.
    client.list_tables().send().await.unwrap_err();
    assert_eq!(connections.begun(), 2);
}

#[tokio::test]
async fn a_connection_that_is_not_there_at_the_deadline_is_made_beside_the_first_calls() {
    let url = slow_once(DEADLINE + Duration::from_millis(300)).await;
    let partner = partner(url, "2500,100,2500");
    let started = Instant::now();
    connections::made([partner.connection()]).await;
    assert!(started.elapsed() < DEADLINE + Duration::from_millis(300), "{:?}", started.elapsed());
    while CallScope::within(Duration::from_millis(200), None).run(partner.get::<Value>()).await.is_err() {
        assert!(started.elapsed() < Duration::from_secs(10), "nothing came over the connection of the start");
    }
}
