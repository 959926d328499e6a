//! What is refused for now is repeated, what is refused for good is not.

use std::time::{Duration, Instant};

use order_service_client::{NewOrder, ProblemKind, Status};
use serde_json::json;
use uuid::Uuid;

use crate::script::{ID, Service, Step, answer, known, order, problem, problem_with};

#[tokio::test]
async fn a_throttled_order_is_placed_after_retry_after_under_the_same_key() {
    let throttled = problem(429, "throttled").header("retry-after", "1");
    let service = Service::start([throttled, answer(201, &order(1, "confirmed"))]).await;
    let started = Instant::now();
    let placed = service.client().place_order(&NewOrder::new("cust-1").line("sku-1", 2)).await.unwrap();
    assert!(started.elapsed() >= Duration::from_secs(1), "Retry-After is longer than the client's own pause");
    assert_eq!((placed.order.status, placed.is_replayed), (Status::Confirmed, false));
    let keys = service.headers("idempotency-key");
    assert_eq!((keys.len(), &keys[0]), (2, &keys[1]));
    assert_eq!(placed.idempotency_key.as_str(), keys[0]);
    assert!(Uuid::parse_str(&keys[0]).is_ok());
}

#[tokio::test]
async fn every_order_has_a_key_of_its_own_unless_it_is_given_one() {
    let placed = || answer(202, &order(1, "pending")).header("idempotent-replayed", "true");
    let service = Service::start([placed(), placed(), placed()]).await;
    let (client, order) = (service.client(), NewOrder::new("cust-1").line("sku-1", 2));
    client.place_order(&order).await.unwrap();
    client.place_order(&order).await.unwrap();
    assert!(client.place_order_as("checkout-7", &order).await.unwrap().is_replayed);
    let keys = service.headers("idempotency-key");
    assert_ne!(keys[0], keys[1]);
    assert_eq!(keys[2], "checkout-7");
    assert_eq!(
        service.requests()[0].body,
        json!({"customer_id": "cust-1", "lines": [{"product_id": "sku-1", "quantity": 2}]})
    );
}

#[tokio::test]
async fn an_outage_is_repeated_until_the_attempts_are_used_up() {
    let service = Service::start((0..9).map(|_| problem(503, "unavailable"))).await;
    let error = service.client().order(ID.parse().unwrap()).await.unwrap_err();
    assert_eq!((error.problem_kind(), error.attempts()), (Some(&ProblemKind::Unavailable), 4));
    assert!(!error.is_uncertain(), "a read has no effect");
    assert_eq!(service.requests().len(), 4);
}

#[tokio::test]
async fn a_retry_after_beyond_the_calls_time_is_told_and_not_waited_for() {
    let service = Service::start([problem(429, "throttled").header("retry-after", "3600")]).await;
    let error = service.client().order(ID.parse().unwrap()).await.unwrap_err();
    assert_eq!(error.problem().unwrap().retry_after, Some(Duration::from_secs(3600)));
    assert_eq!(error.attempts(), 1);
}

#[tokio::test]
async fn a_retry_after_beyond_every_clock_is_told_as_well() {
    let forever = u64::MAX.to_string();
    let service = Service::start([problem(429, "throttled").header("retry-after", &forever)]).await;
    let error = service.client().order(ID.parse().unwrap()).await.unwrap_err();
    assert_eq!((error.problem().unwrap().retry_after, error.attempts()), (Some(Duration::from_secs(u64::MAX)), 1));
}

#[tokio::test]
async fn a_refusal_for_good_is_told_at_once() {
    let shortage = json!({"unavailable": [{"product_id": "sku-1", "requested": 2, "available": 1}]});
    let service = Service::start([problem_with(409, "out_of_stock", &shortage)]).await;
    let error = service.client().place_order(&NewOrder::new("cust-1").line("sku-1", 2)).await.unwrap_err();
    let Some(ProblemKind::OutOfStock { unavailable }) = error.problem_kind() else { panic!("{error:?}") };
    assert_eq!((unavailable[0].product_id.as_str(), unavailable[0].available), ("sku-1", 1));
    assert_eq!((error.attempts(), error.is_uncertain()), (1, false));
    assert_eq!(error.problem().unwrap().request_id.as_deref(), Some("req-1"));
}

#[tokio::test]
async fn shipping_waits_for_the_confirmation_of_the_reservation() {
    let early = || problem(409, "reservation_unconfirmed").header("retry-after", "0");
    let service = Service::start([early(), early(), answer(200, &order(3, "shipped"))]).await;
    let shipped = service.client().move_order(&known(2, "processing"), Status::Shipped).await.unwrap();
    assert_eq!(shipped.status, Status::Shipped);
    assert_eq!(service.headers("if-match"), ["\"2\"", "\"2\"", "\"2\""]);
}

#[tokio::test]
async fn a_connection_that_cannot_be_made_is_made_again_even_for_a_write_without_a_condition() {
    let url = Service::start([]).await.url.clone();
    let nobody = order_service_client::Client::builder(url).retries(order_service_client::Retries {
        max_attempts: 3,
        first_pause: Duration::from_millis(1),
        longest_pause: Duration::from_millis(1),
    });
    let id: Uuid = ID.parse().unwrap();
    let error = nobody.build().unwrap().update_order(id, &order_service_client::Edit::default()).await.unwrap_err();
    assert_eq!((error.attempts(), error.is_uncertain()), (3, false), "{error:?}");
}

#[tokio::test]
async fn garbage_of_a_proxy_is_repeated_and_then_told_as_such() {
    let html = || Step::Answer { status: 502, headers: Vec::new(), body: "<html>Bad gateway</html>".to_owned() };
    let script = [Step::Garble, html(), Step::Cut, answer(200, &json!({"no": "order"}))];
    let service = Service::start(script).await;
    let error = service.client().order(ID.parse().unwrap()).await.unwrap_err();
    assert_eq!((error.to_string().as_str(), error.attempts()), ("HTTP 200 with a body that this API does not send", 4));
    let service = Service::start([html(), answer(200, &order(1, "confirmed"))]).await;
    assert_eq!(service.client().order(ID.parse().unwrap()).await.unwrap().version, 1);
}

#[tokio::test]
async fn an_answer_without_end_is_not_read_to_its_end() {
    let body = " ".repeat(10 * 1024 * 1024 + 1);
    let huge = || Step::Answer { status: 400, headers: Vec::new(), body: body.clone() };
    let service = Service::start([huge()]).await;
    let error = service.client().order(ID.parse().unwrap()).await.unwrap_err();
    assert_eq!((error.to_string().as_str(), error.attempts()), ("HTTP 400 with a body that this API does not send", 1));
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let elsewhere = Service::start([answer(200, &order(1, "confirmed"))]).await;
    let redirect = answer(307, &json!({})).header("location", &format!("{}/orders/{ID}", elsewhere.url));
    let service = Service::start([redirect]).await;
    assert!(service.client().order(ID.parse().unwrap()).await.is_err());
    assert!(elsewhere.requests().is_empty(), "the token went elsewhere");
}
