//! Reports are asked for by days, and read.

use order_service_client::{GroupBy, Money, ReportQuery};
use serde_json::json;
use time::Date;
use time::format_description::well_known::Iso8601;

use crate::script::{Service, Step, answer};

fn day(text: &str) -> Date {
    Date::parse(text, &Iso8601::DATE).unwrap()
}

#[tokio::test]
async fn a_report_is_asked_for_by_days_and_grouping_and_read() {
    let euros = json!([{"amount": 300, "currency": "EUR"}]);
    let report = json!({"from": "2026-01-01", "to": "2026-12-31", "group_by": "product", "groups": [{
        "key": "sku-1", "orders": 3, "items": 7, "value": euros, "average_value": euros, "canceled": 1,
        "cancel_rate": 0.3333, "to_shipped": {"orders": 2, "average_seconds": 60},
        "to_delivered": {"orders": 0, "average_seconds": null},
    }]});
    let service = Service::start([Step::Lose, answer(200, &report)]).await;
    let query = ReportQuery::new(day("2026-01-01"), day("2026-12-31")).group_by(GroupBy::Product);
    let report = service.client().report(&query).await.unwrap();
    assert_eq!(service.requests()[1].path, "/v1/reports/orders?from=2026-01-01&to=2026-12-31&group_by=product");
    assert_eq!((report.from, report.to, report.group_by), (query.from, query.to, query.group_by));
    let [group] = report.groups.as_slice() else { panic!("{:?}", report.groups) };
    assert_eq!((group.key.as_deref(), group.orders, group.items, group.canceled), (Some("sku-1"), 3, 7, 1));
    assert_eq!(group.value, [Money { amount: 300, currency: "EUR".to_owned() }]);
    assert_eq!((group.to_shipped.average_seconds, group.to_delivered.average_seconds), (Some(60), None));
}

#[tokio::test]
async fn a_grouping_that_a_newer_release_knows_is_read() {
    let report = json!({"from": "2026-01-01", "to": "2026-01-01", "group_by": "country", "groups": []});
    let service = Service::start([answer(200, &report)]).await;
    let report = service.client().report(&ReportQuery::new(day("2026-01-01"), day("2026-01-01"))).await.unwrap();
    assert_eq!(report.group_by, GroupBy::Other("country".to_owned()));
    assert_eq!(service.requests()[0].path, "/v1/reports/orders?from=2026-01-01&to=2026-01-01&group_by=day");
}
