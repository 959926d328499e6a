//! Measures in this process, while the test engine runs in another: neither its memory nor its time is measured.

use std::io::{BufRead, BufReader, Read};
use std::ops::Range;
use std::process::{Command, Stdio};
use std::time::Instant;

use dynoxide::Database;

use crate::engine::Engine;

/// So many items are written at a time.
const CHUNK: u32 = 20_000;

/// Runs `measure` on an engine that holds as many copies of the sample order as the first argument says. The engine runs in
/// another process of this program, where `fill` stores the copies chunk by chunk and `others` begins what else is served.
/// `measure` is told the addresses of both.
pub async fn run(
    fill: impl AsyncFn(&Engine, Range<u32>),
    others: impl AsyncFnOnce() -> Vec<String>,
    measure: impl AsyncFnOnce(&[String], u32),
) {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["engine", file, copies] => serve(file, copies.parse().unwrap(), fill, others).await,
        [copies, ..] => measure_apart(copies.parse().unwrap(), measure).await,
        [] => panic!("how many orders?"),
    }
}

/// Fills an engine, says where it and the others are, and serves until its standard input is closed.
async fn serve(
    file: &str,
    copies: u32,
    fill: impl AsyncFn(&Engine, Range<u32>),
    others: impl AsyncFnOnce() -> Vec<String>,
) {
    let engine = Engine::on(Database::new(file).unwrap()).await;
    engine.database.enable_bulk_loading().unwrap();
    let all = copies_of(copies);
    for first in all.clone().step_by(CHUNK as usize) {
        fill(&engine, first..(first + CHUNK).min(all.end)).await;
    }
    let mut addresses = vec![engine.endpoint.clone()];
    addresses.extend(others().await);
    println!("{}", addresses.join(" "));
    let wait = tokio::task::spawn_blocking(|| std::io::stdin().read_to_end(&mut Vec::new()));
    wait.await.unwrap().unwrap();
}

async fn measure_apart(copies: u32, measure: impl AsyncFnOnce(&[String], u32)) {
    let folder = std::env::temp_dir().join(format!("orders-measured-{}", std::process::id()));
    std::fs::create_dir(&folder).unwrap();
    let began = Instant::now();
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.arg("engine").arg(folder.join("engine.db")).arg(copies.to_string());
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut addresses = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut addresses).unwrap();
    println!("{copies} orders stored in {:.0} s", began.elapsed().as_secs_f64());
    let addresses: Vec<String> = addresses.split_whitespace().map(str::to_owned).collect();
    measure(&addresses, copies).await;
    drop(child.stdin.take());
    child.wait().unwrap();
    std::fs::remove_dir_all(folder).unwrap();
}

/// The numbers of so many copies of the sample order, which is the first.
pub const fn copies_of(copies: u32) -> Range<u32> {
    2..copies + 2
}

/// The most memory that this process had at a time.
pub fn peak_megabytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    peak.trim().trim_end_matches(" kB").parse::<u64>().unwrap() / 1_024
}
