//! A handshake whose token was accepted -> an open connection (`$connect`)

use adapters::config;
use adapters::live::{SocketEvent, SocketReply};
use adapters::telemetry::{self, metrics};
use lambda_runtime::{Error, LambdaEvent, service_fn};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    telemetry::init(module_path!());
    // Without them a client would be subscribed, and hear nothing for ever.
    let has_updates = config::switch("LIVE_UPDATES")?;
    lambda_runtime::run(service_fn(|event: LambdaEvent<SocketEvent>| async move {
        let LambdaEvent { payload, context } = event;
        Ok::<_, Error>(telemetry::invocation("connected", &context, handle(has_updates, payload)).await)
    }))
    .await
}

async fn handle(has_updates: bool, event: SocketEvent) -> SocketReply {
    let reply = if has_updates { event.opened() } else { SocketReply::not_implemented() };
    if reply.status_code == 200 {
        telemetry::count(&metrics::CONNECTIONS_OPENED, 1);
    }
    reply
}

#[cfg(test)]
mod tests {
    use adapters::testing;
    use serde_json::{Value, json};

    use super::*;

    async fn answer(change: impl FnOnce(&mut Value)) -> Value {
        let mut event: Value = testing::sample_event("connect-socket");
        change(&mut event);
        let event: SocketEvent = serde_json::from_value(event).unwrap();
        serde_json::to_value(handle(true, event).await).unwrap()
    }

    #[tokio::test]
    async fn the_sample_event_opens_a_connection_with_the_subprotocol_that_a_page_offers() {
        let expected = json!({"statusCode": 200, "headers": {"Sec-WebSocket-Protocol": "orders.v1"}});
        assert_eq!(answer(|_| {}).await, expected);
    }

    #[tokio::test]
    async fn a_program_that_offers_no_subprotocol_is_answered_with_none() {
        let answer = answer(|event| event["headers"] = json!({"Authorization": "Bearer a.b.c"})).await;
        assert_eq!(answer, json!({"statusCode": 200}));
    }

    #[tokio::test]
    async fn where_changes_are_not_pushed_nothing_is_opened() {
        let event = testing::sample_event("connect-socket");
        assert_eq!(handle(false, event).await.status_code, 501);
    }

    #[tokio::test]
    async fn a_token_that_has_expired_or_may_not_read_opens_nothing() {
        let with =
            async |name: &str, value: Value| answer(|event| event["requestContext"]["authorizer"][name] = value).await;
        assert_eq!(with("scope", "orders:write".into()).await, json!({"statusCode": 403}));
        assert_eq!(with("exp", "1700000000".into()).await, json!({"statusCode": 401}));
        assert_eq!(with("tenant", Value::Null).await, json!({"statusCode": 401}));
        assert_eq!(with("customer_id", "#".into()).await, json!({"statusCode": 401}));
    }
}
