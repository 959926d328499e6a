//! `GET /reports/orders`

use e2e::{Shop, eventually, report_query};
use order_service_client::{GroupBy, Money, Report, ReportGroup, ReportQuery, Status, Target};
use time::{Date, Month};
use uuid::Uuid;

fn find<'a>(report: &'a Report, key: &str) -> Option<&'a ReportGroup> {
    report.groups.iter().find(|group| group.key.as_deref() == Some(key))
}

fn group<'a>(report: &'a Report, key: &str) -> &'a ReportGroup {
    find(report, key).unwrap_or_else(|| panic!("no {key}: {report:?}"))
}

/// The report once it is as expected.
async fn report_when(shop: &Shop, group_by: GroupBy, is_expected: impl Fn(&Report) -> bool) -> Report {
    let query = report_query(group_by);
    eventually("the report", || async { Some(shop.client.report(&query).await.unwrap()).filter(&is_expected) }).await
}

fn counted(report: &Report) -> u64 {
    report.groups.iter().map(|group| group.orders).sum()
}

fn euros(amount: i64) -> Vec<Money> {
    vec![Money { amount, currency: "EUR".to_owned() }]
}

#[tokio::test]
async fn a_report_follows_every_change_of_an_order() {
    let shop = Shop::open().await;
    let (first, second) = (shop.product(100).await, shop.product(100).await);
    let mut ids: Vec<Uuid> = Vec::new();
    for lines in
        [vec![(first.as_str(), 2)], vec![(first.as_str(), 1), (second.as_str(), 1)], vec![(second.as_str(), 5)]]
    {
        ids.push(shop.buy(&lines).await.id);
    }
    let by_currency = report_when(&shop, GroupBy::Currency, |report| counted(report) == 3).await;
    let all = group(&by_currency, "EUR");
    assert_eq!((all.items, &all.value, &all.average_value), (9, &euros(9_000), &euros(3_000)));
    assert_eq!((all.canceled, all.cancel_rate), (0, 0.0));

    shop.client.move_order(ids[0], Status::Canceled).await.unwrap();
    for status in [Status::Processing, Status::Shipped, Status::Delivered] {
        shop.moved(Target::from(ids[1]), status).await;
    }
    shop.client.delete_order(ids[2]).await.unwrap();
    let is_delivered = |report: &Report| counted(report) == 2 && find(report, "delivered").is_some();
    let by_status = report_when(&shop, GroupBy::Status, is_delivered).await;
    let (canceled, delivered) = (group(&by_status, "canceled"), group(&by_status, "delivered"));
    assert_eq!((canceled.orders, canceled.cancel_rate, &canceled.value), (1, 1.0, &euros(2_000)));
    assert_eq!((delivered.orders, delivered.to_delivered.orders), (1, 1));
    assert!(delivered.to_shipped.average_seconds.unwrap() < 120, "{delivered:?}");

    let by_product = report_when(&shop, GroupBy::Product, |report| counted(report) == 3).await;
    let (first, second) = (group(&by_product, &first), group(&by_product, &second));
    assert_eq!((first.orders, first.items, first.canceled), (2, 3, 1));
    assert_eq!((second.orders, second.items, &second.value), (1, 1, &euros(1_000)));
    let by_day = report_when(&shop, GroupBy::Day, |report| counted(report) == 2).await;
    assert!(by_day.groups.len() <= 2, "midnight may be in between: {by_day:?}");
}

#[tokio::test]
async fn a_report_of_no_orders_has_no_groups() {
    let shop = Shop::open().await;
    let day = |month, day| Date::from_calendar_date(2020, month, day).unwrap();
    let year = ReportQuery::new(day(Month::January, 1), day(Month::December, 31)).group_by(GroupBy::Status);
    let report = shop.client.report(&year).await.unwrap();
    assert_eq!((report.from, report.to, &report.group_by), (year.from, year.to, &year.group_by));
    assert!(report.groups.is_empty(), "{report:?}");
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
