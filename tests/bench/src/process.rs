//! The process of a function, as Lambda starts one: its bootstrap, its settings, and what Linux knows of it.

use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use axum::body::Bytes;
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, ChildStdout, Command};
use tokio::sync::mpsc;

use crate::Failure;
use crate::runtime_api::RuntimeApi;

/// Settings of a function.
pub type Settings = Vec<(&'static str, String)>;

/// The part of glibc that counts allocations; it writes its table when the process ends.
const ALLOCATION_COUNTER: &str = "libmemusage.so";

/// A running function.
pub struct Function {
    child: Child,
    api: RuntimeApi,
    lines: mpsc::UnboundedReceiver<String>,
    /// From the start of the process to its first poll.
    pub init: Duration,
}

/// What an invocation took and did.
pub struct Invocation {
    pub took: Duration,
    pub answer: Bytes,
}

impl Function {
    /// Starts it and waits until it asks for an event.
    pub async fn start(bootstrap: &Path, settings: &Settings) -> Result<Self, Failure> {
        Self::spawn(bootstrap, settings, false).await
    }

    /// As [`Function::start`], with its allocations counted.
    pub async fn start_counted(bootstrap: &Path, settings: &Settings) -> Result<Self, Failure> {
        Self::spawn(bootstrap, settings, true).await
    }

    async fn spawn(bootstrap: &Path, settings: &Settings, counted: bool) -> Result<Self, Failure> {
        let mut api = RuntimeApi::start().await?;
        let mut command = Command::new(bootstrap);
        command.env_clear().envs(settings.iter().cloned()).env("AWS_LAMBDA_RUNTIME_API", api.address.to_string());
        if counted {
            command.env("LD_PRELOAD", ALLOCATION_COUNTER);
        }
        command.stdin(Stdio::null()).stdout(Stdio::piped()).kill_on_drop(true);
        command.stderr(if counted { Stdio::piped() } else { Stdio::inherit() });
        let begun = Instant::now();
        let mut child = command.spawn().map_err(|error| format!("{}: {error}", bootstrap.display()))?;
        let init = api.polled().await? - begun;
        let output = child.stdout.take().ok_or("its output is piped")?;
        Ok(Self { child, api, lines: lines_of(output), init })
    }

    /// Invokes it once.
    pub async fn invoke(&mut self, event: &Value) -> Result<Invocation, Failure> {
        let (took, answer) = self.api.invoke(event.to_string()).await?;
        Ok(Invocation { took, answer })
    }

    /// The line that it wrote for its last invocation.
    pub async fn line(&mut self) -> Result<Value, Failure> {
        let line = self.lines.recv().await.ok_or("it wrote no line")?;
        Ok(serde_json::from_str(&line)?)
    }

    /// Processor time so far.
    pub fn processor_time(&self) -> Result<Duration, Failure> {
        let stat = self.proc_file("schedstat")?;
        let nanoseconds = stat.split(' ').next().unwrap_or_default().parse()?;
        Ok(Duration::from_nanos(nanoseconds))
    }

    /// The most memory that it had at a time, in bytes.
    pub fn peak_memory(&self) -> Result<u64, Failure> {
        let status = self.proc_file("status")?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).ok_or("no VmHWM")?;
        Ok(line.trim().trim_end_matches(" kB").parse::<u64>()? * 1024)
    }

    fn proc_file(&self, name: &str) -> Result<String, Failure> {
        let id = self.child.id().ok_or("the function is over")?;
        Ok(std::fs::read_to_string(format!("/proc/{id}/{name}"))?)
    }

    /// Ends a function that was started with its allocations counted; how many there were.
    pub async fn allocations(self) -> Result<u64, Failure> {
        let Self { child, api, .. } = self;
        // Without its Runtime API a function ends by itself, and the counter writes its table.
        drop(api);
        let table = String::from_utf8_lossy(&child.wait_with_output().await?.stderr).into_owned();
        let calls: u64 = table.lines().filter_map(allocations_of).sum();
        Some(calls).filter(|calls| *calls > 0).ok_or_else(|| format!("no allocations in: {table}").into())
    }
}

/// What it writes, read all the time: a full pipe would stop it.
fn lines_of(output: ChildStdout) -> mpsc::UnboundedReceiver<String> {
    let (sender, lines) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        let mut output = BufReader::new(output).lines();
        while let Ok(Some(line)) = output.next_line().await {
            drop(sender.send(line));
        }
    });
    lines
}

/// `\e[00;34m malloc|\e[0m       1000 ...` -> 1000
fn allocations_of(line: &str) -> Option<u64> {
    let (kind, counts) = line.split_once('|')?;
    if !["malloc", "calloc", "realloc"].iter().any(|name| kind.ends_with(name)) {
        return None;
    }
    counts.trim_start_matches("\u{1b}[0m").split_whitespace().next()?.parse().ok()
}
