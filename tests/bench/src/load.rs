//! What processes of a function do in a closed loop: each has its next event as soon as it has answered.

use std::time::{Duration, Instant};

use futures_util::future::try_join_all;

use crate::cases::{Case, Events, Orders, case};
use crate::measure::successful;
use crate::process::Function;
use crate::world::{Partners, World};
use crate::{Failure, Programs};

/// How many processes run side by side. Lambda runs one for each request at a time.
const PROCESSES: [usize; 4] = [1, 2, 4, 8];

/// For so long they run, after the invocations that connect them.
const TIME: Duration = Duration::from_secs(3);
const WARM: usize = 20;

/// The keys and orders of a process are so far from those of the next.
const APART: usize = 1_000_000;

const ROUTES: [Case; 7] = [
    case("hello-floor", "hello-floor", Some(Events::Sample)),
    case("bare-get", "bare-get", Some(Events::OneOrder)),
    case("get-order", "bare-get", Some(Events::OneOrder)),
    case("list-orders", "bare-get", Some(Events::Sample)),
    case("bare-put", "bare-put", Some(Events::NewKey)),
    case("create-order", "bare-put", Some(Events::NewKey)),
    case("sample-put", "sample-put", Some(Events::NewProduct)),
];

/// Prints a table: requests for each second of processor time of the function, and requests a second.
pub async fn print(programs: &Programs, world: &World) -> Result<(), Failure> {
    let columns = PROCESSES.map(|count| format!("{count} processes"));
    println!("| requests per core-second (a second) | {} |", columns.join(" | "));
    println!("|{}", " --- |".repeat(PROCESSES.len() + 1));
    for route in &ROUTES {
        let mut cells = Vec::new();
        for (run, count) in PROCESSES.into_iter().enumerate() {
            cells.push(closed_loop(route, run, count, programs, world).await?);
        }
        println!("| {} | {} |", route.name, cells.join(" | "));
    }
    Ok(())
}

async fn closed_loop(
    route: &Case,
    run: usize,
    count: usize,
    programs: &Programs,
    world: &World,
) -> Result<String, Failure> {
    let orders = Orders::place(route, run, programs, world).await?;
    let settings = world.settings(Partners::Fakes);
    let mut functions = Vec::new();
    for _ in 0..count {
        functions.push(Function::start(&programs.path(route.program), &settings).await?);
    }
    let loops = functions.into_iter().enumerate();
    let loops = loops.map(|(n, function)| process(route, &orders, function, n * APART));
    let done = try_join_all(loops).await?;
    let requests: usize = done.iter().map(|(requests, _)| requests).sum();
    let busy: f64 = done.iter().map(|(_, busy)| busy.as_secs_f64()).sum();
    Ok(format!("{:.0} ({:.0})", requests as f64 / busy, requests as f64 / TIME.as_secs_f64()))
}

/// The requests that one process answered within [`TIME`], and its processor time meanwhile.
async fn process(
    route: &Case,
    orders: &Orders,
    mut function: Function,
    first: usize,
) -> Result<(usize, Duration), Failure> {
    let events = route.events.ok_or("a route has events")?;
    for n in first..first + WARM {
        function.invoke(&orders.event(route.program, events, n)?).await?;
    }
    let (before, end) = (function.processor_time()?, Instant::now() + TIME);
    let mut requests = 0;
    while Instant::now() < end {
        let event = orders.event(route.program, events, first + WARM + requests)?;
        let invocation = function.invoke(&event).await?;
        successful(route, &serde_json::from_slice(&invocation.answer)?)?;
        requests += 1;
    }
    Ok((requests, function.processor_time()? - before))
}
