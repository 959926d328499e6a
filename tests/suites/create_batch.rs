//! `POST /orders/batch`

use e2e::{Shop, order_of, refusal};
use order_service_client::{Batch, BatchOrder, NewOrder, Problem, ProblemKind, Status};
use serde_json::{Value, json};
use uuid::Uuid;

/// An order for `cust-1` of so many units.
pub fn units(product: &str, units: u32) -> NewOrder {
    NewOrder::new("cust-1").line(product, units)
}

fn new_key() -> String {
    Uuid::new_v4().to_string()
}

/// Whether each order was placed.
fn placed(batch: &Batch) -> Vec<bool> {
    batch.results.iter().map(Result::is_ok).collect()
}

pub fn order_at(batch: &Batch, index: usize) -> &BatchOrder {
    batch.results[index].as_ref().unwrap()
}

fn problem_at(batch: &Batch, index: usize) -> &Problem {
    batch.results[index].as_ref().unwrap_err()
}

fn ids(batch: &Batch) -> Vec<Uuid> {
    batch.results.iter().flatten().map(|placed| placed.order.id).collect()
}

#[tokio::test]
async fn each_order_of_a_batch_is_placed_or_refused_by_itself_and_in_order() {
    let shop = Shop::open().await;
    let (plenty, scarce) = (shop.product(10).await, shop.product(1).await);
    let orders = [units(&plenty, 1), units(&scarce, 2), NewOrder::new("nobody").line(&plenty, 1), units(&plenty, 3)];
    let batch = shop.client.place_batch(&orders).await.unwrap();
    assert_eq!(placed(&batch), [true, false, false, true]);
    assert!(matches!(problem_at(&batch, 1).kind, ProblemKind::OutOfStock { .. }), "{batch:?}");
    assert_eq!((&problem_at(&batch, 2).kind, problem_at(&batch, 2).status), (&ProblemKind::UnknownCustomer, 422));
    let last = &order_at(&batch, 3).order;
    assert_eq!((last.lines[0].quantity, last.total.as_ref().map(|total| total.amount)), (3, Some(3_000)));
    assert_eq!(shop.client.order(last.id).await.unwrap().lines, last.lines);
    let (available, reserved, confirmed) = shop.partners.units(&plenty).await;
    assert_eq!((available, reserved + confirmed), (6, 4));
    assert_eq!(shop.partners.units(&scarce).await, (1, 0, 0));
}

#[tokio::test]
async fn what_is_no_order_is_refused_by_itself() {
    let shop = Shop::open().await;
    let orders =
        [json!({"customer_id": "cust-1", "lines": [], "surprise": true}), json!("no order"), order_of(&[("sku-1", 1)])];
    let answer = shop.place_batch(&new_key(), &orders).await;
    assert_eq!(answer.status, 207, "{answer:?}");
    let results = answer.body["results"].as_array().unwrap();
    let of = |name: &str| results.iter().map(|result| result[name].clone()).collect::<Vec<Value>>();
    assert_eq!(
        (of("index"), of("status")),
        (vec![json!(0), json!(1), json!(2)], vec![json!(422), json!(422), json!(201)])
    );
    assert_eq!(
        (&results[0]["problem"]["code"], &results[1]["problem"]["code"]),
        (&json!("validation_failed"), &json!("validation_failed"))
    );
    assert_eq!(results[0]["problem"]["errors"][0]["pointer"], "/surprise");
}

#[tokio::test]
async fn a_batch_that_is_sent_again_places_each_order_once() {
    let shop = Shop::open().await;
    let (plenty, scarce) = (shop.product(100).await, shop.product(1).await);
    let key = new_key();
    let orders = [units(&plenty, 1), units(&scarce, 2), units(&plenty, 1)];
    let again = || async { shop.client.place_batch_as(key.as_str(), &orders).await.unwrap() };
    let sent = futures_util::future::join_all((0..10).map(|_| again())).await;
    let first = ids(&sent[0]);
    assert_ne!(first[0], first[1], "the same order twice in one batch is two orders");
    for batch in &sent {
        assert_eq!((placed(batch), ids(batch)), (vec![true, false, true], first.clone()));
    }
    let originals = |index: usize| sent.iter().filter(|batch| !order_at(batch, index).is_replayed).count();
    assert_eq!((originals(0), originals(2)), (1, 1));
    let (available, reserved, confirmed) = shop.partners.units(&plenty).await;
    assert_eq!((available, reserved + confirmed), (98, 2));

    shop.partners.stock(&scarce, 5, 1_000, "EUR").await;
    let later = again().await;
    assert_eq!(placed(&later), [true; 3], "what was refused is tried again");
    assert!(!order_at(&later, 1).is_replayed);
}

#[tokio::test]
async fn an_order_of_a_batch_is_known_by_what_it_asks_for() {
    let shop = Shop::open().await;
    let (product, key) = (shop.product(100).await, new_key());
    let [one, two, three] = [1, 2, 3].map(|quantity| units(&product, quantity));
    let first = shop.client.place_batch_as(key.as_str(), &[one.clone(), two.clone(), three.clone()]).await.unwrap();
    let shorter = shop.client.place_batch_as(key.as_str(), &[three, one.clone()]).await.unwrap();
    assert_eq!(ids(&shorter), [ids(&first)[2], ids(&first)[0]]);
    let single = shop.client.place_order_as(key.as_str(), &one).await.unwrap();
    assert!(!single.is_replayed, "the key of a batch names no order");
}

#[tokio::test]
async fn while_a_partner_is_down_the_orders_of_a_batch_are_pending() {
    let shop = Shop::open().await;
    let product = shop.product(100).await;
    shop.partners.fault("customers", "status", 503).await;
    let batch = shop.client.place_batch(&vec![units(&product, 1); 5]).await;
    shop.partners.fault("customers", "none", 0).await;
    let batch = batch.unwrap();
    assert_eq!(batch.results.len(), 5);
    assert!((0..5).all(|index| order_at(&batch, index).order.status == Status::Pending), "{batch:?}");
}

#[tokio::test]
async fn a_batch_holds_1_to_50_orders_and_256_kib() {
    let shop = Shop::open().await;
    for (count, expected) in [(0, "empty"), (51, "too_many")] {
        let kind = refusal(shop.client.place_batch(&vec![units("sku-1", 1); count]).await);
        let ProblemKind::ValidationFailed { errors } = kind else { panic!("{kind:?}") };
        assert_eq!((errors[0].pointer.as_str(), errors[0].code.as_str()), ("/orders", expected));
    }
    let large = units("sku-1", 1).notes("n".repeat(6_000));
    assert_eq!(refusal(shop.client.place_batch(&vec![large; 50]).await), ProblemKind::BodyTooLarge);
    let other_key = shop.client.place_batch_as("a b", &[units("sku-1", 1)]).await;
    assert_eq!(refusal(other_key), ProblemKind::InvalidIdempotencyKey);
}
