//! A partner far away: slow to connect, slow to answer.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use adapters::outbound::{Breaker, CallScope, Partner, PartnerClient, Patience};
use reqwest::Url;
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// How many connections a server was asked for, and how many it made.
#[derive(Default)]
struct Connections {
    begun: AtomicUsize,
    made: AtomicUsize,
}

impl Connections {
    fn begun(&self) -> usize {
        self.begun.load(Ordering::Relaxed)
    }

    async fn all_made(&self) {
        let deadline = Instant::now() + Duration::from_secs(10);
        while self.made.load(Ordering::Relaxed) < self.begun() {
            assert!(Instant::now() < deadline, "a connection is not made");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

/// A server that takes its time once for each connection and once for each answer.
async fn slow(handshake: Duration, latency: Duration) -> (Url, Arc<Connections>) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
    let connections = Arc::<Connections>::default();
    let count = Arc::clone(&connections);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            count.begun.fetch_add(1, Ordering::Relaxed);
            let count = Arc::clone(&count);
            // A client that gives up is no failure of the server.
            tokio::spawn(async move { drop(serve(stream, handshake, latency, &count.made).await) });
        }
    });
    (url, connections)
}

async fn serve(
    mut stream: TcpStream,
    handshake: Duration,
    latency: Duration,
    made: &AtomicUsize,
) -> std::io::Result<()> {
    tokio::time::sleep(handshake).await;
    made.fetch_add(1, Ordering::Relaxed);
    let mut request = Vec::new();
    while stream.read_buf(&mut request).await? > 0 {
        if request.ends_with(b"\r\n\r\n") {
            request.clear();
            tokio::time::sleep(latency).await;
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nnull").await?;
        }
    }
    Ok(())
}

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
    partner.get::<Value>().await.unwrap();
    assert_eq!(connections.begun(), before);
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
