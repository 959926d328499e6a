//! What happens while partners fail. A fault is one tenant's, so most of it runs side by side (`beside`); what opens a
//! circuit for all, or compares all orders with all events, runs on a stack of its own (`alone`), and so does what bounds
//! times, when the machine has nothing else to do (`timed`).

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

mod alone;
mod beside;
mod timed;

use e2e::{Shop, eventually};

/// Ends the tenant's faults and waits until both circuits are closed: a circuit closes when somebody calls, so somebody does.
async fn calm(shop: &Shop) {
    shop.partners.fault("*", "none", 0).await;
    let product = shop.product(1_000).await;
    eventually("the circuits being closed", || async {
        shop.place(&uuid::Uuid::new_v4().to_string(), &e2e::order_of(&[(&product, 1)])).await;
        (shop.get("/health").await.body["status"] == "ok").then_some(())
    })
    .await;
}
