//! A partner far away: slow to connect, slow to answer.

#![allow(clippy::unwrap_used, reason = "tests")]

mod slow;

use std::time::{Duration, Instant};

use adapters::outbound::{Breaker, CallScope, Partner, PartnerClient, Patience};
use reqwest::Url;
use serde_json::Value;

use slow::slow;

fn partner(url: Url, patience: &str) -> Partner {
    let patience: Patience = patience.parse().unwrap();
    PartnerClient::new().unwrap().partner("partner", url, Breaker::new(None)).with_patience(patience)
}

#[tokio::test]
async fn a_first_call_has_the_time_to_connect_as_well() {
    let (url, connections) = slow(Duration::from_millis(300), Duration::from_millis(200)).await;
    let partner = partner(url, "400,400,1250");
    for _ in 0..3 {
        partner.get::<Value>().await.unwrap();
    }
    assert_eq!(connections.begun(), 1);
}

#[tokio::test]
async fn the_connection_of_an_attempt_that_was_given_up_serves_the_next() {
    let (url, connections) = slow(Duration::from_millis(300), Duration::ZERO).await;
    let partner = partner(url, "100,100,2000");
    assert!(CallScope::within(Duration::from_millis(150), None).run(partner.get::<Value>()).await.is_err());
    let before = connections.begun();
    connections.all_made().await;
    // The server goes on in this thread: it answers, and the client keeps the connection.
    for _ in 0..1_000 {
        tokio::task::yield_now().await;
    }
    partner.get::<Value>().await.unwrap();
    assert_eq!(connections.begun(), before);
}

#[tokio::test]
async fn calls_that_the_end_of_their_request_cuts_short_open_no_circuit() {
    let (url, _) = slow(Duration::ZERO, Duration::from_millis(150)).await;
    let partner = partner(url, "300,300,2000");
    for _ in 0..10 {
        let request = CallScope::within(Duration::from_millis(20), None);
        assert!(request.run(partner.get::<Value>()).await.is_err());
    }
    partner.get::<Value>().await.unwrap();
}

#[tokio::test]
async fn calls_that_had_the_time_of_an_answer_and_got_none_open_the_circuit() {
    let (url, _) = slow(Duration::ZERO, Duration::from_secs(60)).await;
    let partner = partner(url, "300,20,2000");
    for _ in 0..5 {
        let request = CallScope::within(Duration::from_millis(30), None);
        assert!(request.run(partner.get::<Value>()).await.is_err());
    }
    let refused = partner.get::<Value>().await.unwrap_err();
    assert!(refused.to_string().contains("circuit is open"), "{refused}");
}

#[tokio::test]
async fn a_partner_that_hangs_costs_the_whole_patience_and_no_more() {
    let (url, _) = slow(Duration::from_secs(60), Duration::ZERO).await;
    let partner = partner(url, "100,100,500");
    let started = Instant::now();
    let scope = CallScope::of_request(None);
    scope
        .run(async {
            for _ in 0..3 {
                assert!(partner.get::<Value>().await.is_err());
            }
        })
        .await;
    assert!(
        (Duration::from_millis(400)..Duration::from_millis(700)).contains(&started.elapsed()),
        "{:?}",
        started.elapsed()
    );
}
