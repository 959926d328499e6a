//! Many clients change one order at once.

use e2e::{Answer, Shop, eventually};
use futures_util::StreamExt;
use serde_json::json;

/// One writer: status, shipping or metadata, retried after a conflict.
async fn write(shop: &Shop, path: &str, n: usize) -> Answer {
    loop {
        let answer = match n % 3 {
            0 => shop.put(&format!("{path}/status"), &json!({"status": "processing"})).await,
            1 => {
                let shipping = json!({"carrier": "c", "tracking_number": format!("track-{n}")});
                shop.put_once_confirmed(&format!("{path}/shipping"), &shipping).await
            }
            _ => shop.put(path, &json!({"metadata": {"writer": n.to_string()}})).await,
        };
        if answer.code() != "conflict" {
            return answer;
        }
    }
}

#[tokio::test]
async fn fifty_writers_lose_no_acknowledged_change_and_the_events_match_the_history() {
    let shop = Shop::open().await;
    let product = shop.product(1).await;
    let path = format!("/orders/{}", shop.order(&[(&product, 1)]).await.id());
    let writers = futures_util::stream::iter(0..50).map(|n| write(&shop, &path, n)).buffer_unordered(50);
    let answers: Vec<Answer> = writers.collect().await;
    for answer in &answers {
        assert!(answer.status == 200 || answer.code() == "illegal_transition", "{answer:?}");
    }
    let order = shop.get(&path).await.body;
    let history = order["history"].as_array().unwrap();
    let versions: Vec<u64> = history.iter().map(|entry| entry["version"].as_u64().unwrap()).collect();
    assert_eq!(versions, (1..=order["version"].as_u64().unwrap()).collect::<Vec<_>>());
    let request_ids: Vec<_> = history.iter().map(|entry| entry["request_id"].as_str().unwrap()).collect();
    for answer in answers.iter().filter(|answer| answer.status == 200) {
        let version = answer.body["version"].as_u64().unwrap();
        assert!(version <= *versions.last().unwrap());
        let shown = answer.body["history"].as_array().unwrap().last().unwrap()["request_id"].as_str().unwrap();
        assert!(request_ids.contains(&shown), "an acknowledged change is missing: {answer:?}");
    }
    let recorded: Vec<String> = history
        .iter()
        .flat_map(|entry| entry["events"].as_array().unwrap())
        .map(|kind| kind.as_str().unwrap().to_owned())
        .collect();
    let events = shop.events.of(order["id"].as_str().unwrap(), recorded.len()).await;
    let announced: Vec<_> = events.iter().map(|event| event["type"].as_str().unwrap().to_owned()).collect();
    assert_eq!(announced, recorded);
}

#[tokio::test]
async fn twenty_line_edits_at_once_reserve_what_the_order_has_and_nothing_else() {
    let shop = Shop::open().await;
    let product = shop.product(10_000).await;
    let path = format!("/orders/{}", shop.order(&[(&product, 1)]).await.id());
    for round in 0..3 {
        let edit = |n: u64| {
            let lines = json!({"lines": [{"product_id": product, "quantity": 10 * n + round + 2}]});
            let (shop, path) = (&shop, &path);
            async move { shop.put(path, &lines).await }
        };
        let edits = futures_util::stream::iter(0..20).map(edit).buffer_unordered(20);
        for answer in edits.collect::<Vec<_>>().await {
            let expected =
                matches!((answer.status, answer.code()), (200, _) | (409, "conflict" | "reservation_unconfirmed"));
            assert!(expected, "losing to other writers is a conflict: {answer:?}");
        }
    }
    let quantity = shop.get(&path).await.body["lines"][0]["quantity"].as_u64().unwrap();
    eventually("no reservation but the order's", || async {
        (shop.partners.units(&product).await == (10_000 - quantity, 0, quantity)).then_some(())
    })
    .await;
}
