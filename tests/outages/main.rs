//! What happens while partners fail. Faults are set for the whole simulator, so these suites run one after another and
//! beside no others.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

mod circuit;
mod outage;
mod poison;
mod publisher;
mod reconcile;
mod rush;
mod unconfirmed;

use e2e::{Shop, eventually};

/// Ends every fault and waits until both circuits are closed: a circuit closes when somebody calls, so somebody does.
async fn calm(shop: &Shop) {
    shop.partners.fault("*", "none", 0).await;
    let product = shop.product(1_000).await;
    eventually("the circuits being closed", || async {
        shop.place(&uuid::Uuid::new_v4().to_string(), &e2e::order_of(&[(&product, 1)])).await;
        (shop.get("/health").await.body["status"] == "ok").then_some(())
    })
    .await;
}
