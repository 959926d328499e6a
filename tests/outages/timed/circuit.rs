//! The circuit of a partner that fails, seen from the partner's own log of calls.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use e2e::{Shop, eventually, order_of};
use futures_util::StreamExt;

/// How long an open circuit waits for the next probe.
const WINDOW_MS: u64 = 5_000;

/// How old an environment's knowledge of a closed circuit may be.
const FRESH_FOR_MS: u64 = 5_000;

/// So many orders at a time: more than the three environments whose votes open a circuit for all.
const AT_ONCE: usize = 6;

/// Each environment fails five times before it votes; run-follow-ups and sweep-follow-ups, which do not vote, try the
/// pending orders meanwhile.
const FAILURES: usize = 5 * 2 * AT_ONCE;

#[tokio::test]
async fn an_open_circuit_is_known_to_new_environments_and_probed_once_a_window() {
    let shop = Shop::open().await;
    crate::calm(&shop).await;
    let product = shop.product(10_000).await;
    let place = || async { shop.place(&uuid::Uuid::new_v4().to_string(), &order_of(&[(&product, 1)])).await };
    assert_eq!(place().await.status, 201);

    shop.partners.fault("products", "status", 500).await;
    shop.partners.fault("reservations", "status", 500).await;
    shop.partners.forget_calls().await;
    let place_many = || async {
        let orders = futures_util::stream::iter(0..AT_ONCE).map(|_| place()).buffer_unordered(AT_ONCE);
        assert!(orders.collect::<Vec<_>>().await.iter().all(|answer| answer.status == 202));
    };
    let mut failures = 0;
    while shop.get("/health").await.body["circuits"]["inventory"] != "open" {
        place_many().await;
        failures = shop.partners.calls(&["products"]).await.len();
        assert!(failures <= FAILURES, "still closed after {failures} failures");
    }
    // Environments that were warm rely for so long on what they read before; then nobody is left who does not know.
    let opened = Instant::now();
    eventually("every environment knowing of it", || async {
        // All of them at a time: one that has not asked for a while makes a call beside its question.
        place_many().await;
        let calls = shop.partners.calls(&["products", "reservations"]).await;
        let is_quiet = calls.last().is_none_or(|last| now() - last > 1_000);
        (opened.elapsed() > Duration::from_millis(FRESH_FOR_MS + 1_000) && is_quiet).then_some(())
    })
    .await;

    let from = now();
    let started = Instant::now();
    while started.elapsed() < Duration::from_millis(4 * WINDOW_MS) {
        // More at a time than there are warm environments, so that new ones start.
        place_many().await;
    }
    let probes = shop.partners.calls(&["products", "reservations"]).await;
    let probes: Vec<u64> = probes.into_iter().filter(|at| *at > from).collect();
    println!("opened after {failures} failures; probes in {} ms: {probes:?}", now() - from);
    assert!((2..=5).contains(&probes.len()), "{probes:?}");
    // A function of the follow-ups that starts meanwhile reads the circuit beside its first call.
    let is_early = |pair: &&[u64]| pair[1] - pair[0] < WINDOW_MS - 500;
    assert!(probes.windows(2).filter(is_early).count() <= 1, "two probes in one window: {probes:?}");

    crate::calm(&shop).await;
    // An environment that asked while somebody else's probe was under way refuses calls for one window more.
    let closed = Instant::now();
    eventually("an order being confirmed at once", || async { (place().await.status == 201).then_some(()) }).await;
    assert!(closed.elapsed() < Duration::from_millis(WINDOW_MS + 1_000), "{:?} after it closed", closed.elapsed());
}

fn now() -> u64 {
    u64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis()).unwrap()
}
