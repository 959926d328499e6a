//! `POST /orders/batch`

use adapters::http::{ApiRequest, Problem, Reply};
use adapters::outbound::{Circuits, Role};
use adapters::store::DynamoStore;
use adapters::system::{RandomIds, SystemClock};
use adapters::wire::CreateOrder;
use adapters::{aws, config, http, partners, telemetry};
use domain::caller::Scope;
use domain::ports::{CustomerService, Ids, InventoryService, OrderStore};
use domain::use_cases::{BatchRequest, PlaceOrder};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    telemetry::init(module_path!());
    let aws = aws::config()?;
    let (customers, inventory) = partners::connected(&Circuits::from_env(&aws)?, Role::Votes).await?;
    let orders = PlaceOrder {
        store: DynamoStore::from_env(&aws)?,
        customers,
        inventory,
        ids: RandomIds,
        home_region: config::required("AWS_REGION")?,
    };
    http::serve(|request| handle(&orders, request)).await
}

async fn handle<S, C, I, N>(orders: &PlaceOrder<S, C, I, N>, request: ApiRequest) -> Result<Reply, Problem>
where
    S: OrderStore,
    C: CustomerService,
    I: InventoryService,
    N: Ids,
{
    let caller = request.caller(Scope::Write)?;
    let key = request.idempotency_key()?;
    let bodies = request.batch()?;
    let drafts = bodies.into_iter().map(|body| body.and_then(CreateOrder::into_draft)).collect();
    let stamp = request.stamp(&caller, &SystemClock);
    let outcomes = orders.run_batch(BatchRequest { caller, key, drafts, stamp }).await;
    Reply::batch(&outcomes, &request)
}

#[cfg(test)]
mod tests {
    use adapters::testing;
    use domain::memory::{CountingIds, MemoryCustomers, MemoryInventory, MemoryStore, sample};
    use serde_json::json;

    use super::*;

    fn orders() -> PlaceOrder<MemoryStore, MemoryCustomers, MemoryInventory, CountingIds> {
        PlaceOrder {
            store: MemoryStore::default(),
            customers: sample::customers(),
            inventory: sample::inventory(),
            ids: CountingIds::default(),
            home_region: "eu-central-1".to_owned(),
        }
    }

    fn request(change: impl FnOnce(&mut serde_json::Value)) -> ApiRequest {
        testing::attempt("create-batch", "lambda", change)
    }

    #[tokio::test]
    async fn the_sample_event_places_its_orders_once() {
        let orders = orders();
        let mut ids = Vec::new();
        for replayed in [false, true] {
            let reply = handle(&orders, testing::sample_request("create-batch")).await;
            let (status, _, body) = testing::parts(reply);
            assert_eq!(status, 207);
            let results = body["results"].as_array().unwrap();
            assert_eq!(results.len(), 2);
            assert!(results.iter().all(|result| result["status"] == 201 && result["replayed"] == replayed), "{body}");
            ids.push(results.iter().map(|result| result["order"]["id"].clone()).collect::<Vec<_>>());
        }
        assert_eq!(ids[0], ids[1]);
    }

    #[tokio::test]
    async fn the_answer_has_the_shape_that_clients_know() {
        let line = |product: &str, quantity: u32| json!({"product_id": product, "quantity": quantity});
        let of = |line: serde_json::Value| json!({"customer_id": "cust-1", "lines": [line]});
        let batch = json!({"orders": [of(line("sku-1", 1)), of(line("", 0)), of(line("sku-1", 101)), 7]});
        let results = handle(&orders(), request(|event| event["body"] = batch.to_string().into())).await;
        insta::assert_snapshot!("results", testing::shape(results));
        let refuse =
            async |change: fn(&mut serde_json::Value)| testing::shape(handle(&orders(), request(change)).await);
        insta::assert_snapshot!("empty", refuse(|event| event["body"] = r#"{"orders":[]}"#.into()).await);
        let reader =
            |event: &mut serde_json::Value| event["requestContext"]["authorizer"]["scope"] = "orders:read".into();
        insta::assert_snapshot!("insufficient_scope", refuse(reader).await);
    }
}
