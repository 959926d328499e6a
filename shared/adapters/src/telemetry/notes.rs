//! What is worth telling of an invocation, noted where it happens and told once, when it is over.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde_json::{Value, json};

use super::line::Line;
use super::metrics::{self, Metric};

tokio::task_local! {
    static NOTES: Arc<Mutex<Notes>>;
}

/// CloudWatch takes at most so many values of a metric a line.
const MOST_VALUES: usize = 100;

/// So many different causes are told; more say nothing new.
const MOST_CAUSES: usize = 10;

/// The notes of one invocation.
#[derive(Debug, Default)]
pub struct Notes {
    /// By the metric's name, or that of one of its family.
    values: Vec<(String, &'static Metric, Vec<f64>)>,
    members: Vec<(&'static str, Value)>,
    causes: Vec<String>,
    units: f64,
}

impl Notes {
    /// The line with what was noted.
    #[must_use]
    pub fn tell(self, mut line: Line) -> Line {
        for (name, metric, values) in self.values {
            let value = if metric.unit.is_summed() { json!(number(values.iter().sum())) } else { list(&values) };
            line = line.measured_as(metric, name, value);
        }
        for (name, value) in self.members {
            line = line.with(name, value);
        }
        if self.units > 0.0 {
            line = line.with("units", self.units);
        }
        match self.causes.as_slice() {
            [] => line,
            causes => line.with("causes", causes).as_warning(),
        }
    }

    /// Adds why something failed, once.
    pub fn because(&mut self, cause: String) {
        if self.causes.len() < MOST_CAUSES && !self.causes.contains(&cause) {
            self.causes.push(cause);
        }
    }

    /// Whether anything was measured or went wrong.
    pub(super) const fn is_empty(&self) -> bool {
        self.values.is_empty() && self.causes.is_empty()
    }

    fn add(&mut self, metric: &'static Metric, name: String, value: f64) {
        let known = self.values.iter_mut().find(|(known, ..)| *known == name);
        match known {
            Some((.., values)) if metric.unit.is_summed() => values.push(value),
            Some((.., values)) if values.len() < MOST_VALUES => values.push(value),
            Some(_) => {}
            None => self.values.push((name, metric, vec![value])),
        }
    }
}

/// Does the work, and returns what was noted meanwhile.
pub async fn noting<F: Future>(work: F) -> (F::Output, Notes) {
    let notes = Arc::new(Mutex::new(Notes::default()));
    let done = NOTES.scope(Arc::clone(&notes), work).await;
    let noted = std::mem::take(&mut *notes.lock().unwrap_or_else(PoisonError::into_inner));
    (done, noted)
}

/// Notes a value of a metric.
pub fn measured(metric: &'static Metric, value: f64) {
    note(|notes| notes.add(metric, metric.name.to_owned(), value));
}

/// Notes how many of something there were.
pub fn count(metric: &'static Metric, count: usize) {
    measured(metric, f64::from(u32::try_from(count).unwrap_or(u32::MAX)));
}

/// Notes a value of the metric of a family whose name ends so.
pub(crate) fn measured_of(metric: &'static Metric, end: &str, value: f64) {
    note(|notes| notes.add(metric, format!("{}{end}", metric.name), value));
}

/// Notes a member of the line.
pub(crate) fn member(name: &'static str, value: impl Into<Value>) {
    note(|notes| notes.members.push((name, value.into())));
}

/// Notes capacity units that DynamoDB charges.
pub fn consumed(units: Option<f64>) {
    note(|notes| notes.units += units.unwrap_or_default());
}

/// Notes why something failed. Outside of an invocation it is a line of its own.
pub fn failed(cause: impl std::fmt::Display) {
    if !note(|notes| notes.because(cause.to_string())) {
        tracing::warn!(%cause, "failed outside an invocation");
    }
}

/// Notes a call of a partner that is over.
pub(crate) fn partner_called(service: &str, took: Duration, has_failed: bool) {
    let Some((latency, failures)) = metrics::of_partner(service) else { return };
    measured(latency, millis(took));
    if has_failed {
        measured(failures, 1.0);
    }
}

/// Milliseconds with one decimal.
pub(crate) fn millis(time: Duration) -> f64 {
    (time.as_secs_f64() * 10_000.0).round() / 10.0
}

fn note(add: impl FnOnce(&mut Notes)) -> bool {
    NOTES.try_with(|notes| add(&mut notes.lock().unwrap_or_else(PoisonError::into_inner))).is_ok()
}

/// A number without a needless fraction.
fn number(value: f64) -> Value {
    #[expect(clippy::cast_possible_truncation, reason = "whole numbers of this size are exact")]
    if value.fract() == 0.0 && value.abs() < 1e15 { json!(value as i64) } else { json!(value) }
}

fn list(values: &[f64]) -> Value {
    values.iter().copied().map(number).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::telemetry::metrics::{BUS_LAG, CONFIRMED_VALUE, DEAD_LETTERS};

    async fn told(work: impl Future<Output = ()>) -> Value {
        noting(work).await.1.tell(Line::info("done")).into_json()
    }

    #[tokio::test]
    async fn counts_are_added_up_and_times_are_listed() {
        let line = told(async {
            count(&DEAD_LETTERS, 2);
            count(&DEAD_LETTERS, 3);
            (0..150).for_each(|n| measured(&BUS_LAG, f64::from(n)));
            measured_of(&CONFIRMED_VALUE, "EUR", 397.0);
            measured_of(&CONFIRMED_VALUE, "USD", 5.0);
            consumed(Some(4.0));
            consumed(None);
            consumed(Some(0.5));
        })
        .await;
        assert_eq!((&line["DeadLetters"], &line["units"]), (&json!(5), &json!(4.5)));
        assert_eq!(line["BusLag"].as_array().unwrap().len(), 100, "CloudWatch takes no more");
        assert_eq!((&line["ConfirmedValueEUR"], &line["ConfirmedValueUSD"]), (&json!(397), &json!(5)));
        assert_eq!((line["level"].as_str(), line.get("causes")), (Some("INFO"), None));
    }

    #[tokio::test]
    async fn a_cause_is_told_once_and_makes_the_line_a_warning() {
        let line = told(async {
            (0..3).for_each(|_| failed("no answer"));
            (0..50).for_each(failed);
        })
        .await;
        assert_eq!((line["level"].as_str(), line["causes"].as_array().unwrap().len()), (Some("WARN"), 10));
    }

    #[tokio::test]
    async fn what_is_noted_outside_of_an_invocation_is_in_no_line() {
        count(&DEAD_LETTERS, 2);
        assert_eq!(told(async {}).await.get("DeadLetters"), None);
    }
}
