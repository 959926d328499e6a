//! `PUT /orders/{id}/status`

use adapters::http::{ApiRequest, Problem, Reply};
use adapters::store::DynamoStore;
use adapters::system::SystemClock;
use adapters::wire::UpdateStatus;
use adapters::{aws, connections, http, telemetry};
use domain::order::Order;
use domain::ports::OrderStore;
use domain::status::Status;
use domain::use_cases::change_order;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    telemetry::init(module_path!());
    let store = DynamoStore::from_env(&aws::config()?)?;
    connections::made([store.connection()]).await;
    http::serve(|request| handle(&store, request)).await
}

async fn handle(store: &impl OrderStore, request: ApiRequest) -> Result<Reply, Problem> {
    let target = request.target(&SystemClock)?;
    let (status, reason) = request.json::<UpdateStatus>()?.into_move()?;
    if status != Status::Canceled {
        target.caller.require_storefront()?;
    }
    let change = |order: &Order| order.transition(status, reason.clone(), target.stamp.clone());
    Reply::order(&change_order(store, &target, &change).await?, None)
}

#[cfg(test)]
mod tests {
    use adapters::testing;
    use domain::memory::{MemoryStore, sample};

    use super::*;

    #[tokio::test]
    async fn the_sample_event_moves_the_order_on() {
        let store = MemoryStore::default();
        store.insert(&sample::order()).await.unwrap();
        let (status, headers, body) = testing::parts(handle(&store, testing::sample_request("update-status")).await);
        assert_eq!((status, body["status"].as_str()), (200, Some("processing")));
        assert_eq!(headers["etag"], "\"2\"");
    }

    #[tokio::test]
    async fn a_customer_cancels_an_order_and_does_not_move_it_along() {
        let store = MemoryStore::default();
        store.insert(&sample::order()).await.unwrap();
        for (status, expected) in [("processing", 403), ("shipped", 403), ("delivered", 403), ("canceled", 200)] {
            let request = testing::attempt("update-status", "lambda", |event| {
                event["requestContext"]["authorizer"]["customer_id"] = "cust-1".into();
                event["body"] = format!(r#"{{"status":"{status}"}}"#).into();
                event["isBase64Encoded"] = false.into();
            });
            assert_eq!(testing::parts(handle(&store, request).await).0, expected, "{status}");
        }
    }

    #[tokio::test]
    async fn a_condition_that_does_not_hold_is_a_problem_with_the_present_version() {
        let store = MemoryStore::default();
        let order = sample::order();
        let canceled = order.transition(Status::Canceled, None, sample::stamp(7)).unwrap().unwrap();
        store.insert(&canceled).await.unwrap();
        let (status, _, body) = testing::parts(handle(&store, testing::sample_request("update-status")).await);
        assert_eq!((status, body["code"].as_str()), (412, Some("precondition_failed")));
        assert_eq!(body["current_version"], 2);
    }

    #[tokio::test]
    async fn the_answers_have_the_shape_that_clients_know() {
        let store = MemoryStore::default();
        store.insert(&sample::order()).await.unwrap();
        let move_to = async |body: &str| {
            let request = testing::attempt("update-status", "lambda", |event| event["body"] = body.into());
            testing::shape(handle(&store, request).await)
        };
        insta::assert_snapshot!("illegal_transition", move_to(r#"{"status":"delivered"}"#).await);
        insta::assert_snapshot!("canceled", move_to(r#"{"status":"cancelled","reason":"why"}"#).await);
        insta::assert_snapshot!("precondition_failed", move_to(r#"{"status":"processing"}"#).await);
    }
}
