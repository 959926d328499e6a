//! `POST /orders`

use std::time::{Duration, Instant};

use e2e::{Shop, order_of, refusal};
use futures_util::StreamExt;
use order_service_client::{NewOrder, ProblemKind, Shortage};
use serde_json::json;

#[tokio::test]
async fn an_order_is_created_confirmed_and_priced_by_the_inventory_service() {
    let shop = Shop::open().await;
    let (first, second) = (shop.product(5).await, shop.product(5).await);
    let answer = shop.order(&[(&first, 2), (&second, 1)]).await;
    assert_eq!(answer.header("location"), format!("/v1/orders/{}", answer.id()));
    assert_eq!(answer.header("etag"), "\"1\"");
    assert_eq!(answer.header("idempotent-replayed"), "");
    let order = &answer.body;
    assert_eq!(order["total"], json!({"amount": 3_000, "currency": "EUR"}));
    assert_eq!((&order["status"], &order["inventory"]), (&json!("confirmed"), &json!("reserved")));
    assert_eq!(order["customer"]["email"], "customer-1@shop.example");
    assert_eq!(order["allowed_transitions"], json!(["processing", "canceled"]));
    let held = |units: (u64, u64, u64)| units.1 + units.2;
    assert_eq!(held(shop.partners.units(&first).await), 2);
    assert_eq!(held(shop.partners.units(&second).await), 1);
}

/// By `run-follow-ups`: the sweep leaves an order alone for its first 30 seconds.
#[tokio::test]
async fn the_reservation_of_a_new_order_is_confirmed_within_ten_seconds() {
    let shop = Shop::open().await;
    let product = shop.product(10).await;
    shop.order(&[(&product, 3)]).await;
    let created = Instant::now();
    while shop.partners.units(&product).await != (7, 0, 3) {
        assert!(created.elapsed() < Duration::from_secs(10), "it is not confirmed yet");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn two_hundred_requests_with_one_key_make_one_order_one_reservation_and_one_event() {
    let shop = Shop::open().await;
    let product = shop.product(1_000).await;
    let body = order_of(&[(&product, 3)]);
    let answers: Vec<_> =
        futures_util::stream::iter(0..200).map(|_| shop.place("one-key", &body)).buffer_unordered(20).collect().await;
    assert!(answers.iter().all(|answer| answer.status == 201), "{:?}", answers.iter().find(|a| a.status != 201));
    let id = answers[0].id();
    assert!(answers.iter().all(|answer| answer.id() == id));
    let originals = answers.iter().filter(|answer| answer.header("idempotent-replayed") != "true").count();
    assert_eq!(originals, 1);
    let (available, reserved, confirmed) = shop.partners.units(&product).await;
    assert_eq!((available, reserved + confirmed), (997, 3));

    let other = shop.place("one-key", &order_of(&[(&product, 4)])).await;
    assert_eq!((other.status, other.code()), (422, "idempotency_key_reused"));
    let (available, reserved, confirmed) = shop.partners.units(&product).await;
    assert_eq!((available, reserved + confirmed), (997, 3));

    let events = shop.events.of(&id, 3).await;
    assert_eq!(events.iter().filter(|event| event["type"] == "order.created").count(), 1);
}

#[tokio::test]
async fn the_same_key_of_two_tenants_names_two_orders() {
    let (one, other) = (Shop::open().await, Shop::open().await);
    let product = one.product(10).await;
    let order = NewOrder::new("cust-1").line(product, 1);
    let placed = [one.client.place_order_as("key", &order).await, other.client.place_order_as("key", &order).await];
    let [one, other] = placed.map(|placed| placed.unwrap().order.id);
    assert_ne!(one, other);
}

#[tokio::test]
async fn an_unknown_customer_or_product_is_named() {
    let shop = Shop::open().await;
    let product = shop.product(1).await;
    let nobody = NewOrder::new("nobody").line(&product, 1);
    assert_eq!(refusal(shop.client.place_order(&nobody).await), ProblemKind::UnknownCustomer);
    let nothing = NewOrder::new("cust-1").line(&product, 1).line("no-such-product", 1);
    let products = vec!["no-such-product".to_owned()];
    assert_eq!(refusal(shop.client.place_order(&nothing).await), ProblemKind::UnknownProduct { products });
    assert_eq!(shop.partners.units(&product).await, (1, 0, 0));
}

#[tokio::test]
async fn a_shortage_is_a_conflict_that_names_the_product_and_holds_nothing() {
    let shop = Shop::open().await;
    let (plenty, scarce) = (shop.product(10).await, shop.product(1).await);
    let order = NewOrder::new("cust-1").line(&plenty, 1).line(&scarce, 2);
    let unavailable = vec![Shortage { product_id: scarce, requested: 2, available: 1 }];
    assert_eq!(refusal(shop.client.place_order(&order).await), ProblemKind::OutOfStock { unavailable });
    assert_eq!(shop.partners.units(&plenty).await, (10, 0, 0));
}

#[tokio::test]
async fn two_currencies_in_one_order_are_refused() {
    let shop = Shop::open().await;
    let (euro, dollar) = (shop.product(5).await, shop.product(5).await);
    shop.partners.stock(&dollar, 5, 500, "USD").await;
    let order = NewOrder::new("cust-1").line(&euro, 1).line(&dollar, 1);
    assert_eq!(refusal(shop.client.place_order(&order).await), ProblemKind::InvalidTotal);
    assert_eq!(shop.partners.units(&euro).await, (5, 0, 0));
}
