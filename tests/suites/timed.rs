//! What bounds times: nothing else should run on the machine, nor beside these tests.

use std::time::{Duration, Instant};

use e2e::Shop;
use order_service_client::{BatchOrder, Status};

use crate::create_batch::{order_at, units};

/// Partners answer after 50 ms, as over a network: on loopback nothing of an order takes time but this machine's work.
const PARTNER_MS: u64 = 50;

#[tokio::test]
async fn fifty_orders_take_no_longer_than_six() {
    let shop = Shop::open().await;
    let product = shop.product(10_000).await;
    shop.partners.fault("*", "delay", PARTNER_MS).await;
    let one = [units(&product, 1)];
    let fifty = vec![one[0].clone(); 50];
    let mut times: [Vec<Duration>; 2] = Default::default();
    // The first run starts the function.
    for _ in 0..6 {
        for (times, orders) in times.iter_mut().zip([&one[..], &fifty]) {
            let began = Instant::now();
            let batch = shop.client.place_batch(orders).await.unwrap();
            times.push(began.elapsed());
            let is_confirmed = |placed: &BatchOrder| placed.order.status == Status::Confirmed;
            assert!((0..orders.len()).all(|index| is_confirmed(order_at(&batch, index))), "{batch:?}");
        }
    }
    let [one, fifty] = times.map(|mut times| {
        times.remove(0);
        times.sort_unstable();
        times[times.len() / 2]
    });
    let ratio = fifty.as_secs_f64() / one.as_secs_f64();
    println!("one order {one:?}, fifty {fifty:?}: {ratio:.1} times as long");
    assert!(ratio <= 6.0, "one order {one:?}, fifty {fifty:?}: {ratio:.1} times as long");
}
