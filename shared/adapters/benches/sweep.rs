//! How many orders one sweep function completes in a second: the real adapters, a DynamoDB engine, and partners that
//! answer over HTTP after 50 ms.
//!
//! `make measure-sweep`; `ORDERS=n` sets how many orders wait (6,000).

#![allow(
    dead_code,
    unused_imports,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a measurement"
)]

#[path = "../tests/store/engine/mod.rs"]
mod engine;

use std::sync::mpsc;
use std::time::{Duration, Instant};

use adapters::outbound::{Breaker, CallScope, PartnerClient};
use adapters::partners::{HttpCustomers, HttpInventory};
use adapters::store::DynamoStore;
use adapters::system::SystemClock;
use domain::memory::sample;
use domain::order::{Order, OrderData};
use domain::ports::{Clock, OrderStore};
use domain::use_cases::{FollowUps, Sweep};
use futures_util::{StreamExt, stream};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use engine::Engine;

const LATENCY: Duration = Duration::from_millis(50);

/// `FOLLOW_UP_SHARDS`
const SHARDS: u32 = 32;

/// How long a sweep begins orders.
const RUN: Duration = Duration::from_secs(50);

/// The table, filled, and the partners' address, on a thread of their own.
fn services(orders: u32) -> (DynamoStore, String) {
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let store = Engine::start().await.store(SHARDS);
            let order = |n| OrderData { id: sample::order_id(n), ..(*sample::bare_order()).clone() };
            let inserts = stream::iter(0..orders).map(|n| Order::restore(order(n)));
            inserts.for_each_concurrent(20, async |order| drop(store.insert(&order).await.unwrap())).await;
            sender.send((store, partners().await)).unwrap();
            std::future::pending::<()>().await;
        });
    });
    receiver.recv().unwrap()
}

async fn partners() -> String {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(async move { drop(serve(stream).await) });
        }
    });
    url
}

/// Answers one call after another.
async fn serve(mut stream: TcpStream) -> std::io::Result<()> {
    loop {
        let mut request = Vec::new();
        let head = loop {
            if let Some(end) = request.windows(4).position(|window| window == b"\r\n\r\n") {
                break String::from_utf8_lossy(&request[..end]).to_lowercase();
            }
            if stream.read_buf(&mut request).await? == 0 {
                return Ok(());
            }
        };
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
        while request.len() < head.len() + 4 + length.unwrap_or(0) {
            stream.read_buf(&mut request).await?;
        }
        tokio::time::sleep(LATENCY).await;
        let body = body(&head);
        let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len());
        stream.write_all(answer.as_bytes()).await?;
    }
}

/// The customer or the products that are asked for.
fn body(head: &str) -> String {
    let path = head.split(' ').nth(1).unwrap();
    let product =
        |id| format!(r#"{{"id":"{id}","name":"Tea","unit_price":{{"amount":100,"currency":"EUR"}},"available":9}}"#);
    match (path.strip_prefix("/customers/"), path.strip_prefix("/products?ids=")) {
        (Some(id), _) => format!(r#"{{"id":"{id}","name":"Ada","email":"ada@shop.example","status":"active"}}"#),
        (_, Some(ids)) => {
            format!(r#"{{"products":[{}]}}"#, ids.split(',').map(product).collect::<Vec<_>>().join(","))
        }
        (None, None) => r#"{"expires_at":1798761600000}"#.to_owned(),
    }
}

/// One function has one thread.
#[tokio::main(flavor = "current_thread")]
async fn main() {
    let orders = std::env::var("ORDERS").map_or(6_000, |orders| orders.parse().unwrap());
    let (store, url) = services(orders);
    let client = PartnerClient::new().unwrap();
    let partner = |name| client.partner(name, url.parse().unwrap(), Breaker::new(None));
    let follow_ups = FollowUps {
        store,
        // Nothing is kept: every order asks for its customer and its products.
        customers: HttpCustomers::new(partner("customer service"), Duration::ZERO),
        inventory: HttpInventory::new(partner("inventory service"), Duration::ZERO),
        // None is canceled: an order that fails is postponed.
        pending_timeout: Duration::from_secs(10 * 365 * 24 * 3_600),
    };
    let (clock, begun) = (SystemClock, Instant::now());
    let sweep = Sweep { follow_ups, clock };
    let stamp = sample::stamp(60);
    let work = sweep.run(&stamp, SystemClock.now().plus(RUN));
    let swept = CallScope::within(RUN + Duration::from_secs(5), None).run(work).await;
    let took = begun.elapsed();
    println!(
        "{} of {orders} pending orders in {took:.1?}: {:.0} a second",
        swept.done,
        swept.done as f64 / took.as_secs_f64()
    );
    assert_eq!((swept.postponed, swept.put_off, swept.failed, swept.unread), (0, 0, 0, None));
}
