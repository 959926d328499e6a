//! Orders go on while the inventory service is down.

use std::time::{Duration, Instant};

use e2e::{Answer, Shop, eventually, order_of};
use futures_util::StreamExt;
use serde_json::Value;

/// Each fault lasts this long: 30 seconds in all.
const EACH: Duration = Duration::from_millis(7_500);

#[tokio::test]
async fn thirty_seconds_of_outage_lose_no_order_and_no_unit() {
    let shop = Shop::open().await;
    crate::calm(&shop).await;
    let product = shop.product(10_000).await;
    let answers = place_through_outage(&shop, &order_of(&[(&product, 2)])).await;
    let pending = answers.iter().filter(|answer| answer.status == 202).count();
    println!("{} orders, {pending} of them pending", answers.len());

    crate::calm(&shop).await;
    for answer in &answers {
        let path = format!("/orders/{}", answer.id());
        eventually("the completion of every order", || async {
            (shop.get(&path).await.body["status"] == "confirmed").then_some(())
        })
        .await;
    }
    let units = 2 * answers.len() as u64;
    eventually("every reservation being confirmed, to the unit", || async {
        (shop.partners.units(&product).await == (10_000 - units, 0, units)).then_some(())
    })
    .await;
}

/// Places orders, four at a time, while the inventory service fails in four ways. All are taken, some of them pending.
pub async fn place_through_outage(shop: &Shop, body: &Value) -> Vec<Answer> {
    let mut answers: Vec<Answer> = Vec::new();
    for (kind, value) in [("reset", 0), ("hang", 0), ("status", 500), ("delay", 2_000)] {
        shop.partners.fault("products", kind, value).await;
        shop.partners.fault("reservations", kind, value).await;
        let started = Instant::now();
        while started.elapsed() < EACH {
            let batch = futures_util::stream::iter(0..4).map(|_| {
                let key = uuid::Uuid::new_v4().to_string();
                async move { shop.place(&key, body).await }
            });
            answers.extend(batch.buffer_unordered(4).collect::<Vec<_>>().await);
            tokio::time::sleep(Duration::from_millis(250)).await;
        }
    }
    for answer in &answers {
        assert!(matches!(answer.status, 201 | 202), "{answer:?}");
        assert!(answer.status == 201 || !answer.header("retry-after").is_empty());
    }
    assert!(answers.iter().any(|answer| answer.status == 202), "there was no outage");
    answers
}
