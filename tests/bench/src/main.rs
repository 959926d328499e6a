//! Measures the functions as they are deployed, each beside a baseline in the same run.
//!
//! `bench FOLDER [growth | load | CASE...]`: `FOLDER` has the release programs of functions and baselines; the partner
//! simulator is beside this program. Without a second word it measures every function, writes `target/bench.json` and prints
//! the table; `CHECK=1` fails when a ratio is 25 % above that of `docs/performance.json`.

#![allow(clippy::print_stderr, clippy::print_stdout, reason = "a program for people")]
#![allow(clippy::indexing_slicing, reason = "of JSON, where what is missing is null")]

mod cases;
#[path = "../../../shared/adapters/tests/store/engine/mod.rs"]
#[allow(dead_code, unused_imports, missing_docs, clippy::unwrap_used, reason = "the benchmark does not use all of it")]
mod engine;
mod growth;
mod load;
mod measure;
mod process;
mod report;
mod runtime_api;
mod world;

use std::path::{Path, PathBuf};

use serde_json::Value;

use cases::CASES;
use measure::Row;
use world::World;

/// Why a measurement ended.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Where the programs are.
pub struct Programs(PathBuf);

impl Programs {
    fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

/// A member that is a string.
///
/// # Errors
/// When there is none.
pub fn text<'a>(value: &'a Value, member: &str) -> Result<&'a str, Failure> {
    value[member].as_str().ok_or_else(|| format!("no {member} in {value}").into())
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (folder, wish) = arguments.split_first().ok_or(USAGE)?;
    let programs = Programs(folder.into());
    let world = World::start().await?;
    match wish {
        [growth] if growth == "growth" => growth::print(&programs, &world).await,
        [load] if load == "load" => load::print(&programs, &world).await,
        names => functions(names, &programs, &world).await,
    }
}

const USAGE: &str = "bench FOLDER [growth | load | CASE...]";

/// Measures the cases of these names, or all.
async fn functions(names: &[String], programs: &Programs, world: &World) -> Result<(), Failure> {
    if let Some(name) = names.iter().find(|name| CASES.iter().all(|case| case.name != *name)) {
        return Err(format!("{name} is no case; {USAGE}").into());
    }
    let mut rows = Vec::new();
    for case in CASES.iter().filter(|case| names.is_empty() || names.iter().any(|name| case.name == name)) {
        eprintln!("{}", case.name);
        rows.push(Row::measure(case, programs, world).await?);
    }
    report::print(&rows);
    report::write(&rows, Path::new("target/bench.json"))?;
    if std::env::var("CHECK").is_ok_and(|check| check == "1") {
        report::check(&rows, Path::new("docs/performance.json"))?;
    }
    Ok(())
}
