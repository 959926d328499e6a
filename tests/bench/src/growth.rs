//! Whether a route takes longer when more orders are stored.

use crate::cases::{Case, Events, Orders, case};
use crate::measure::{median, millis, successful};
use crate::process::Function;
use crate::world::{Partners, World};
use crate::{Failure, Programs};

/// How many orders are stored, one after another.
const STORED: [u32; 4] = [1_000, 10_000, 100_000, 1_000_000];

/// So many orders are written at a time.
const CHUNK: usize = 20_000;

/// The invocations of a route that are not counted, and those that are.
const WARM: usize = 100;
const COUNTED: usize = 400;

/// The routes that read or write orders.
const ROUTES: [Case; 4] = [
    case("get-order", "bare-get", Some(Events::OneOrder)),
    case("list-orders", "bare-get", Some(Events::Sample)),
    case("create-order", "bare-put", Some(Events::NewKey)),
    case("update-status", "bare-put", Some(Events::NextOrder)),
];

/// Prints a table: the median of each route in milliseconds, and its units.
pub async fn print(programs: &Programs, world: &World) -> Result<(), Failure> {
    println!("| orders | {} |", ROUTES.map(|route| route.name).join(" | "));
    println!("|{}", " --- |".repeat(ROUTES.len() + 1));
    let mut stored = 0;
    for (run, orders) in STORED.into_iter().enumerate() {
        for first in (stored..orders).step_by(CHUNK) {
            world.engine.fill(first..orders.min(first + CHUNK as u32)).await;
        }
        stored = orders;
        let mut cells = Vec::new();
        for route in &ROUTES {
            cells.push(invoked(route, run, programs, world).await?);
        }
        println!("| {orders} | {} |", cells.join(" | "));
    }
    Ok(())
}

async fn invoked(route: &Case, run: usize, programs: &Programs, world: &World) -> Result<String, Failure> {
    let events = route.events.ok_or("a route has events")?;
    let orders = Orders::place(route, run, programs, world).await?;
    let mut function = Function::start(&programs.path(route.program), &world.settings(Partners::Fakes)).await?;
    let (mut took, mut units) = (Vec::new(), 0.0);
    for n in 0..WARM + COUNTED {
        let invocation = function.invoke(&orders.event(route.program, events, n)?).await?;
        successful(route, &serde_json::from_slice(&invocation.answer)?)?;
        units = function.line().await?["units"].as_f64().unwrap_or_default();
        if n >= WARM {
            took.push(invocation.took);
        }
    }
    Ok(format!("{:.3} ms, {units} units", millis(median(&mut took))))
}
