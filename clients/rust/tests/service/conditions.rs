//! Entity tags: what was read is the condition of what is written.

use order_service_client::{Edit, OrderSummary, Target};
use serde_json::json;
use uuid::Uuid;

use crate::script::{ID, Service, answer, known, order};

#[tokio::test]
async fn a_version_that_is_known_is_not_read_again() {
    let script = [answer(304, &json!("")), answer(200, &order(4, "confirmed"))];
    let service = Service::start(script).await;
    let known = known(3, "confirmed");
    assert_eq!(service.client().order_if_changed(&known).await.unwrap(), None);
    assert_eq!(service.client().order_if_changed(&known).await.unwrap().unwrap().version, 4);
    assert_eq!(service.headers("if-none-match"), ["\"3\"", "\"3\""]);
}

#[tokio::test]
async fn a_write_is_on_condition_of_the_version_that_was_read_and_on_none_for_a_bare_id() {
    let service = Service::start((0..4).map(|_| answer(200, &order(5, "confirmed")))).await;
    let (client, edit) = (service.client(), Edit::default());
    let id: Uuid = ID.parse().unwrap();
    let row: OrderSummary = serde_json::from_value(json!({
        "id": ID, "customer_id": "cust-1", "status": "confirmed", "inventory": "reserved", "total": null,
        "external_reference": null, "version": 2, "created_at": "2026-11-25T12:00:00Z", "updated_at": "2026-11-25T12:00:00Z",
    }))
    .unwrap();
    client.update_order(&known(3, "confirmed"), &edit).await.unwrap();
    client.update_order(&row, &edit).await.unwrap();
    client.update_order(Target::at_version(id, 9), &edit).await.unwrap();
    client.update_order(id, &edit).await.unwrap();
    assert_eq!(service.headers("if-match"), ["\"3\"", "\"2\"", "\"9\"", ""]);
    let request = &service.requests()[0];
    assert_eq!((request.method.as_str(), request.path.as_str()), ("PUT", format!("/v1/orders/{ID}").as_str()));
    assert_eq!(request.body, json!({}));
}
