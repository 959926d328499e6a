//! No call takes longer than it may.

use std::time::{Duration, Instant};

use order_service_client::{ErrorKind, NewOrder, Timeouts, Token};

use crate::script::{ID, Service, Step, answer, order};

fn timeouts(attempt: u64, call: u64) -> Timeouts {
    let milliseconds = Duration::from_millis;
    Timeouts { attempt: milliseconds(attempt), call: milliseconds(call), ..Timeouts::default() }
}

#[tokio::test]
async fn an_attempt_that_hangs_is_given_up_and_repeated() {
    let service = Service::start([Step::Hang, answer(201, &order(1, "confirmed"))]).await;
    let client = service.builder().timeouts(timeouts(200, 20_000)).build().unwrap();
    client.place_order(&NewOrder::new("cust-1").line("sku-1", 1)).await.unwrap();
    assert_eq!(service.requests().len(), 2);
}

#[tokio::test]
async fn a_call_ends_in_its_time_whatever_its_attempts_may_take() {
    let service = Service::start([Step::Hang]).await;
    let client = service.builder().timeouts(timeouts(20_000, 300)).build().unwrap();
    let started = Instant::now();
    let error = client.place_order(&NewOrder::new("cust-1").line("sku-1", 1)).await.unwrap_err();
    assert!(started.elapsed() < Duration::from_secs(10), "{:?}", started.elapsed());
    assert!(matches!(error.kind(), ErrorKind::NoAnswer(_)) && error.is_uncertain(), "{error:?}");
}

#[tokio::test]
async fn a_token_that_does_not_come_ends_the_call() {
    let service = Service::start([]).await;
    let never = || std::future::pending::<Result<Token, std::io::Error>>();
    let client = service.builder().token(never).timeouts(timeouts(300, 300)).build().unwrap();
    let error = client.order(ID.parse().unwrap()).await.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Token(_)), "{error:?}");
}
