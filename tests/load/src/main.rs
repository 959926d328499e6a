//! Sends orders to a deployed service at a steady rate, and prints how long each kind of call took.
//!
//! `URL` (with the stage, such as `…/v1`) and `TOKEN` name the service and the caller. `RATE` shoppers arrive a second (300), for
//! `SECONDS` (600), whether or not those before them are done. Of ten, eight place an order of `LOAD_CUSTOMER` (`cust-1`) for
//! `LOAD_PRODUCT` (`sku-1`), read it, think for three seconds and delete it; two read a page of orders. That is the profile of
//! <https://github.com/aws-samples/serverless-rust-demo>. No call is retried.

mod figures;
#[path = "../../smoke/src/settings.rs"]
mod settings;
mod shopper;

use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use order_service_client::{Client, NewOrder, Retries, Token};
use tokio::task::JoinSet;

use figures::Figures;
use settings::{or, setting};
use shopper::Shopper;

/// So many seconds' arrivals may be under way. Who comes then is turned away, so that a service that hangs fills no memory.
const UNDER_WAY: usize = 20;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match load().await {
        Ok(figures) => {
            print!("{figures}");
            if figures.all_succeeded() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(failure) => {
            eprintln!("error: {failure}");
            ExitCode::FAILURE
        }
    }
}

async fn load() -> Result<Figures, String> {
    let rate = number("RATE", 300)?;
    let arrivals = rate * number("SECONDS", 600)?;
    let shopper = Arc::new(shopper()?);
    let figures = Arc::new(Figures::default());
    let begun = Instant::now();
    let mut shoppers = JoinSet::new();
    for arrival in 0..arrivals {
        let due = begun + Duration::from_secs_f64(arrival as f64 / rate as f64);
        tokio::time::sleep_until(due.into()).await;
        while shoppers.try_join_next().is_some() {}
        if shoppers.len() >= UNDER_WAY * rate {
            figures.turn_away();
            continue;
        }
        let (shopper, figures) = (Arc::clone(&shopper), Arc::clone(&figures));
        shoppers.spawn(async move { shopper.shop(arrival, &figures).await });
    }
    shoppers.join_all().await;
    Ok(Arc::into_inner(figures).unwrap_or_default())
}

fn shopper() -> Result<Shopper, String> {
    let client = Client::builder(setting("URL")?).token(Token::new(setting("TOKEN")?)).retries(Retries::none());
    let client = client.build().map_err(|error| format!("the client: {error}"))?;
    let order = NewOrder::new(or("LOAD_CUSTOMER", "cust-1")).line(or("LOAD_PRODUCT", "sku-1"), 1);
    Ok(Shopper { client, order })
}

fn number(name: &str, default: usize) -> Result<usize, String> {
    let text = or(name, &default.to_string());
    let number = text.parse().ok().filter(|number| (1..=100_000).contains(number));
    number.ok_or_else(|| format!("{name} is {text}, and must be a number from 1 to 100000"))
}
