//! `POST /orders`

use adapters::http::{ApiRequest, Problem, Reply};
use adapters::outbound::{Circuits, PartnerClient, Role};
use adapters::partners::{SelectedCustomers, SelectedInventory};
use adapters::store::DynamoStore;
use adapters::system::{RandomIds, SystemClock};
use adapters::wire::CreateOrder;
use adapters::{aws, config, connections, http, telemetry};
use domain::caller::Scope;
use domain::ports::{CustomerService, Ids, InventoryService, OrderStore};
use domain::use_cases::{OrderRequest, PlaceOrder};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    telemetry::init(module_path!());
    let aws = aws::config().await?;
    let (client, circuits) = (PartnerClient::new()?, Circuits::from_env(&aws)?);
    let orders = PlaceOrder {
        store: DynamoStore::from_env(&aws)?,
        customers: SelectedCustomers::from_env(&client, &circuits, Role::Votes)?,
        inventory: SelectedInventory::from_env(&client, &circuits, Role::Votes)?,
        ids: RandomIds,
        home_region: config::required("AWS_REGION")?,
    };
    let PlaceOrder { customers, inventory, .. } = &orders;
    connections::made([circuits.connection(), customers.connection(), inventory.connection()]).await;
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
    use domain::memory::{CountingIds, MemoryStore, sample};

    use super::*;

    #[tokio::test]
    async fn the_sample_event_places_an_order() {
        let orders = PlaceOrder {
            store: MemoryStore::default(),
            customers: sample::customers(),
            inventory: sample::inventory(),
            ids: CountingIds::default(),
            home_region: "eu-central-1".to_owned(),
        };
        let reply = handle(&orders, testing::sample_request("create-order")).await;
        let (status, headers, body) = testing::parts(reply);
        assert_eq!((status, body["status"].as_str(), body["version"].as_u64()), (201, Some("confirmed"), Some(1)));
        assert_eq!(headers["etag"], "\"1\"");
        assert_eq!(headers["location"], format!("/v1/orders/{}", body["id"].as_str().unwrap()));
        let replay = handle(&orders, testing::sample_request("create-order")).await;
        assert_eq!(testing::parts(replay).1["idempotent-replayed"], "true", "another request of the same gateway id");
    }
}
