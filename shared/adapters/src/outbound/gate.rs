//! What one environment makes of a partner's answers: when it calls, when it waits, when it votes for an open circuit.

use std::time::Duration;

use domain::timestamp::Timestamp;

use super::circuits::CircuitState;

/// So many failures in a row open the circuit of this environment.
const FAILURES: u32 = 5;

/// How long an open circuit refuses calls before the next probe.
pub(super) const OPEN_FOR: Duration = Duration::from_secs(5);

/// What an environment knows by itself.
#[derive(Debug, Default)]
pub(super) struct Gate {
    failures: u32,
    /// When it may probe, while the circuit is open for this environment alone.
    closed_until: Option<Timestamp>,
}

/// Leave to call the partner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Permit {
    /// The circuit is closed.
    Call,
    /// The circuit is open for this environment alone, and this call is its probe.
    ProbeAlone,
    /// The circuit is open for all, and this call is the one probe.
    ProbeForAll,
}

impl Permit {
    /// Whether it is a probe, which is not retried.
    pub const fn is_probe(self) -> bool {
        match self {
            Self::Call => false,
            Self::ProbeAlone | Self::ProbeForAll => true,
        }
    }
}

/// Whether a call may be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Passage {
    /// It may.
    Open(Permit),
    /// It may not.
    Shut,
    /// It may if this environment is elected to probe for all.
    IfElected,
}

impl Gate {
    /// Whether to call now, given what all know.
    pub fn passage(&mut self, now: Timestamp, shared: CircuitState) -> Passage {
        match (shared, self.closed_until) {
            (CircuitState::Open { until }, _) if now < until => Passage::Shut,
            (CircuitState::Open { .. }, _) => Passage::IfElected,
            (CircuitState::Closed, None) => Passage::Open(Permit::Call),
            (CircuitState::Closed, Some(until)) if now < until => Passage::Shut,
            (CircuitState::Closed, Some(_)) => {
                self.closed_until = Some(now.plus(OPEN_FOR));
                Passage::Open(Permit::ProbeAlone)
            }
        }
    }

    /// The partner answered.
    pub fn succeeded(&mut self) {
        *self = Self::default();
    }

    /// The partner gave no usable answer; whether this environment votes for opening the circuit for all.
    pub fn failed(&mut self, now: Timestamp, permit: Permit) -> bool {
        self.failures += 1;
        let votes = match permit {
            Permit::Call => self.failures >= FAILURES && self.closed_until.is_none(),
            Permit::ProbeAlone => true,
            // Its election has moved the next probe on already.
            Permit::ProbeForAll => false,
        };
        if votes {
            self.closed_until = Some(now.plus(OPEN_FOR));
        }
        votes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millis(millis)
    }

    /// A gate that has just voted, at 0.
    fn shut() -> Gate {
        let mut gate = Gate::default();
        let votes: Vec<bool> = (0..5).map(|_| gate.failed(at(0), Permit::Call)).collect();
        assert_eq!(votes, [false, false, false, false, true]);
        gate
    }

    #[test]
    fn five_failures_in_a_row_shut_an_environment_out_until_its_own_probe() {
        let mut gate = shut();
        assert_eq!(gate.passage(at(4_999), CircuitState::Closed), Passage::Shut);
        assert_eq!(gate.passage(at(5_000), CircuitState::Closed), Passage::Open(Permit::ProbeAlone));
        assert_eq!(gate.passage(at(5_001), CircuitState::Closed), Passage::Shut, "one probe at a time");
        assert!(gate.failed(at(6_000), Permit::ProbeAlone), "it votes again");
        gate.succeeded();
        assert_eq!(gate.passage(at(6_001), CircuitState::Closed), Passage::Open(Permit::Call));
    }

    #[test]
    fn an_answer_starts_the_count_anew() {
        let mut gate = Gate::default();
        for _ in 0..10 {
            assert!((0..4).all(|_| !gate.failed(at(0), Permit::Call)));
            gate.succeeded();
        }
    }

    #[test]
    fn what_is_open_for_all_is_probed_by_election_alone() {
        let open = CircuitState::Open { until: at(5_000) };
        for gate in [&mut Gate::default(), &mut shut()] {
            assert_eq!(gate.passage(at(4_999), open), Passage::Shut);
            assert_eq!(gate.passage(at(5_000), open), Passage::IfElected);
            assert!(!gate.failed(at(5_000), Permit::ProbeForAll));
        }
    }
}
