//! Answers of newer releases are read by this one.

use order_service_client::{Inventory, ProblemKind, Status};
use serde_json::json;

use crate::script::{ID, Service, answer, order, problem_with};

#[tokio::test]
async fn unknown_fields_and_enum_values_are_tolerated() {
    let mut newer = order(1, "on_hold");
    newer["gift_message"] = json!({"text": "Happy birthday"});
    newer["inventory"] = "backordered".into();
    newer["allowed_transitions"] = json!(["on_hold", "canceled"]);
    newer["lines"][0]["gift"] = true.into();
    newer["history"][0]["changes"]["gift_message"] = json!({"replaced": true, "by": "you"});
    let service = Service::start([answer(200, &newer)]).await;
    let order = service.client().order(ID.parse().unwrap()).await.unwrap();
    assert_eq!(order.status, Status::Other("on_hold".to_owned()));
    assert_eq!(order.inventory, Inventory::Other("backordered".to_owned()));
    assert_eq!(order.allowed_transitions, [Status::Other("on_hold".to_owned()), Status::Canceled]);
    assert!(order.history[0].changes["gift_message"].replaced);
}

#[tokio::test]
async fn an_unknown_problem_is_kept_with_its_members() {
    let service = Service::start([problem_with(402, "payment_required", &json!({"amount": 5}))]).await;
    let error = service.client().order(ID.parse().unwrap()).await.unwrap_err();
    let Some(ProblemKind::Other { code, members }) = error.problem_kind() else { panic!("{error:?}") };
    assert_eq!((code.as_str(), &members["amount"]), ("payment_required", &json!(5)));
}
