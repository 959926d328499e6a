//! Partners far away: 600 ms for a handshake over TLS, 400 ms for an answer.

use std::time::{Duration, Instant};

use e2e::{Shop, order_of};
use tokio::task::JoinSet;

use super::patience::whole_patience;

const HANDSHAKE_MS: u64 = 600;
const LATENCY_MS: u64 = 400;

#[tokio::test]
async fn slow_partners_behind_tls_still_confirm_every_order_at_once() {
    let shop = Shop::open().await;
    crate::calm(&shop).await;
    let product = shop.product(1_000).await;
    shop.partners.fault("*", "delay", LATENCY_MS).await;
    shop.partners.slow_handshakes(HANDSHAKE_MS).await;
    shop.partners.forget_calls().await;
    let handshakes = shop.partners.delayed_handshakes().await;
    let mut creates = JoinSet::new();
    let mut ticks = tokio::time::interval(Duration::from_millis(100));
    for n in 0..200 {
        ticks.tick().await;
        let (shop, body) = (shop.clone(), order_of(&[(&product, 1)]));
        creates.spawn(async move {
            let begun = Instant::now();
            let answer = shop.place(&format!("slow-{n}"), &body).await;
            (begun.elapsed(), answer)
        });
    }
    let mut outcomes = creates.join_all().await;
    let health = shop.get("/health").await.body;
    let handshakes = shop.partners.delayed_handshakes().await - handshakes;
    shop.partners.slow_handshakes(0).await;
    outcomes.sort_by_key(|(took, _)| *took);
    let p99 = outcomes[197].0;
    println!("create: p50 {:?}, p99 {p99:?}, slowest {:?}", outcomes[100].0, outcomes[199].0);
    println!("{handshakes} slow handshakes");
    let failed: Vec<_> = outcomes.iter().filter(|(_, answer)| answer.status != 201).collect();
    assert!(failed.is_empty(), "{} of 200: {failed:?}", failed.len());
    assert!(handshakes > 0, "no handshake was slow");
    assert!(p99 < Duration::from_millis(whole_patience()), "p99 {p99:?}");
    assert_eq!(health["status"], "ok", "{health}");
    crate::calm(&shop).await;
}
