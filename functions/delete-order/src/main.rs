//! `DELETE /orders/{id}`

use std::time::Duration;

use adapters::http::{ApiRequest, Problem, Reply};
use adapters::store::DynamoStore;
use adapters::system::SystemClock;
use adapters::{aws, config, connections, http, telemetry};
use domain::order::Order;
use domain::ports::OrderStore;
use domain::use_cases::change_order;

const DAY: Duration = Duration::from_secs(24 * 3600);

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    telemetry::init(module_path!());
    let store = DynamoStore::from_env(&aws::config()?)?;
    let retention = DAY * config::parsed("RETENTION_DAYS")?;
    connections::made([store.connection()]).await;
    http::serve(|request| handle(&store, retention, request)).await
}

async fn handle(store: &impl OrderStore, retention: Duration, request: ApiRequest) -> Result<Reply, Problem> {
    let target = request.target(&SystemClock)?;
    target.caller.require_storefront()?;
    let change = |order: &Order| order.delete(retention, target.stamp.clone()).map(Some);
    change_order(store, &target, &change).await?;
    Ok(Reply::no_content())
}

#[cfg(test)]
mod tests {
    use adapters::testing;
    use domain::memory::{MemoryStore, sample};
    use domain::order::FollowUpKind;
    use domain::status::Status;

    use super::*;

    #[tokio::test]
    async fn the_sample_event_deletes_an_order_once() {
        let store = MemoryStore::default();
        store.insert(&sample::order()).await.unwrap();
        let delete = async || testing::parts(handle(&store, DAY, testing::sample_request("delete-order")).await);
        assert_eq!((delete().await.0, delete().await.0), (204, 404));
        let order = store.get(&sample::tenant(), sample::order_id(1)).await.unwrap().unwrap();
        let erase = order.follow_ups.iter().find(|follow_up| follow_up.kind == FollowUpKind::Erase).unwrap();
        assert_eq!((order.version, erase.at), (2, order.deleted_at.unwrap().plus(DAY)));
    }

    #[tokio::test]
    async fn a_customer_deletes_no_order() {
        let store = MemoryStore::default();
        store.insert(&sample::order()).await.unwrap();
        let request = testing::attempt("delete-order", "lambda", |event| {
            event["requestContext"]["authorizer"]["customer_id"] = "cust-1".into();
        });
        let (status, _, body) = testing::parts(handle(&store, DAY, request).await);
        assert_eq!((status, body["code"].as_str()), (403, Some("confined_token")));
    }

    #[tokio::test]
    async fn a_deletion_under_the_gateway_id_of_an_earlier_change_deletes_the_order() {
        let store = MemoryStore::default();
        store.insert(&sample::order()).await.unwrap();
        let attempt = |event, lambda_request_id| {
            testing::attempt(event, lambda_request_id, |event| {
                event["requestContext"]["requestId"] = "chosen-by-the-client".into();
            })
        };
        let earlier = attempt("update-status", "attempt-1").target(&SystemClock).unwrap();
        let process = |order: &Order| order.transition(Status::Processing, None, earlier.stamp.clone());
        change_order(&store, &earlier, &process).await.unwrap();
        let (status, ..) = testing::parts(handle(&store, DAY, attempt("delete-order", "attempt-2")).await);
        assert_eq!(status, 204);
        assert!(store.get(&sample::tenant(), sample::order_id(1)).await.unwrap().unwrap().is_deleted());
    }

    #[tokio::test]
    async fn the_answers_have_the_shape_that_clients_know() {
        let store = MemoryStore::default();
        store.insert(&sample::order()).await.unwrap();
        let delete = async || testing::shape(handle(&store, DAY, testing::sample_request("delete-order")).await);
        insta::assert_snapshot!("deleted", delete().await);
        insta::assert_snapshot!("not_found", delete().await);
    }
}
