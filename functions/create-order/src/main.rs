//! `POST /orders`

use adapters::http::{ApiRequest, Problem, Reply};
use adapters::outbound::{Circuits, Role};
use adapters::store::DynamoStore;
use adapters::system::{RandomIds, SystemClock};
use adapters::wire::CreateOrder;
use adapters::{aws, config, http, partners, telemetry};
use domain::caller::Scope;
use domain::ports::{CustomerService, Ids, InventoryService, OrderStore};
use domain::use_cases::{OrderRequest, PlaceOrder};

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
    let draft = request.json::<CreateOrder>()?.into_draft()?;
    let stamp = request.stamp(&caller, &SystemClock);
    let placed = orders.run(OrderRequest { caller, key, draft, stamp }).await?;
    Reply::placed(&placed)
}

#[cfg(test)]
mod tests {
    use adapters::testing;
    use domain::memory::{CountingIds, MemoryCustomers, MemoryInventory, MemoryStore, sample};

    use super::*;

    #[tokio::test]
    async fn the_sample_event_places_an_order() {
        let orders = orders();
        let reply = handle(&orders, testing::sample_request("create-order")).await;
        let (status, headers, body) = testing::parts(reply);
        assert_eq!((status, body["status"].as_str(), body["version"].as_u64()), (201, Some("confirmed"), Some(1)));
        assert_eq!(headers["etag"], "\"1\"");
        assert_eq!(headers["location"], format!("/v1/orders/{}", body["id"].as_str().unwrap()));
        let replay = handle(&orders, testing::sample_request("create-order")).await;
        assert_eq!(testing::parts(replay).1["idempotent-replayed"], "true", "another request of the same gateway id");
    }

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
        testing::attempt("create-order", "lambda", change)
    }

    fn with_body(body: &str) -> ApiRequest {
        request(|event| event["body"] = body.into())
    }

    #[tokio::test]
    async fn the_answers_have_the_shape_that_clients_know() {
        let orders = orders();
        let place = async |request| testing::shape(handle(&orders, request).await);
        insta::assert_snapshot!("placed", place(request(|_| {})).await);
        insta::assert_snapshot!("replayed", place(testing::sample_request("create-order")).await);
        let mut waiting = self::orders();
        waiting.customers.known = None;
        insta::assert_snapshot!("pending", testing::shape(handle(&waiting, request(|_| {})).await));
    }

    #[tokio::test]
    async fn the_problems_have_the_shape_that_clients_know() {
        let orders = orders();
        let line = |product: &str, quantity: u32| {
            format!(r#"{{"customer_id":"cust-1","lines":[{{"product_id":"{product}","quantity":{quantity}}}]}}"#)
        };
        let refuse = async |request: ApiRequest| testing::shape(handle(&orders, request).await);
        let anonymous = |event: &mut serde_json::Value| event["requestContext"]["authorizer"] = serde_json::json!({});
        insta::assert_snapshot!("unauthenticated", refuse(request(anonymous)).await);
        let reader =
            |event: &mut serde_json::Value| event["requestContext"]["authorizer"]["scope"] = "orders:read".into();
        insta::assert_snapshot!("insufficient_scope", refuse(request(reader)).await);
        insta::assert_snapshot!("invalid_json", refuse(with_body("{")).await);
        insta::assert_snapshot!("validation_failed", refuse(with_body(&line("", 0))).await);
        insta::assert_snapshot!("out_of_stock", refuse(with_body(&line("sku-1", 101))).await);
        insta::assert_snapshot!("unknown_product", refuse(with_body(&line("sku-404", 1))).await);
        drop(handle(&orders, request(|_| {})).await);
        insta::assert_snapshot!("idempotency_key_reused", refuse(with_body(&line("sku-1", 1))).await);
    }
}
