//! A circuit breaker: failures are counted here, in memory; votes and changes of state are shared.
//!
//! Libraries offer breakers of one process. What this one adds: a new environment starts with what others know, of all
//! environments one probes, and one sick environment opens the circuit for itself alone.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use domain::ports::Clock;
use domain::timestamp::Timestamp;

use super::circuits::{Circuit, CircuitState, Election, Unreachable, Vote};
use super::gate::{Gate, OPEN_FOR, Passage, Permit};
use crate::system::SystemClock;
use crate::telemetry::{Line, metrics};

/// The breaker of one partner.
#[derive(Debug)]
pub struct Breaker {
    circuit: Option<Circuit>,
    gate: Mutex<Gate>,
    role: Role,
}

/// What an environment's failures count for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// They open the circuit, for itself or for all.
    Votes,
    /// Nothing: it works on orders that may fail for reasons of their own, so it only obeys what others opened. For the
    /// same reason it leaves the probe to others, unless none of them probes.
    Obeys,
}

/// How long a probe is left to those who vote.
const LEFT_TO_VOTERS: Duration = Duration::from_secs(10);

impl Role {
    /// The time that decides whether an environment may probe: a probe is due later for those who leave it to others.
    fn asks_at(self, now: Timestamp) -> Timestamp {
        match self {
            Self::Votes => now,
            Self::Obeys => now.minus(LEFT_TO_VOTERS),
        }
    }
}

impl Breaker {
    /// A breaker that shares its state through `circuit`, or keeps it to itself.
    #[must_use]
    pub fn new(circuit: Option<Circuit>) -> Self {
        Self { circuit, gate: Mutex::default(), role: Role::Votes }
    }

    /// This breaker in that role.
    #[must_use]
    pub fn with_role(self, role: Role) -> Self {
        Self { role, ..self }
    }

    /// Leave to call, or `None` while the circuit is open. A closed circuit costs no wait: what is known of it is read
    /// anew beside the call. When the shared state cannot be had, calls go through.
    pub(super) async fn permit(&self) -> Option<Permit> {
        let now = SystemClock.now();
        let shared = self.circuit.as_ref().map_or(CircuitState::Closed, |circuit| {
            circuit.refresh_when_stale();
            circuit.state()
        });
        let passage = self.gate().passage(self.role.asks_at(now), shared);
        match (passage, &self.circuit) {
            (Passage::Open(permit), _) => Some(permit),
            (Passage::Shut, _) => None,
            (Passage::IfElected, None) => Some(Permit::Call),
            (Passage::IfElected, Some(circuit)) => {
                if_elected(circuit, self.role.asks_at(now), now.plus(OPEN_FOR)).await
            }
        }
    }

    /// The partner answered.
    pub(super) async fn succeeded(&self, permit: Permit) {
        self.gate().succeeded();
        let Some(circuit) = self.circuit.as_ref().filter(|_| permit == Permit::ProbeForAll) else { return };
        match circuit.close().await {
            Ok(()) => tell(circuit.partner(), "closed"),
            Err(error) => is_not_shared(circuit, &error),
        }
    }

    /// The partner gave no usable answer.
    pub(super) async fn failed(&self, permit: Permit) {
        let now = SystemClock.now();
        if self.role == Role::Obeys || !self.gate().failed(now, permit) {
            return;
        }
        let Some(circuit) = &self.circuit else { return };
        match circuit.vote(now, now.plus(OPEN_FOR)).await {
            Ok(Vote::Opened(_)) => tell(circuit.partner(), "open"),
            Ok(Vote::Alone) => {
                tracing::warn!(partner = circuit.partner(), "the circuit is open in this environment only")
            }
            Ok(Vote::WasOpen(_)) => {}
            Err(error) => is_not_shared(circuit, &error),
        }
    }

    fn gate(&self) -> MutexGuard<'_, Gate> {
        self.gate.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Leave to probe for all, when this environment is elected; the next probe may go out at `next`.
async fn if_elected(circuit: &Circuit, now: Timestamp, next: Timestamp) -> Option<Permit> {
    match circuit.elect(now, next).await {
        Ok(Election::Elected) => Some(Permit::ProbeForAll),
        Ok(Election::Closed) => Some(Permit::Call),
        Ok(Election::NotBefore(_)) => None,
        Err(error) => {
            tracing::warn!(partner = circuit.partner(), cause = %error, "the circuit fails open");
            Some(Permit::Call)
        }
    }
}

fn is_not_shared(circuit: &Circuit, error: &Unreachable) {
    tracing::warn!(partner = circuit.partner(), cause = %error, "the circuit's state is not shared");
}

/// Tells of a change of state, which is a metric too.
fn tell(partner: &'static str, state: &'static str) {
    let mut line = Line::warn("the circuit changed").with("partner", partner).with("state", state);
    if let Some((_, metric)) = metrics::CIRCUITS.into_iter().find(|(known, _)| *known == partner) {
        line = line.measured(metric, u8::from(state == "open"));
    }
    line.write();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_only_obeys_probes_when_nobody_else_has_for_ten_seconds() {
        let at = Timestamp::from_millis;
        let open = CircuitState::Open { until: at(5_000) };
        let passage = |role: Role, now| Gate::default().passage(role.asks_at(at(now)), open);
        assert_eq!(passage(Role::Votes, 5_000), Passage::IfElected);
        assert_eq!((passage(Role::Obeys, 14_999), passage(Role::Obeys, 15_000)), (Passage::Shut, Passage::IfElected));
        let closed = Gate::default().passage(Role::Obeys.asks_at(at(0)), CircuitState::Closed);
        assert_eq!(closed, Passage::Open(Permit::Call));
    }
}
