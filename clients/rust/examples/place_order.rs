//! Places an order, edits, lists and cancels it: `source .local/stack.env` after `make run`, then run this.

use std::error::Error;

use futures_util::{StreamExt, TryStreamExt};
use order_service_client::{Address, Client, Edit, Filter, NewOrder, Patch, ProblemKind, Status, Token};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let token = Token::new(std::env::var("TOKEN").map_err(|_| "TOKEN is not set: source .local/stack.env")?);
    let client = Client::builder(std::env::var("API_URL")?).token(token).build()?;

    let address = Address::new("12 St James's Square", "London", "GB");
    let wanted = NewOrder::new("cust-1").line("sku-1", 2).line("sku-2", 1).ship_to(address).metadata("channel", "web");
    let placed = client.place_order(&wanted).await?;
    println!("placed {}: {}", placed.order.id, placed.order.status);

    // The same key and order again make no second order.
    let again = client.place_order_as(placed.idempotency_key, &wanted).await?;
    println!("placed again: {}, replayed: {}", again.order.id, again.is_replayed);

    let edit = Edit { notes: Patch::Set("Ring twice.".to_owned()), ..Edit::default() };
    let order = client.update_order(&placed.order, &edit).await?;
    println!("edited: version {}", order.version);

    // What was read first is out of date now.
    match client.update_order(&placed.order, &edit).await {
        Err(error) => match error.problem_kind() {
            Some(ProblemKind::PreconditionFailed { current_version }) => {
                println!("refused: it has version {current_version}")
            }
            _ => return Err(error.into()),
        },
        Ok(_) => return Err("a stale edit was accepted".into()),
    }

    let newest: Vec<_> = client.orders(Filter::Customer("cust-1".to_owned())).take(3).try_collect().await?;
    println!(
        "the newest orders of cust-1: {}",
        newest.iter().map(|row| row.id.to_string()).collect::<Vec<_>>().join(", ")
    );

    let canceled = client.move_order(&order, Status::Canceled.because("it was an example")).await?;
    println!("now {}", canceled.status);
    Ok(())
}
