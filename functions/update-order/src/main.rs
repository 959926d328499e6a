//! `PUT /orders/{id}`

use adapters::http::{ApiRequest, Problem, Reply};
use adapters::outbound::{Circuits, PartnerClient, Role};
use adapters::partners::SelectedInventory;
use adapters::store::DynamoStore;
use adapters::system::SystemClock;
use adapters::wire::UpdateOrder;
use adapters::{aws, connections, http, telemetry};
use domain::ports::{InventoryService, OrderStore};
use domain::use_cases::EditOrder;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    telemetry::init(module_path!());
    let aws = aws::config()?;
    let circuits = Circuits::from_env(&aws)?;
    let orders = EditOrder {
        store: DynamoStore::from_env(&aws)?,
        inventory: SelectedInventory::from_env(&PartnerClient::new()?, &circuits, Role::Votes)?,
    };
    connections::made([circuits.connection(), orders.inventory.connection()]).await;
    http::serve(|request| handle(&orders, request)).await
}

async fn handle<S: OrderStore, I: InventoryService>(
    orders: &EditOrder<S, I>,
    request: ApiRequest,
) -> Result<Reply, Problem> {
    let target = request.target(&SystemClock)?;
    let (edit, lines) = request.json::<UpdateOrder>()?.into_edit()?;
    let order = orders.run(&target, &edit, lines.as_ref()).await?;
    Reply::order(&order, None)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use adapters::testing;
    use domain::memory::{MemoryInventory, MemoryStore, sample};
    use domain::use_cases::change_order;

    use super::*;

    async fn orders() -> EditOrder<MemoryStore, MemoryInventory> {
        let orders = EditOrder { store: MemoryStore::default(), inventory: sample::inventory() };
        orders.store.insert(&sample::order()).await.unwrap();
        orders
    }

    /// A request under the one id that the client chose for all of its requests.
    fn under_one_gateway_id(event: &str, lambda_request_id: &str, body: &str) -> ApiRequest {
        testing::attempt(event, lambda_request_id, |event| {
            event["requestContext"]["requestId"] = "chosen-by-the-client".into();
            event["body"] = body.into();
        })
    }

    #[tokio::test]
    async fn the_sample_event_replaces_lines_and_notes() {
        let orders = orders().await;
        let (status, headers, body) = testing::parts(handle(&orders, testing::sample_request("update-order")).await);
        assert_eq!((status, body["notes"].as_str()), (200, Some("Ring twice.")));
        assert_eq!((body["lines"].as_array().unwrap().len(), body["total"]["amount"].as_i64()), (1, Some(897)));
        assert_eq!(headers["etag"], "\"2\"");
    }

    #[tokio::test]
    async fn two_edits_under_one_gateway_id_both_change_the_order() {
        let orders = orders().await;
        for (lambda_request_id, notes, version) in [("attempt-1", "one", 2), ("attempt-2", "two", 3)] {
            let body = format!(r#"{{"notes":"{notes}"}}"#);
            let edit = under_one_gateway_id("update-order", lambda_request_id, &body);
            let (status, _, body) = testing::parts(handle(&orders, edit).await);
            assert_eq!((status, body["notes"].as_str(), body["version"].as_u64()), (200, Some(notes), Some(version)));
        }
    }

    #[tokio::test]
    async fn an_edit_under_the_gateway_id_of_the_deletion_finds_no_order() {
        let orders = orders().await;
        let deletion = under_one_gateway_id("delete-order", "attempt-1", "").target(&SystemClock).unwrap();
        let delete =
            |order: &domain::order::Order| order.delete(Duration::from_secs(60), deletion.stamp.clone()).map(Some);
        change_order(&orders.store, &deletion, &delete).await.unwrap();
        let edit = under_one_gateway_id("update-order", "attempt-2", r#"{"notes":"two"}"#);
        let (status, _, body) = testing::parts(handle(&orders, edit).await);
        assert_eq!((status, body["code"].as_str()), (404, Some("order_not_found")));
    }

    #[tokio::test]
    async fn the_answers_have_the_shape_that_clients_know() {
        let orders = orders().await;
        let edit = async |body: &str| {
            let request = testing::attempt("update-order", "lambda", |event| event["body"] = body.into());
            testing::shape(handle(&orders, request).await)
        };
        let all = r#"{"lines":[{"product_id":"sku-3","quantity":1}],"notes":"n","metadata":null,"external_reference":null,
            "shipping_address":{"name":"n","line1":"1","line2":"2","city":"c","state":"s","postal_code":"p","country":"GB","phone":"1"}}"#;
        insta::assert_snapshot!("edited", edit(all).await);
        insta::assert_snapshot!("validation_failed", edit(r#"{"lines":null}"#).await);
    }
}
