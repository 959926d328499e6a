//! Nothing personal and no token is logged, at any level.

use std::io::Write;
use std::sync::{Arc, Mutex};

use futures_util::StreamExt;
use order_service_client::{Filter, NewOrder};
use tracing_subscriber::fmt::format::FmtSpan;

use crate::script::{Service, Step, answer, order};

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn spans_tell_of_the_call_and_not_of_people() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_span_events(FmtSpan::CLOSE)
        .with_writer(move || writer.clone())
        .finish();
    let _guard = tracing::subscriber::set_default(subscriber);
    let placed = [Step::Lose, answer(201, &order(1, "confirmed"))];
    let script = placed.into_iter().chain((0..4).map(|_| Step::Lose));
    let service = Service::start(script).await;
    let order = NewOrder::new("customer-ada").line("sku-1", 1).notes("Leave it with Charles");
    let client = service.client();
    client.place_order_as("key-of-ada", &order).await.unwrap();
    let error = client.orders(Filter::Customer("customer-ada".to_owned())).next().await.unwrap().unwrap_err();
    let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap() + &format!("{error:?} {error} {client:?}");
    for told in
        ["http.request.method=\"POST\"", "url.template=\"/orders\"", "attempts=2", "attempts=4", "status_code=201"]
    {
        assert!(log.contains(told), "{told} is not in {log}");
    }
    for secret in ["secret-token", "ada", "Ada", "Charles", "Main St", "shop.example"] {
        assert!(!log.contains(secret), "{secret} is in {log}");
    }
}
