//! The publisher is killed at random while orders change: every event comes out all the same, and the feed in order.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use e2e::{Functions, Queue, Shop, eventually};
use futures_util::StreamExt;
use serde_json::{Value, json};
use uuid::Uuid;

/// Each order goes through ten versions.
const ORDERS: usize = 50;

#[tokio::test]
async fn a_publisher_killed_at_random_loses_no_event_and_keeps_the_feed_in_order() {
    let shop = Shop::open().await;
    crate::calm(&shop).await;
    let product = shop.product(10_000).await;
    let stop = Arc::new(AtomicBool::new(false));
    let killer = tokio::spawn(kill_publishers(Arc::clone(&stop)));
    let lives = futures_util::stream::iter(0..ORDERS).map(|_| live(&shop, &product)).buffer_unordered(3);
    let orders: Vec<Value> = lives.collect().await;
    stop.store(true, Ordering::Relaxed);
    let kills = killer.await.unwrap();

    let versions: usize = orders.iter().map(|order| order["history"].as_array().unwrap().len()).sum();
    println!("{versions} versions, {kills} publishers killed");
    assert!(versions >= 500 && kills >= 5);
    let mut expected = HashMap::new();
    for order in &orders {
        let (id, ids) = (order["id"].as_str().unwrap().to_owned(), recorded(order));
        let bus: Vec<Value> = shop.events.of(&id, ids.len()).await;
        assert_eq!(bus.iter().map(|event| text(event, "id")).collect::<Vec<_>>(), ids, "on the bus");
        expected.insert(id, ids);
    }
    assert_eq!(fed(&expected).await, expected, "on the feed, in order");
}

/// An order from its creation to its delivery.
async fn live(shop: &Shop, product: &str) -> Value {
    let id = shop.order(&[(product, 1)]).await.id();
    let path = format!("/orders/{id}");
    for n in 0..6 {
        assert_eq!(shop.put(&path, &json!({"metadata": {"n": n.to_string()}})).await.status, 200);
    }
    assert_eq!(shop.move_to(&id, "processing").await.status, 200);
    let shipping = json!({"carrier": "c", "tracking_number": "1"});
    assert_eq!(shop.put_once_confirmed(&format!("{path}/shipping"), &shipping).await.status, 200);
    assert_eq!(shop.move_to(&id, "delivered").await.status, 200);
    shop.get(&path).await.body
}

/// Kills whatever publishes, some times a second, until told to stop; how many died. The emulator waits a while before
/// it starts the next.
async fn kill_publishers(stop: Arc<AtomicBool>) -> usize {
    let publishers = Functions::named("PublishEvents");
    let mut kills = 0;
    while !stop.load(Ordering::Relaxed) {
        let pause = u64::try_from(Uuid::new_v4().as_u128() % 150).unwrap();
        tokio::time::sleep(Duration::from_millis(pause)).await;
        kills += publishers.kill();
    }
    kills
}

/// The ids of all events that a history names.
fn recorded(order: &Value) -> Vec<String> {
    let history = order["history"].as_array().unwrap();
    let ids = history.iter().flat_map(|entry| {
        let count = entry["events"].as_array().unwrap().len();
        (0..count).map(|n| format!("{}:{}:{n}", order["id"].as_str().unwrap(), entry["version"]))
    });
    ids.collect()
}

/// What the feed brought for these orders, in the order of arrival, each event once.
async fn fed(expected: &HashMap<String, Vec<String>>) -> HashMap<String, Vec<String>> {
    let feed = Queue::named("FEED_QUEUE_URL");
    let arrived = tokio::sync::Mutex::new(HashMap::<String, Vec<String>>::new());
    eventually("the arrival of every event on the feed", || async {
        let mut arrived = arrived.lock().await;
        for body in feed.take().await {
            let event: Value = serde_json::from_str(&body).unwrap();
            let (order, id) = (text(&event, "subject"), text(&event, "id"));
            let ids = arrived.entry(order).or_default();
            if !ids.contains(&id) {
                ids.push(id);
            }
        }
        let is_complete = |(order, ids): (&String, &Vec<String>)| arrived.get(order).map_or(0, Vec::len) >= ids.len();
        expected.iter().all(is_complete).then_some(())
    })
    .await;
    let mut arrived = arrived.into_inner();
    arrived.retain(|order, _| expected.contains_key(order));
    arrived
}

fn text(event: &Value, name: &str) -> String {
    event[name].as_str().unwrap().to_owned()
}
