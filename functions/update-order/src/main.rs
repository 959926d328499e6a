//! `PUT /orders/{id}`

use adapters::http::{ApiRequest, Problem, Reply};
use adapters::outbound::{Circuits, PartnerClient};
use adapters::partners::SelectedInventory;
use adapters::store::DynamoStore;
use adapters::system::SystemClock;
use adapters::wire::UpdateOrder;
use adapters::{aws, http, telemetry};
use domain::ports::{InventoryService, OrderStore};
use domain::use_cases::EditOrder;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    telemetry::init();
    let aws = aws::config().await?;
    let orders = EditOrder {
        store: DynamoStore::from_env(&aws)?,
        inventory: SelectedInventory::from_env(&PartnerClient::new()?, &Circuits::from_env(&aws)?)?,
    };
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
    use adapters::testing;
    use domain::memory::{MemoryStore, sample};

    use super::*;

    #[tokio::test]
    async fn the_sample_event_replaces_lines_and_notes() {
        let orders = EditOrder { store: MemoryStore::default(), inventory: sample::inventory() };
        orders.store.insert(&sample::order()).await.unwrap();
        let (status, headers, body) = testing::parts(handle(&orders, testing::sample_request("update-order")).await);
        assert_eq!((status, body["notes"].as_str()), (200, Some("Ring twice.")));
        assert_eq!((body["lines"].as_array().unwrap().len(), body["total"]["amount"].as_i64()), (1, Some(897)));
        assert_eq!(headers["etag"], "\"2\"");
    }
}
