//! How long calls took, and what failed.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use order_service_client::Error;

/// A kind of call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Call {
    Place,
    Read,
    List,
    Delete,
}

impl Call {
    const fn name(self) -> &'static str {
        match self {
            Self::Place => "POST /orders",
            Self::Read => "GET /orders/{id}",
            Self::List => "GET /orders",
            Self::Delete => "DELETE /orders/{id}",
        }
    }
}

/// What came of all calls so far.
#[derive(Debug, Default)]
pub struct Figures(Mutex<Noted>);

#[derive(Debug, Default)]
struct Noted {
    took: BTreeMap<Call, Vec<Duration>>,
    failed: BTreeMap<(Call, String), usize>,
    turned_away: usize,
}

impl Figures {
    /// Makes a call, and notes how long it took or why it failed.
    ///
    /// # Errors
    /// That of the call.
    pub async fn of<T>(&self, call: Call, made: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
        let begun = Instant::now();
        let outcome = made.await;
        let took = begun.elapsed();
        let mut noted = self.noted();
        match &outcome {
            Ok(_) => noted.took.entry(call).or_default().push(took),
            Err(error) => *noted.failed.entry((call, cause(error))).or_default() += 1,
        }
        outcome
    }

    /// Notes one who came while too many were under way.
    pub fn turn_away(&self) {
        self.noted().turned_away += 1;
    }

    /// Whether no call failed, and nobody was turned away.
    pub fn all_succeeded(&self) -> bool {
        let noted = self.noted();
        noted.failed.is_empty() && noted.turned_away == 0
    }

    fn noted(&self) -> MutexGuard<'_, Noted> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The problem without what is particular to it, or the error as it says itself: few enough to count.
fn cause(error: &Error) -> String {
    error.problem().map_or_else(|| error.to_string(), |problem| format!("{} {}", problem.status, problem.title))
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let noted = self.noted();
        writeln!(f, "| call | calls | p50 ms | p90 ms | p99 ms | longest ms |\n|{}", " --- |".repeat(6))?;
        for (call, took) in &noted.took {
            let mut took = took.clone();
            took.sort_unstable();
            let at = |percent: usize| {
                let index = (took.len() * percent / 100).min(took.len().saturating_sub(1));
                took.get(index).copied().unwrap_or_default().as_millis()
            };
            let (p50, p90, p99, longest) = (at(50), at(90), at(99), at(100));
            writeln!(f, "| {} | {} | {p50} | {p90} | {p99} | {longest} |", call.name(), took.len())?;
        }
        for ((call, cause), count) in &noted.failed {
            writeln!(f, "failed: {} {count} times: {cause}", call.name())?;
        }
        if noted.turned_away > 0 {
            writeln!(f, "{} shoppers were turned away: too many calls were under way", noted.turned_away)?;
        }
        Ok(())
    }
}
