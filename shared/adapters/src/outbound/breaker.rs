//! A circuit breaker: failures are counted here, in memory; only a change of state is shared.
//!
//! Libraries offer breakers of one process. What this one adds: a new environment starts with what others know, and of
//! all environments one probes.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use domain::ports::Clock;
use domain::timestamp::Timestamp;
use serde_json::json;

use super::circuits::{Circuit, CircuitState, Election};
use crate::system::SystemClock;

/// So many failures in a row open the circuit.
const FAILURES: u32 = 5;

/// How long an open circuit refuses calls before the next probe.
const OPEN_FOR: Duration = Duration::from_secs(5);

/// How old the shared state may be that a closed circuit relies on.
const FRESH_FOR: Duration = Duration::from_secs(5);

/// The breaker of one partner.
#[derive(Debug)]
pub struct Breaker {
    circuit: Option<Circuit>,
    view: Mutex<View>,
}

/// What this environment knows.
#[derive(Debug, Clone, Copy)]
struct View {
    state: CircuitState,
    failures: u32,
    read_at: Option<Instant>,
}

/// Leave to call the partner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Permit {
    /// The circuit is closed.
    Call,
    /// This call is the probe of an open circuit.
    Probe,
}

impl Breaker {
    /// A breaker that shares its state through `circuit`, or keeps it to itself.
    #[must_use]
    pub fn new(circuit: Option<Circuit>) -> Self {
        let view = View { state: CircuitState::Closed, failures: 0, read_at: None };
        Self { circuit, view: Mutex::new(view) }
    }

    /// Leave to call, or `None` while the circuit is open. When the shared state cannot be had, calls go through.
    pub(super) async fn permit(&self) -> Option<Permit> {
        self.refresh().await;
        let CircuitState::Open { until } = self.view().state else { return Some(Permit::Call) };
        let now = SystemClock.now();
        if now < until {
            return None;
        }
        let Some(circuit) = &self.circuit else { return Some(Permit::Probe) };
        match circuit.elect(now, now.plus(OPEN_FOR)).await {
            Ok(Election::Elected) => Some(Permit::Probe),
            Ok(Election::Closed) => {
                self.closed();
                Some(Permit::Call)
            }
            Ok(Election::NotBefore(until)) => {
                self.view().state = CircuitState::Open { until };
                None
            }
            Err(error) => {
                tracing::warn!(partner = circuit.partner(), cause = %error, "the circuit fails open");
                Some(Permit::Call)
            }
        }
    }

    /// The partner answered.
    pub(super) async fn succeeded(&self, permit: Permit) {
        let was_open = matches!(self.view().state, CircuitState::Open { .. });
        self.closed();
        if permit == Permit::Probe && was_open {
            self.share("closed", |circuit| async move { circuit.close().await }).await;
        }
    }

    /// The partner gave no usable answer.
    pub(super) async fn failed(&self, permit: Permit) {
        let opens = {
            let mut view = self.view();
            view.failures += 1;
            permit == Permit::Probe || (view.failures >= FAILURES && view.state == CircuitState::Closed)
        };
        if opens {
            let until = SystemClock.now().plus(OPEN_FOR);
            self.view().state = CircuitState::Open { until };
            self.share("open", |circuit| async move { circuit.open(until).await }).await;
        }
    }

    /// Learns what others know, at the first call and then now and again.
    async fn refresh(&self) {
        let Some(circuit) = &self.circuit else { return };
        let view = *self.view();
        let is_fresh = view.read_at.is_some_and(|at| at.elapsed() < FRESH_FOR);
        if is_fresh || view.state != CircuitState::Closed {
            return;
        }
        let read = circuit.read().await;
        let mut view = self.view();
        view.read_at = Some(Instant::now());
        match read {
            Ok(state) => view.state = state,
            Err(error) => tracing::warn!(partner = circuit.partner(), cause = %error, "the circuit fails open"),
        }
    }

    async fn share<F>(&self, state: &'static str, write: impl FnOnce(Circuit) -> F)
    where
        F: Future<Output = Result<(), super::circuits::Unreachable>>,
    {
        let Some(circuit) = &self.circuit else { return };
        tell(circuit.partner(), state);
        if let Err(error) = write(circuit.clone()).await {
            tracing::warn!(partner = circuit.partner(), state, cause = %error, "the circuit's state is not shared");
        }
    }

    fn closed(&self) {
        let mut view = self.view();
        (view.state, view.failures) = (CircuitState::Closed, 0);
    }

    fn view(&self) -> MutexGuard<'_, View> {
        self.view.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A change of state as a CloudWatch metric, in the embedded metric format.
fn tell(partner: &'static str, state: &'static str) {
    let at: Timestamp = SystemClock.now();
    let metric = json!({
        "_aws": {
            "Timestamp": at.as_millis(),
            "CloudWatchMetrics": [{
                "Namespace": "Orders",
                "Dimensions": [["Partner"]],
                "Metrics": [{"Name": "CircuitOpen", "Unit": "Count"}],
            }],
        },
        "Partner": partner,
        "CircuitOpen": u8::from(state == "open"),
    });
    println!("{metric}");
    tracing::warn!(partner, state, "the circuit changed");
}
