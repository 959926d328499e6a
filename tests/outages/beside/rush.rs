//! Many want the last units.

use std::collections::BTreeMap;

use e2e::{Shop, eventually};
use futures_util::StreamExt;
use serde_json::json;

#[tokio::test]
async fn two_hundred_orders_for_the_last_fifty_units_confirm_fifty() {
    rush(&json!([1]), 200, 50).await;
}

#[tokio::test]
async fn orders_that_name_a_product_twice_take_what_they_name() {
    rush(&json!([1, 1]), 100, 25).await;
}

/// Orders at once, each with lines of these quantities of one product of which 50 units are left.
async fn rush(quantities: &serde_json::Value, orders: usize, expected: usize) {
    let shop = Shop::open().await;
    crate::calm(&shop).await;
    let product = shop.product(50).await;
    let lines: Vec<_> =
        quantities.as_array().unwrap().iter().map(|n| json!({"product_id": product, "quantity": n})).collect();
    let body = json!({"customer_id": "cust-1", "lines": lines});
    let answers: Vec<_> = futures_util::stream::iter(0..orders)
        .map(|n| {
            let (shop, body) = (&shop, &body);
            async move { shop.place(&n.to_string(), body).await }
        })
        .buffer_unordered(20)
        .collect()
        .await;
    let mut statuses = BTreeMap::<u16, usize>::new();
    for answer in &answers {
        *statuses.entry(answer.status).or_default() += 1;
    }
    println!("{orders} orders: {statuses:?}");
    let mut confirmed = 0;
    for answer in answers.iter().filter(|answer| answer.status != 409) {
        let path = format!("/orders/{}", answer.id());
        let status = eventually("the completion of every order", || async {
            let status = shop.get(&path).await.body["status"].as_str().unwrap().to_owned();
            (status != "pending").then_some(status)
        });
        confirmed += usize::from(status.await == "confirmed");
    }
    assert_eq!(confirmed, expected);
    assert_eq!(
        statuses.get(&409).copied().unwrap_or_default() + statuses.get(&202).copied().unwrap_or_default(),
        orders - statuses[&201]
    );
    eventually("every unit being confirmed", || async {
        (shop.partners.units(&product).await == (0, 0, 50)).then_some(())
    })
    .await;
}
