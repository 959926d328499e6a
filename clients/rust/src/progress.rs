//! How far a call has come: attempts, pauses, and whether it may have taken effect.

use std::time::Duration;

use backon::ExponentialBackoff;
use tokio::time::Instant;

use crate::answer::{Outcome, Success, Verdict};
use crate::call::{Call, Effect};
use crate::config::{Retries, Timeouts};
use crate::error::{Error, ErrorKind};
use crate::problem::ProblemKind;

/// The course of one call.
pub(crate) struct Progress {
    effect: Effect,
    deadline: Instant,
    attempt_timeout: Duration,
    max_attempts: u32,
    pauses: ExponentialBackoff,
    attempts: u32,
    /// Whether an attempt may have had the call's effect.
    is_uncertain: bool,
}

impl Progress {
    pub fn begin(call: &Call, retries: &Retries, timeouts: &Timeouts) -> Self {
        Self {
            effect: call.effect,
            deadline: later(timeouts.call),
            attempt_timeout: timeouts.attempt,
            max_attempts: retries.max_attempts,
            pauses: retries.pauses(),
            attempts: 0,
            is_uncertain: false,
        }
    }

    pub fn deadline(&self) -> Instant {
        self.deadline
    }

    pub fn attempts(&self) -> u32 {
        self.attempts
    }

    /// Begins an attempt, which has so much time.
    pub fn attempt(&mut self) -> Duration {
        self.attempts += 1;
        self.attempt_timeout.min(self.deadline.saturating_duration_since(Instant::now()))
    }

    /// The pause before another attempt; `None` when there must be no other.
    pub fn pause_after<T>(&mut self, outcome: &Outcome<T>) -> Option<Duration> {
        let verdict = outcome.verdict();
        self.is_uncertain |= verdict == Verdict::Unknown && self.effect != Effect::Read;
        let may_repeat = match verdict {
            Verdict::Final => false,
            Verdict::NotNow => true,
            Verdict::Unknown => self.effect != Effect::Once,
        };
        if !may_repeat || self.attempts >= self.max_attempts {
            return None;
        }
        let pause = self.pauses.next()?.max(outcome.retry_after().unwrap_or_default());
        (later(pause) < self.deadline).then_some(pause)
    }

    pub fn conclude<T>(mut self, outcome: Outcome<T>) -> Result<Success<T>, Error> {
        self.is_uncertain &= !decides_earlier_attempts(&outcome);
        outcome.into_result().map_err(|kind| self.fail(kind))
    }

    pub fn fail(&self, kind: ErrorKind) -> Error {
        Error::new(kind, self.attempts, self.is_uncertain)
    }
}

/// Whether a refusal says that no earlier attempt took effect either. Not when it is about the token, or about the
/// order's existence, version or status, which an earlier attempt may have changed.
fn decides_earlier_attempts<T>(outcome: &Outcome<T>) -> bool {
    let is_about_stock =
        matches!(outcome, Outcome::Problem(problem) if matches!(problem.kind, ProblemKind::OutOfStock { .. }));
    let is_about_order = !is_about_stock && matches!(outcome.status(), Some(404 | 409 | 410 | 412));
    outcome.verdict() == Verdict::Final && !is_about_order && !matches!(outcome.status(), Some(401 | 403))
}

/// The longest that a call takes or waits.
const LONGEST: Duration = Duration::from_secs(365 * 24 * 3600);

/// The time after a pause, which an answer or a setting may have made longer than a clock counts.
fn later(pause: Duration) -> Instant {
    Instant::now() + pause.min(LONGEST)
}
