//! `GET /reports/orders`

use e2e::{Answer, Shop, eventually, report_path};
use serde_json::{Value, json};

fn group<'a>(report: &'a Answer, key: &str) -> &'a Value {
    let groups = report.body["groups"].as_array().unwrap();
    groups.iter().find(|group| group["key"] == key).unwrap_or(&Value::Null)
}

/// The report once it holds so many orders.
async fn report_of(shop: &Shop, group_by: &str, orders: u64) -> Answer {
    eventually("the report", || async {
        let report = shop.get(&report_path(group_by)).await;
        assert_eq!(report.status, 200, "{report:?}");
        let groups = report.body["groups"].as_array().unwrap().iter();
        let counted: u64 = groups.map(|group| group["orders"].as_u64().unwrap()).sum();
        Some(report).filter(|_| counted == orders)
    })
    .await
}

fn euros(amount: u64) -> Value {
    json!([{"amount": amount, "currency": "EUR"}])
}

#[tokio::test]
async fn a_report_follows_every_change_of_an_order() {
    let shop = Shop::open().await;
    let (first, second) = (shop.product(100).await, shop.product(100).await);
    let mut ids = Vec::new();
    for lines in
        [vec![(first.as_str(), 2)], vec![(first.as_str(), 1), (second.as_str(), 1)], vec![(second.as_str(), 5)]]
    {
        ids.push(shop.order(&lines).await.id());
    }
    let by_currency = report_of(&shop, "currency", 3).await;
    let all = group(&by_currency, "EUR");
    assert_eq!((&all["items"], &all["value"], &all["average_value"]), (&json!(9), &euros(9_000), &euros(3_000)));
    assert_eq!((&all["canceled"], &all["cancel_rate"]), (&json!(0), &json!(0.0)));

    shop.move_to(&ids[0], "canceled").await;
    for status in ["processing", "shipped", "delivered"] {
        let moved = shop.move_to(&ids[1], status).await;
        assert_eq!(moved.status, 200, "{moved:?}");
    }
    shop.delete(&format!("/orders/{}", ids[2])).await;
    let by_status = report_of(&shop, "status", 2).await;
    let by_status = if group(&by_status, "delivered").is_null() {
        eventually("the delivery being counted", || async {
            Some(report_of(&shop, "status", 2).await).filter(|report| !group(report, "delivered").is_null())
        })
        .await
    } else {
        by_status
    };
    let (canceled, delivered) = (group(&by_status, "canceled"), group(&by_status, "delivered"));
    assert_eq!(
        (&canceled["orders"], &canceled["cancel_rate"], &canceled["value"]),
        (&json!(1), &json!(1.0), &euros(2_000))
    );
    assert_eq!((&delivered["orders"], &delivered["to_delivered"]["orders"]), (&json!(1), &json!(1)));
    assert!(delivered["to_shipped"]["average_seconds"].as_u64().unwrap() < 120, "{delivered}");

    let by_product = report_of(&shop, "product", 3).await;
    let (first, second) = (group(&by_product, &first), group(&by_product, &second));
    assert_eq!((&first["orders"], &first["items"], &first["canceled"]), (&json!(2), &json!(3), &json!(1)));
    assert_eq!((&second["orders"], &second["items"], &second["value"]), (&json!(1), &json!(1), &euros(1_000)));
    let by_day = report_of(&shop, "day", 2).await;
    assert!(by_day.body["groups"].as_array().unwrap().len() <= 2, "midnight may be in between: {by_day:?}");
}

#[tokio::test]
async fn a_report_of_no_orders_has_no_groups() {
    let shop = Shop::open().await;
    let report = shop.get("/reports/orders?from=2020-01-01&to=2020-12-31&group_by=status").await;
    let expected = json!({"from": "2020-01-01", "to": "2020-12-31", "group_by": "status", "groups": []});
    assert_eq!((report.status, report.body), (200, expected));
}

#[tokio::test]
async fn a_wrong_parameter_is_named() {
    let shop = Shop::open().await;
    for (query, pointer) in [
        ("from=2026-01-01", "?to"),
        ("from=2026-01-01&to=soon", "?to"),
        ("from=2026-01-01&to=2027-06-01", "?to"),
        ("from=2026-01-01&to=2026-01-31&group_by=customer", "?group_by"),
        ("from=2026-01-01&to=2026-01-31&status=pending", "?status"),
    ] {
        let answer = shop.get(&format!("/reports/orders?{query}")).await;
        assert_eq!((answer.status, answer.code()), (400, "invalid_parameter"), "{query}");
        assert_eq!(answer.body["errors"][0]["pointer"], pointer, "{query}");
    }
}
