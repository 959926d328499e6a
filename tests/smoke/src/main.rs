//! Places, reads, cancels and deletes an order at a deployed service, and says what failed if anything did.
//!
//! `URL` (with the stage, such as `…/v1`) and `TOKEN` name the service and the caller; `SMOKE_CUSTOMER` and `SMOKE_PRODUCT`
//! whose order it is and of what (`cust-1`, `sku-1`).

mod settings;

use std::process::ExitCode;
use std::time::Duration;

use order_service_client::{Client, NewOrder, Order, ProblemKind, Status, Token};
use uuid::Uuid;

use settings::{or, setting};

/// Seconds for which a stage cache may still show an order that is gone.
const LONGEST_CACHED: u32 = 30;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match smoke().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("error: {failure}");
            ExitCode::FAILURE
        }
    }
}

async fn smoke() -> Result<(), String> {
    let token = Token::new(setting("TOKEN")?);
    let client = Client::builder(setting("URL")?).token(token).build().map_err(|error| said("the client", error))?;
    let health = client.health().await.map_err(|error| said("GET /health", error))?;
    println!("health: {}, release {}", health.status, health.version);
    let wanted = NewOrder::new(or("SMOKE_CUSTOMER", "cust-1")).line(or("SMOKE_PRODUCT", "sku-1"), 1);
    let placed = client.place_order(&wanted).await.map_err(|error| said("placing an order", error))?.order;
    println!("placed: {} is {}", placed.id, placed.status);
    let used = use_up(&client, &placed).await;
    // Whatever failed meanwhile, no stock stays reserved.
    let deleted = client.delete_order(placed.id).await.map_err(|error| said("deleting the order", error));
    used.and(deleted)?;
    wait_until_gone(&client, placed.id).await?;
    println!("deleted: it is gone");
    Ok(())
}

/// The stage cache (`CacheSeconds`) may show the order for a while.
async fn wait_until_gone(client: &Client, id: Uuid) -> Result<(), String> {
    for _ in 0..LONGEST_CACHED {
        match client.order(id).await {
            Err(error) if matches!(error.problem_kind(), Some(ProblemKind::OrderNotFound)) => return Ok(()),
            Err(error) => return Err(said("reading the deleted order", error)),
            Ok(_) => tokio::time::sleep(Duration::from_secs(1)).await,
        }
    }
    Err("the deleted order can still be read".to_owned())
}

/// Reads and cancels the order.
async fn use_up(client: &Client, placed: &Order) -> Result<(), String> {
    let read = client.order(placed.id).await.map_err(|error| said("reading the order", error))?;
    if read.total != placed.total || read.lines.len() != 1 {
        return Err(format!("the order that was read is another: {read:?}"));
    }
    println!("read: version {}", read.version);
    let canceled = Status::Canceled.because("smoke test");
    let canceled = client.move_order(placed.id, canceled).await.map_err(|error| said("canceling the order", error))?;
    if canceled.status != Status::Canceled {
        return Err(format!("the canceled order is {}", canceled.status));
    }
    println!("canceled: version {}", canceled.version);
    Ok(())
}

fn said(what: &str, error: impl std::fmt::Display) -> String {
    format!("{what}: {error}")
}
