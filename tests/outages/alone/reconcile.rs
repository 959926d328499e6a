//! Events that were lost behind everybody's back are found in the histories, and sent again.

use std::process::Command;

use e2e::{Queue, Shop, eventually};
use serde_json::Value;

/// Runs the operator's command; the report, and whether all is well.
fn reconcile(arguments: &[&str]) -> (Value, bool) {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
    let mut command = Command::new(format!("{root}/.venv/bin/python"));
    let output = command.arg("scripts/reconcile.py").args(arguments).current_dir(root).output().unwrap();
    let report = serde_json::from_slice(&output.stdout);
    (report.unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr))), output.status.success())
}

fn is_of(order: &str, id: &Value) -> bool {
    id.as_str().unwrap().starts_with(order)
}

#[tokio::test]
async fn events_that_never_came_out_are_found_and_sent_again() {
    let shop = Shop::open().await;
    crate::calm(&shop).await;
    let trail = Queue::named("AUDIT_QUEUE_URL");
    trail.purge().await;
    let product = shop.product(5).await;
    let order = shop.order(&[(&product, 1)]).await;
    let (id, at) = (order.id(), order.body["created_at"].as_str().unwrap().to_owned());
    shop.events.of(&id, 3).await;
    // They are taken from what came out, as if they had never been there.
    let lost = std::cell::Cell::new(0);
    eventually("the loss of three events", || async {
        let taken = trail.take().await.iter().filter(|body| body.contains(&id)).count();
        lost.set(lost.get() + taken);
        (lost.get() >= 3).then_some(())
    })
    .await;
    let (found, is_well) = reconcile(&["--from", &at, "--to", "2100-01-01T00:00:00Z"]);
    let missing = found["missing_ids"].as_array().unwrap().iter().filter(|missing| is_of(&id, missing)).count();
    assert_eq!((missing, is_well), (3, false), "{found}");
    let (sent, is_well) = reconcile(&["--from", &at, "--to", "2100-01-01T00:00:00Z", "--republish"]);
    assert_eq!((&sent["republished"], is_well), (&sent["missing"], true), "{sent}");
    eventually("nothing missing any more", || async {
        reconcile(&["--from", &at, "--to", "2100-01-01T00:00:00Z"]).1.then_some(())
    })
    .await;
}
