//! Lists are walked page by page, as far as somebody reads.

use futures_util::{StreamExt, TryStreamExt};
use order_service_client::{Filter, ListQuery, Status};
use serde_json::{Value, json};

use crate::script::{ID, Service, Step, answer, problem};

fn page(rows: u64, next: Option<&str>) -> Step {
    let row = |version| {
        json!({"id": ID, "customer_id": "cust-1", "status": "confirmed", "inventory": "reserved", "total": null,
            "external_reference": null, "version": version, "created_at": "2026-11-25T12:00:00Z",
            "updated_at": "2026-11-25T12:00:00Z"})
    };
    let rows: Vec<Value> = (0..rows).map(row).collect();
    answer(200, &json!({"data": rows, "page": {"limit": 2, "has_more": next.is_some(), "next_cursor": next}}))
}

fn paths(service: &Service) -> Vec<String> {
    service.requests().into_iter().map(|request| request.path).collect()
}

#[tokio::test]
async fn all_rows_come_although_a_page_is_empty_and_an_answer_is_lost() {
    let script = [page(2, Some("a+/=")), Step::Lose, page(0, Some("b")), page(1, None)];
    let service = Service::start(script).await;
    let query = ListQuery::from(Filter::Status(Status::Confirmed)).limit(2);
    let rows: Vec<_> = service.client().orders(query).try_collect().await.unwrap();
    assert_eq!(rows.len(), 3);
    let expected = [
        "/v1/orders?status=confirmed&limit=2",
        "/v1/orders?status=confirmed&limit=2&cursor=a%2B%2F%3D",
        "/v1/orders?status=confirmed&limit=2&cursor=a%2B%2F%3D",
        "/v1/orders?status=confirmed&limit=2&cursor=b",
    ];
    assert_eq!(paths(&service), expected);
}

#[tokio::test]
async fn a_page_is_fetched_when_it_is_asked_for() {
    let service = Service::start([page(2, Some("a")), page(2, None)]).await;
    let mut rows = service.client().orders(Filter::Customer("a b&c".to_owned()));
    rows.next().await.unwrap().unwrap();
    rows.next().await.unwrap().unwrap();
    assert_eq!(paths(&service), ["/v1/orders?customer_id=a+b%26c"]);
}

#[tokio::test]
async fn a_walk_ends_with_its_first_error() {
    let service = Service::start([page(1, Some("a")), problem(400, "invalid_cursor")]).await;
    let rows: Vec<_> = service.client().orders(Filter::All).collect().await;
    assert!(matches!(rows.as_slice(), [Ok(_), Err(_)]), "{rows:?}");
}
