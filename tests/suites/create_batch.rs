//! `POST /orders/batch`

use std::time::{Duration, Instant};

use e2e::{Answer, Shop, order_of};
use serde_json::{Value, json};
use uuid::Uuid;

/// The results; the batch must be answered 207.
fn results(answer: &Answer) -> &[Value] {
    assert_eq!(answer.status, 207, "{answer:?}");
    answer.body["results"].as_array().unwrap()
}

fn statuses(answer: &Answer) -> Vec<u64> {
    results(answer).iter().map(|result| result["status"].as_u64().unwrap()).collect()
}

fn new_key() -> String {
    Uuid::new_v4().to_string()
}

#[tokio::test]
async fn each_order_of_a_batch_is_placed_or_refused_by_itself_and_in_order() {
    let shop = Shop::open().await;
    let (plenty, scarce) = (shop.product(10).await, shop.product(1).await);
    let nobody = json!({"customer_id": "nobody", "lines": [{"product_id": plenty, "quantity": 1}]});
    let orders = [
        order_of(&[(&plenty, 1)]),
        order_of(&[(&scarce, 2)]),
        nobody,
        json!({"customer_id": "cust-1", "lines": [], "surprise": true}),
        json!("no order"),
        order_of(&[(&plenty, 3)]),
    ];
    let answer = shop.place_batch(&new_key(), &orders).await;
    assert_eq!(statuses(&answer), [201, 409, 422, 422, 422, 201]);
    let codes: Vec<_> =
        results(&answer).iter().map(|result| result["problem"]["code"].as_str().unwrap_or("")).collect();
    let expected = ["", "out_of_stock", "unknown_customer", "validation_failed", "validation_failed", ""];
    assert_eq!(codes, expected);
    for (index, result) in results(&answer).iter().enumerate() {
        assert_eq!(result["index"], index);
    }
    assert_eq!(results(&answer)[3]["problem"]["errors"][0]["pointer"], "/surprise");
    let placed = &results(&answer)[5]["order"];
    assert_eq!(placed["total"], json!({"amount": 3_000, "currency": "EUR"}));
    let read = shop.get(&format!("/orders/{}", placed["id"].as_str().unwrap())).await;
    assert_eq!((read.status, &read.body["lines"]), (200, &placed["lines"]));
    let (available, reserved, confirmed) = shop.partners.units(&plenty).await;
    assert_eq!((available, reserved + confirmed), (6, 4));
    assert_eq!(shop.partners.units(&scarce).await, (1, 0, 0));
}

#[tokio::test]
async fn a_batch_that_is_sent_again_places_each_order_once() {
    let shop = Shop::open().await;
    let (plenty, scarce) = (shop.product(100).await, shop.product(1).await);
    let key = new_key();
    let orders = [order_of(&[(&plenty, 1)]), order_of(&[(&scarce, 2)]), order_of(&[(&plenty, 1)])];
    let sent = futures_util::future::join_all((0..10).map(|_| shop.place_batch(&key, &orders))).await;
    let ids = |answer: &Answer| -> Vec<Value> {
        results(answer).iter().map(|result| result["order"]["id"].clone()).collect()
    };
    let first = ids(&sent[0]);
    assert_ne!(first[0], first[2], "the same order twice in one batch is two orders");
    for answer in &sent {
        assert_eq!((statuses(answer), ids(answer)), (vec![201, 409, 201], first.clone()));
    }
    let originals = |index: usize| sent.iter().filter(|answer| results(answer)[index]["replayed"] == false).count();
    assert_eq!((originals(0), originals(2)), (1, 1));
    let (available, reserved, confirmed) = shop.partners.units(&plenty).await;
    assert_eq!((available, reserved + confirmed), (98, 2));

    shop.partners.stock(&scarce, 5, 1_000, "EUR").await;
    let later = shop.place_batch(&key, &orders).await;
    assert_eq!(statuses(&later), [201, 201, 201], "what was refused is tried again");
    assert_eq!(results(&later)[1]["replayed"], false);

    let shorter = shop.place_batch(&key, &[orders[2].clone(), orders[1].clone()]).await;
    assert_eq!(ids(&shorter), [first[0].clone(), ids(&later)[1].clone()], "an order is known by what it asks for");

    let single = shop.place(&key, &orders[0]).await;
    assert_eq!((single.status, single.header("idempotent-replayed")), (201, ""), "the key of a batch names no order");
}

#[tokio::test]
async fn while_a_partner_is_down_the_orders_of_a_batch_are_pending() {
    let shop = Shop::open().await;
    let product = shop.product(100).await;
    shop.partners.fault("customers", "status", 503).await;
    let orders = vec![order_of(&[(&product, 1)]); 5];
    let answer = shop.place_batch(&new_key(), &orders).await;
    shop.partners.fault("customers", "none", 0).await;
    assert_eq!(statuses(&answer), [202; 5]);
    assert!(results(&answer).iter().all(|result| result["order"]["status"] == "pending"), "{answer:?}");
}

#[tokio::test]
async fn a_batch_holds_1_to_50_orders_and_256_kib() {
    let shop = Shop::open().await;
    for (count, code) in [(0, "empty"), (51, "too_many")] {
        let answer = shop.place_batch(&new_key(), &vec![order_of(&[("sku-1", 1)]); count]).await;
        assert_eq!((answer.status, answer.code()), (422, "validation_failed"));
        assert_eq!(
            (&answer.body["errors"][0]["pointer"], &answer.body["errors"][0]["code"]),
            (&json!("/orders"), &json!(code))
        );
    }
    let answer = shop.place_batch(&new_key(), &vec![json!({"notes": "n".repeat(6_000)}); 50]).await;
    assert_eq!((answer.status, answer.code()), (413, "body_too_large"));
    let answer = shop.place_batch("a b", &[order_of(&[("sku-1", 1)])]).await;
    assert_eq!((answer.status, answer.code()), (400, "invalid_idempotency_key"));
}

/// Partners answer after 50 ms, as over a network: on loopback nothing of an order takes time but this machine's work.
const PARTNER_MS: u64 = 50;

#[tokio::test]
async fn fifty_orders_take_no_longer_than_six() {
    let shop = Shop::open().await;
    let product = shop.product(10_000).await;
    shop.partners.fault("*", "delay", PARTNER_MS).await;
    let one = [order_of(&[(&product, 1)])];
    let fifty = vec![one[0].clone(); 50];
    let mut times: [Vec<Duration>; 2] = Default::default();
    // The first run starts the function.
    for _ in 0..6 {
        for (times, orders) in times.iter_mut().zip([&one[..], &fifty]) {
            let began = Instant::now();
            let answer = shop.place_batch(&new_key(), orders).await;
            times.push(began.elapsed());
            assert!(statuses(&answer).iter().all(|status| *status == 201), "{answer:?}");
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
