//! `PUT /orders/{id}/shipping`

use adapters::http::{ApiRequest, Problem, Reply};
use adapters::store::DynamoStore;
use adapters::system::SystemClock;
use adapters::wire::UpdateShipping;
use adapters::{aws, connections, http, telemetry};
use domain::order::Order;
use domain::ports::OrderStore;
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
    target.caller.require_storefront()?;
    let shipment = request.json::<UpdateShipping>()?.into_shipment()?;
    let change = |order: &Order| order.ship(shipment.clone(), target.stamp.clone());
    Reply::order(&change_order(store, &target, &change).await?, None)
}

#[cfg(test)]
mod tests {
    use adapters::testing;
    use domain::memory::{MemoryStore, sample};

    use super::*;

    #[tokio::test]
    async fn the_sample_event_sets_the_shipping_information() {
        let store = MemoryStore::default();
        store.insert(&sample::order()).await.unwrap();
        let (status, headers, body) = testing::parts(handle(&store, testing::sample_request("update-shipping")).await);
        assert_eq!((status, body["shipping"]["tracking_number"].as_str()), (200, Some("RM123456789GB")));
        assert_eq!((body["status"].as_str(), &headers["etag"]), (Some("confirmed"), &"\"2\"".parse().unwrap()));
    }

    #[tokio::test]
    async fn a_customer_ships_no_order() {
        let store = MemoryStore::default();
        store.insert(&sample::order()).await.unwrap();
        let request = testing::attempt("update-shipping", "lambda", |event| {
            event["requestContext"]["authorizer"]["customer_id"] = "cust-1".into();
        });
        let (status, _, body) = testing::parts(handle(&store, request).await);
        assert_eq!((status, body["code"].as_str()), (403, Some("confined_token")));
    }

    #[tokio::test]
    async fn the_answers_have_the_shape_that_clients_know() {
        let store = MemoryStore::default();
        let placed = sample::order();
        store
            .insert(&placed.transition(domain::status::Status::Processing, None, sample::stamp(2)).unwrap().unwrap())
            .await
            .unwrap();
        let ship = async |body: &str| {
            let request = testing::attempt("update-shipping", "lambda", |event| event["body"] = body.into());
            testing::shape(handle(&store, request).await)
        };
        let all = r#"{"carrier":"c","tracking_number":"n","tracking_url":"https://t.example/n","service":"express",
            "shipped_at":"2026-01-02","estimated_delivery":"2026-01-05T10:00:00+01:00"}"#;
        insta::assert_snapshot!("reservation_unconfirmed", ship(all).await);
        let store = MemoryStore::default();
        store.insert(&sample::order()).await.unwrap();
        let request = testing::attempt("update-shipping", "lambda", |event| event["body"] = all.into());
        insta::assert_snapshot!("set", testing::shape(handle(&store, request).await));
    }
}
