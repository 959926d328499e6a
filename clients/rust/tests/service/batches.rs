//! Batches are placed once under their key, and tell what became of each order.

use order_service_client::{NewOrder, ProblemKind};
use serde_json::{Value, json};

use crate::script::{Service, Step, answer, order};

fn wanted() -> [NewOrder; 2] {
    [NewOrder::new("cust-1").line("sku-1", 2), NewOrder::new("cust-1").line("sku-2", 9)]
}

fn results() -> Value {
    let problem = json!({"code": "out_of_stock", "title": "t", "status": 409, "request_id": "req-1",
        "unavailable": [{"product_id": "sku-2", "requested": 9, "available": 1}]});
    json!({"results": [
        {"index": 0, "status": 201, "replayed": true, "order": order(1, "confirmed"), "new": 1},
        {"index": 1, "status": 409, "problem": problem},
    ]})
}

#[tokio::test]
async fn a_batch_whose_answer_was_lost_is_sent_again_and_tells_what_became_of_each_order() {
    let service = Service::start([Step::Lose, answer(207, &results())]).await;
    let batch = service.client().place_batch_as("import-7", &wanted()).await.unwrap();
    assert_eq!(service.headers("idempotency-key"), ["import-7", "import-7"]);
    let first = json!({"customer_id": "cust-1", "lines": [{"product_id": "sku-1", "quantity": 2}]});
    assert_eq!(service.requests()[1].body["orders"][0], first);
    let [Ok(placed), Err(problem)] = batch.results.as_slice() else { panic!("{batch:?}") };
    assert_eq!((placed.order.version, placed.is_replayed), (1, true));
    assert!(matches!(&problem.kind, ProblemKind::OutOfStock { unavailable } if unavailable[0].available == 1));
    assert_eq!((problem.status, problem.request_id.as_deref()), (409, Some("req-1")));
    assert_eq!(batch.idempotency_key.as_str(), "import-7");
}

#[tokio::test]
async fn every_batch_has_a_key_of_its_own_which_is_named_when_it_may_have_been_placed() {
    let service = Service::start((0..5).map(|_| Step::Lose)).await;
    let error = service.client().place_batch(&wanted()).await.unwrap_err();
    assert!(error.is_uncertain());
    assert_eq!(error.idempotency_key().unwrap().as_str(), service.headers("idempotency-key")[0]);
    service.client().place_batch(&wanted()).await.unwrap_err();
    let keys = service.headers("idempotency-key");
    assert_ne!(keys.first(), keys.last());
}

#[tokio::test]
async fn a_result_that_is_neither_an_order_nor_a_problem_is_no_answer_of_this_api() {
    for result in [json!({"index": 0, "status": 201}), json!({"index": 0, "status": 500, "problem": {}})] {
        let service = Service::start((0..4).map(|_| answer(207, &json!({"results": [result]})))).await;
        let error = service.client().place_batch(&wanted()).await.unwrap_err();
        assert_eq!(error.to_string(), "HTTP 207 with a body that this API does not send");
        assert!(error.is_uncertain());
    }
}
