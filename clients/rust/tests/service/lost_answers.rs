//! A write whose answer was lost takes effect once, and the client says what it knows.

use std::collections::BTreeMap;

use order_service_client::{Edit, NewOrder, Patch, ProblemKind, Shipment, Status};
use serde_json::json;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use uuid::Uuid;

use crate::script::{ID, Service, Step, answer, known, order, problem, problem_with};

fn stale(current: u64) -> Step {
    problem_with(412, "precondition_failed", &json!({"current_version": current}))
}

fn notes(text: &str) -> Edit {
    Edit { notes: Patch::Set(text.to_owned()), ..Edit::default() }
}

fn datetime(text: &str) -> OffsetDateTime {
    OffsetDateTime::parse(text, &Rfc3339).unwrap()
}

#[tokio::test]
async fn an_order_whose_answer_was_lost_is_placed_again_under_its_key() {
    let replay = answer(201, &order(1, "confirmed")).header("idempotent-replayed", "true");
    let service = Service::start([Step::Lose, Step::Cut, replay]).await;
    let placed = service.client().place_order(&NewOrder::new("cust-1").line("sku-1", 2)).await.unwrap();
    assert!(placed.is_replayed);
    let keys = service.headers("idempotency-key");
    assert!(keys.len() == 3 && keys.iter().all(|key| key == placed.idempotency_key.as_str()), "{keys:?}");
}

#[tokio::test]
async fn an_order_that_may_have_been_placed_names_its_key() {
    let service = Service::start((0..4).map(|_| Step::Lose)).await;
    let error = service.client().place_order(&NewOrder::new("cust-1").line("sku-1", 2)).await.unwrap_err();
    assert!(error.is_uncertain());
    assert_eq!(error.idempotency_key().unwrap().as_str(), service.headers("idempotency-key")[0]);
}

#[tokio::test]
async fn an_order_that_is_refused_after_a_lost_answer_was_not_placed() {
    let service = Service::start([Step::Lose, problem(422, "unknown_customer")]).await;
    let error = service.client().place_order(&NewOrder::new("nobody").line("sku-1", 2)).await.unwrap_err();
    assert_eq!((error.problem_kind(), error.is_uncertain()), (Some(&ProblemKind::UnknownCustomer), false));
    // The key decides before the stock does: an order that was placed is found.
    let service = Service::start([Step::Lose, problem_with(409, "out_of_stock", &json!({"unavailable": []}))]).await;
    let error = service.client().place_order(&NewOrder::new("cust-1").line("sku-1", 2)).await.unwrap_err();
    assert!(!error.is_uncertain(), "{error:?}");
}

#[tokio::test]
async fn a_refusal_for_what_a_lost_attempt_may_have_changed_leaves_the_call_uncertain() {
    let id: Uuid = ID.parse().unwrap();
    let moves = json!({"from": "shipped", "to": "processing", "allowed": ["delivered"]});
    let service = Service::start([Step::Lose, problem_with(409, "illegal_transition", &moves)]).await;
    let error = service.client().move_order(id, Status::Processing).await.unwrap_err();
    assert!(error.is_uncertain(), "the order may have been processing before it was shipped: {error:?}");
    let service = Service::start([Step::Lose, problem(410, "order_deleted")]).await;
    let error = service.client().place_order(&NewOrder::new("cust-1").line("sku-1", 2)).await.unwrap_err();
    assert!(error.is_uncertain(), "the order may have been placed before it was deleted: {error:?}");
}

#[tokio::test]
async fn an_illegal_move_of_which_no_answer_was_lost_is_certain() {
    let moves = json!({"from": "shipped", "to": "processing", "allowed": ["delivered"]});
    let service = Service::start([problem(429, "throttled"), problem_with(409, "illegal_transition", &moves)]).await;
    let id: Uuid = ID.parse().unwrap();
    let error = service.client().move_order(id, Status::Processing).await.unwrap_err();
    assert_eq!((error.attempts(), error.is_uncertain()), (2, false));
}

#[tokio::test]
async fn a_conditional_write_that_finds_its_own_change_has_succeeded() {
    let moved = || answer(200, &order(2, "processing"));
    let service = Service::start([Step::Lose, stale(2), moved()]).await;
    let order = service.client().move_order(&known(1, "confirmed"), Status::Processing).await.unwrap();
    assert_eq!((order.version, order.status), (2, Status::Processing));
}

#[tokio::test]
async fn a_cancellation_whose_stock_was_released_meanwhile_has_succeeded() {
    let canceled = |then: &str| {
        let entry = |version, event| {
            let at = "2026-11-25T12:00:00.000Z";
            json!({"version": version, "at": at, "actor": "a", "request_id": "r", "events": [event], "changes": {}})
        };
        let mut order = order(3, "canceled");
        order["history"] = json!([entry(2, "order.canceled"), entry(3, then)]);
        [Step::Lose, stale(3), answer(200, &order)]
    };
    let service = Service::start(canceled("inventory.released")).await;
    let order = service.client().move_order(&known(1, "confirmed"), Status::Canceled).await.unwrap();
    assert_eq!((order.version, order.status), (3, Status::Canceled));
    let service = Service::start(canceled("order.updated")).await;
    let error = service.client().move_order(&known(1, "confirmed"), Status::Canceled).await.unwrap_err();
    assert!(error.is_uncertain());
}

#[tokio::test]
async fn a_conditional_write_that_finds_somebody_elses_change_is_refused() {
    let service = Service::start([Step::Lose, stale(2), answer(200, &order(2, "canceled"))]).await;
    let error = service.client().move_order(&known(1, "confirmed"), Status::Processing).await.unwrap_err();
    assert_eq!(error.problem_kind(), Some(&ProblemKind::PreconditionFailed { current_version: 2 }));
    assert!(error.is_uncertain());
    let service = Service::start([Step::Lose, stale(3), answer(200, &order(3, "processing"))]).await;
    let error = service.client().move_order(&known(1, "confirmed"), Status::Processing).await.unwrap_err();
    assert!(error.is_uncertain(), "version 2 may have been this call's or another's");
}

#[tokio::test]
async fn a_stale_version_is_told_without_reading_the_order_when_no_answer_was_lost() {
    let service = Service::start([stale(2)]).await;
    let error = service.client().update_order(&known(1, "confirmed"), &notes("x")).await.unwrap_err();
    assert_eq!((error.attempts(), error.is_uncertain(), service.requests().len()), (1, false, 1));
}

#[tokio::test]
async fn an_edit_finds_its_own_change() {
    let mut edited = order(2, "confirmed");
    edited["notes"] = "x".into();
    edited["shipping_address"] = json!(null);
    edited["metadata"] = json!({});
    for metadata in [Patch::Clear, Patch::Set(BTreeMap::new())] {
        let service = Service::start([problem(500, "internal"), stale(2), answer(200, &edited)]).await;
        let edit = Edit { shipping_address: Patch::Clear, metadata, ..notes("x") };
        assert_eq!(service.client().update_order(&known(1, "confirmed"), &edit).await.unwrap().version, 2);
    }
}

#[tokio::test]
async fn a_shipment_finds_its_own_change_although_the_service_keeps_milliseconds() {
    let mut shipped = order(2, "shipped");
    shipped["shipping"] = json!({"carrier": "Royal Mail", "tracking_number": "RM1",
        "shipped_at": "2026-11-25T12:00:00.123Z", "estimated_delivery": "2026-12-24T00:00:00.999Z"});
    let service = Service::start([Step::Lose, stale(2), answer(200, &shipped)]).await;
    let shipped_at = datetime("2026-11-25T13:00:00.123456789+01:00");
    let estimated_delivery = datetime("2026-12-24T00:00:00.9999Z");
    let mut shipment = Shipment::new("Royal Mail", "RM1");
    (shipment.shipped_at, shipment.estimated_delivery) = (Some(shipped_at), Some(estimated_delivery));
    assert_eq!(service.client().ship_order(&known(1, "processing"), &shipment).await.unwrap().status, Status::Shipped);
}

#[tokio::test]
async fn an_edit_without_a_condition_is_not_sent_again_after_a_lost_answer() {
    let id: Uuid = ID.parse().unwrap();
    for lost in [Step::Lose, problem(503, "unavailable")] {
        let service = Service::start([lost, answer(200, &order(2, "confirmed"))]).await;
        let error = service.client().update_order(id, &notes("x")).await.unwrap_err();
        assert_eq!((error.attempts(), error.is_uncertain()), (1, true));
    }
    let service = Service::start([problem(409, "conflict"), answer(200, &order(2, "confirmed"))]).await;
    assert_eq!(service.client().update_order(id, &notes("x")).await.unwrap().version, 2, "a conflict changed nothing");
}

#[tokio::test]
async fn a_move_without_a_condition_is_sent_again_because_no_status_comes_back() {
    let service = Service::start([Step::Lose, answer(200, &order(2, "canceled"))]).await;
    let id: Uuid = ID.parse().unwrap();
    let order = service.client().move_order(id, Status::Canceled.because("changed my mind")).await.unwrap();
    assert_eq!(order.status, Status::Canceled);
    assert_eq!(service.requests()[1].body, json!({"status": "canceled", "reason": "changed my mind"}));
    assert_eq!(service.headers("if-match"), ["", ""]);
}

#[tokio::test]
async fn a_deletion_that_finds_the_order_gone_has_succeeded_only_after_a_lost_answer() {
    let service = Service::start([Step::Lose, problem(404, "order_not_found")]).await;
    service.client().delete_order(&known(1, "confirmed")).await.unwrap();
    for script in [vec![], vec![problem(429, "throttled")]] {
        let service = Service::start(script.into_iter().chain([problem(404, "order_not_found")])).await;
        let error = service.client().delete_order(&known(1, "confirmed")).await.unwrap_err();
        assert_eq!(error.problem_kind(), Some(&ProblemKind::OrderNotFound));
    }
}
