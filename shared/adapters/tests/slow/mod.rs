//! A server far away: slow to connect, slow to answer.

#![allow(dead_code, reason = "not every test file uses all of it")]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use reqwest::Url;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// How many connections a server was asked for, and how many it made.
#[derive(Default)]
pub struct Connections {
    begun: AtomicUsize,
    made: AtomicUsize,
}

impl Connections {
    pub fn begun(&self) -> usize {
        self.begun.load(Ordering::Relaxed)
    }

    pub async fn all_made(&self) {
        let deadline = Instant::now() + Duration::from_secs(10);
        while self.made.load(Ordering::Relaxed) < self.begun() {
            assert!(Instant::now() < deadline, "a connection is not made");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

/// A server that takes its time once for each connection and once for each answer.
pub async fn slow(handshake: Duration, latency: Duration) -> (Url, Arc<Connections>) {
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

/// A server that takes its time for its first connection, and serves no other.
pub async fn slow_once(handshake: Duration) -> Url {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
    tokio::spawn(async move {
        let (first, _) = listener.accept().await.unwrap();
        tokio::spawn(async move { drop(serve(first, handshake, Duration::ZERO, &AtomicUsize::new(0)).await) });
        let mut others = Vec::new();
        while let Ok((stream, _)) = listener.accept().await {
            others.push(stream);
        }
    });
    url
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
        if is_whole(&request) {
            let body: &[u8] = if request.starts_with(b"HEAD ") { b"" } else { b"null" };
            request.clear();
            tokio::time::sleep(latency).await;
            stream.write_all(&[b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n", body].concat()).await?;
        }
    }
    Ok(())
}

fn is_whole(request: &[u8]) -> bool {
    let text = String::from_utf8_lossy(request).to_lowercase();
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
    body.len() >= length.unwrap_or(0)
}
