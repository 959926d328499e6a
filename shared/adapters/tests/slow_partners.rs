//! Partners far away: TLS with a certificate authority of their own, 600 ms for a handshake, 400 ms for an answer.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use std::sync::Arc;
use std::time::{Duration, Instant};

use adapters::connections;
use adapters::outbound::{Breaker, CallScope, PartnerClient, Patience};
use adapters::partners::{HttpCustomers, HttpInventory};
use adapters::system::RandomIds;
use domain::memory::{MemoryStore, sample};
use domain::status::Status;
use domain::use_cases::{OrderRequest, PlaceOrder};
use futures_util::future::join_all;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Mutex;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring::default_provider;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

const HANDSHAKE: Duration = Duration::from_millis(600);
const LATENCY: Duration = Duration::from_millis(400);

/// Environments that serve requests, each one at a time.
const ENVIRONMENTS: usize = 20;

type Service = PlaceOrder<Arc<MemoryStore>, HttpCustomers, HttpInventory, RandomIds>;

/// A certificate authority, in PEM, and what a server of this machine needs that it vouches for.
fn authority() -> (String, TlsAcceptor) {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let certificate =
        CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap().signed_by(&key, &authority).unwrap();
    let private = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], private)
        .unwrap();
    (authority.pem(), TlsAcceptor::from(Arc::new(config)))
}

/// What a partner does with a connection after it has answered.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Then {
    Keeps,
    Closes,
}

/// Both partners; where they are.
async fn partners(acceptor: TlsAcceptor, then: Then) -> String {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let url = format!("https://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            // A client that gives up is no failure of the server.
            tokio::spawn(async move { drop(serve(stream, acceptor, then).await) });
        }
    });
    url
}

async fn serve(stream: TcpStream, acceptor: TlsAcceptor, then: Then) -> std::io::Result<()> {
    tokio::time::sleep(HANDSHAKE).await;
    let mut stream = acceptor.accept(stream).await?;
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
        stream.write_all(answer(&head).as_bytes()).await?;
        if then == Then::Closes {
            return stream.shutdown().await;
        }
    }
}

fn answer(head: &str) -> String {
    let path = head.split(' ').nth(1).unwrap();
    let (status, body) = match path.split(['/', '?']).nth(1).unwrap() {
        "customers" => (200, r#"{"id":"cust-1","name":"Ada","email":"ada@shop.example","status":"active"}"#.to_owned()),
        "products" => {
            let product = |id| {
                format!(r#"{{"id":"{id}","name":"Tea","unit_price":{{"amount":100,"currency":"EUR"}},"available":9}}"#)
            };
            let products: Vec<_> = ["sku-1", "sku-2"].map(product).into();
            (200, format!(r#"{{"products":[{}]}}"#, products.join(",")))
        }
        "reservations" => {
            let id = path.rsplit('/').next().unwrap();
            (200, format!(r#"{{"id":"{id}","expires_at":"2100-01-01T00:00:00Z"}}"#))
        }
        _ => (404, String::new()),
    };
    format!("HTTP/1.1 {status} Status\r\nContent-Length: {}\r\n\r\n{body}", body.len())
}

/// What an environment of create-order has, connected as at its start.
async fn environment(url: &str, ca: &str, store: Arc<MemoryStore>) -> Service {
    let client = PartnerClient::trusting(Some(ca)).unwrap();
    let partner =
        |name| client.partner(name, url.parse().unwrap(), Breaker::new(None)).with_patience(Patience::default());
    let customers = HttpCustomers::new(partner("customer service"), Duration::ZERO);
    let inventory = HttpInventory::new(partner("inventory service"), Duration::ZERO);
    connections::made([customers.connection(), inventory.connection()]).await;
    PlaceOrder { store, customers, inventory, ids: RandomIds, home_region: "eu-central-1".to_owned() }
}

/// How long a create took, and what became of the order.
async fn create(service: &Service) -> (Duration, Status) {
    let begun = Instant::now();
    let request = OrderRequest { caller: sample::caller(), key: None, draft: sample::draft(), stamp: sample::stamp(1) };
    let placed = CallScope::of_request(None).run(service.run(request)).await.unwrap();
    (begun.elapsed(), placed.order.status)
}

#[tokio::test]
async fn slow_partners_behind_tls_still_confirm_every_order_at_once() {
    let (ca, acceptor) = authority();
    let (url, store) = (partners(acceptor, Then::Keeps).await, Arc::new(MemoryStore::default()));
    let started = (0..ENVIRONMENTS).map(|_| environment(&url, &ca, Arc::clone(&store)));
    let environments: Vec<_> = join_all(started).await.into_iter().map(|one| Arc::new(Mutex::new(one))).collect();
    let mut creates = JoinSet::new();
    let mut ticks = tokio::time::interval(Duration::from_millis(100));
    for n in 0..200 {
        ticks.tick().await;
        let environment = Arc::clone(&environments[n % ENVIRONMENTS]);
        creates.spawn(async move { create(&*environment.lock().await).await });
    }
    let mut outcomes = creates.join_all().await;
    outcomes.sort_by_key(|(time, _)| *time);
    println!("create: p50 {:?}, p99 {:?}, slowest {:?}", outcomes[100].0, outcomes[197].0, outcomes[199].0);
    let pending = outcomes.iter().filter(|(_, status)| *status != Status::Confirmed).count();
    assert_eq!((pending, store.len()), (0, 200), "a pending order is one that a call failed for");
}

#[tokio::test]
async fn partners_that_close_after_each_answer_still_confirm_every_order_at_once() {
    let (ca, acceptor) = authority();
    let url = partners(acceptor, Then::Closes).await;
    let service = environment(&url, &ca, Arc::default()).await;
    for _ in 0..3 {
        let (took, status) = create(&service).await;
        assert_eq!(status, Status::Confirmed, "after {took:?}");
    }
}
