//! What is measured of a function: its start, its invocations, and what it takes up.

use std::ops::Range;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::cases::{Case, Events, Orders, baseline_events};
use crate::process::{Function, Settings};
use crate::world::World;
use crate::{Failure, Programs};

/// How often a function and its baseline are started, in turns.
const STARTS: usize = 21;

/// The invocations that count; those before them connect and fill caches.
pub const INVOCATIONS: Range<usize> = 100..1_100;

/// The orders of a case whose invocations have one each.
pub const ORDERS: usize = 1_600;

/// Invocations whose allocations are counted, by the difference of two runs.
const COUNTED: [usize; 2] = [20, 220];

/// The figures of a function. Times are milliseconds, sizes bytes.
#[derive(Serialize, Deserialize)]
pub struct Row {
    pub name: String,
    pub baseline: String,
    pub init: f64,
    pub init_ratio: f64,
    pub peak_memory: u64,
    pub program_size: u64,
    pub zip_size: u64,
    pub invocations: Option<Invocations>,
}

/// The figures of its invocations.
#[derive(Serialize, Deserialize)]
pub struct Invocations {
    pub first: f64,
    pub p50: f64,
    pub p99: f64,
    /// To the baseline's median.
    pub ratio: f64,
    pub processor_time: f64,
    pub allocations: f64,
    /// Capacity units that DynamoDB charged, and calls of partners, of the last invocation.
    pub units: f64,
    pub partner_calls: usize,
}

impl Row {
    /// Measures a function.
    pub async fn measure(case: &Case, programs: &Programs, world: &World) -> Result<Self, Failure> {
        let settings = world.settings(case.partners);
        let orders = Orders::place(case, 0, programs, world).await?;
        let (program, floor) = (programs.path(case.program), programs.path("hello-floor"));
        let (mut init, mut floor_init) = (Vec::new(), Vec::new());
        for _ in 0..STARTS {
            init.push(Function::start(&program, &settings).await?.init);
            floor_init.push(Function::start(&floor, &settings).await?.init);
        }
        let (init, floor_init) = (median(&mut init), median(&mut floor_init));
        let (invocations, peak_memory) = match case.events {
            Some(events) => {
                let baseline = programs.path(case.baseline);
                let (invocations, memory) = invoked(case, events, [&program, &baseline], &settings, &orders).await?;
                (Some(invocations), memory)
            }
            None => (None, Function::start(&program, &settings).await?.peak_memory()?),
        };
        Ok(Self {
            name: case.name.to_owned(),
            baseline: case.baseline.to_owned(),
            init: millis(init),
            init_ratio: init.as_secs_f64() / floor_init.as_secs_f64(),
            peak_memory,
            program_size: std::fs::metadata(&program)?.len(),
            zip_size: zipped(&program)?,
            invocations,
        })
    }
}

/// Invokes a function and its baseline in turns, so that what else the machine does meets both.
async fn invoked(
    case: &Case,
    events: Events,
    [program, baseline]: [&Path; 2],
    settings: &Settings,
    orders: &Orders,
) -> Result<(Invocations, u64), Failure> {
    let mut function = Function::start(program, settings).await?;
    let mut floor = Function::start(baseline, settings).await?;
    let (mut took, mut floor_took) = (Vec::new(), Vec::new());
    let (mut first, mut before) = (Duration::ZERO, Duration::ZERO);
    let mut line = Value::Null;
    for n in 0..INVOCATIONS.end {
        if n == INVOCATIONS.start {
            before = function.processor_time()?;
        }
        let invocation = function.invoke(&orders.event(case.program, events, n)?).await?;
        successful(case, &serde_json::from_slice(&invocation.answer)?)?;
        if !matches!(events, Events::Token) {
            line = function.line().await?;
        }
        let event = orders.event(case.baseline, baseline_events(case.baseline), n + ORDERS)?;
        let floor_invocation = floor.invoke(&event).await?;
        if n == 0 {
            first = invocation.took;
        }
        if INVOCATIONS.contains(&n) {
            took.push(invocation.took);
            floor_took.push(floor_invocation.took);
        }
    }
    let processor_time = function.processor_time()? - before;
    let (p50, floor_p50) = (median(&mut took), median(&mut floor_took));
    let invocations = Invocations {
        first: millis(first),
        p50: millis(p50),
        p99: millis(took.get(took.len() * 99 / 100).copied().unwrap_or_default()),
        ratio: p50.as_secs_f64() / floor_p50.as_secs_f64(),
        processor_time: millis(processor_time) / INVOCATIONS.len() as f64,
        allocations: allocations(case, events, program, settings, orders).await?,
        units: line["units"].as_f64().unwrap_or_default(),
        partner_calls: ["CustomersLatency", "InventoryLatency"]
            .iter()
            .filter_map(|calls| line[calls].as_array())
            .map(Vec::len)
            .sum(),
    };
    Ok((invocations, function.peak_memory()?))
}

pub fn successful(case: &Case, answer: &Value) -> Result<(), Failure> {
    match answer["statusCode"].as_u64() {
        Some(200..300) => Ok(()),
        None if answer["policyDocument"].is_object() => Ok(()),
        _ => Err(format!("{}: {answer}", case.name).into()),
    }
}

/// Allocations of an invocation.
async fn allocations(
    case: &Case,
    events: Events,
    program: &Path,
    settings: &Settings,
    orders: &Orders,
) -> Result<f64, Failure> {
    let mut counts = [0.0; 2];
    for (count, invocations) in counts.iter_mut().zip(COUNTED) {
        let mut function = Function::start_counted(program, settings).await?;
        for n in 0..invocations {
            // Orders that no other invocation has changed.
            function.invoke(&orders.event(case.program, events, INVOCATIONS.end + invocations + n)?).await?;
        }
        *count = function.allocations().await? as f64;
    }
    let [fewer, more] = counts;
    let [few, many] = COUNTED;
    Ok((more - fewer) / (many - few) as f64)
}

/// The size of the program in a deployment package.
fn zipped(program: &Path) -> Result<u64, Failure> {
    let packed = Command::new("gzip").args(["-9", "--stdout"]).arg(program).stderr(Stdio::inherit()).output()?;
    Ok(packed.stdout.len() as u64)
}

pub fn median(times: &mut [Duration]) -> Duration {
    times.sort_unstable();
    times.get(times.len() / 2).copied().unwrap_or_default()
}

pub fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1_000.0
}
