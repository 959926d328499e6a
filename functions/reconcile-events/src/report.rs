//! What was found and done, as the caller is told.

use adapters::telemetry::{Line, metrics};
use domain::ports::{Findings, PerChannel, Run};
use domain::use_cases::{Advance, Resent};
use serde::Serialize;

/// The report.
#[derive(Debug, Default, Serialize)]
pub struct Report {
    /// Whether the run has come to its end; if not, the same request continues it.
    pub done: bool,
    /// Whether it waits for what came out to be recorded.
    pub trail_behind: bool,
    /// How many missing events were sent again and refused; the same request tries them again.
    pub refused: u64,
    pub orders: u64,
    pub events: u64,
    pub missing: Each<u64>,
    pub missing_ids: Each<Vec<String>>,
    pub unknown: u64,
    pub unknown_ids: Vec<String>,
    pub republished: u64,
}

/// One for each channel.
#[derive(Debug, Default, Serialize)]
pub struct Each<T> {
    pub bus: T,
    pub feed: T,
}

impl Report {
    /// Of a schedule that comes before the next run is due.
    pub fn of_nothing() -> Self {
        Self { done: true, ..Self::default() }
    }

    /// Of a run, as far as it has come.
    pub fn of(run: &Run, advance: Advance) -> Self {
        let PerChannel { bus, feed } = &run.tally.missing;
        Self {
            done: advance == Advance::Done,
            trail_behind: advance == Advance::TrailBehind,
            refused: if let Advance::Refused(events) = advance { events } else { 0 },
            orders: run.tally.orders,
            events: run.tally.events,
            missing: Each { bus: bus.count, feed: feed.count },
            missing_ids: Each { bus: ids(bus), feed: ids(feed) },
            unknown: run.tally.unknown.count,
            unknown_ids: ids(&run.tally.unknown),
            republished: run.tally.republished,
        }
    }

    /// Tells operators what matters: a run that ends unclean, or cannot go on.
    pub fn log(&self, run: &str) {
        let Self { orders, events, unknown, republished, refused, .. } = *self;
        let (missing_on_bus, missing_on_feed) = (self.missing.bus, self.missing.feed);
        let missing = missing_on_bus + missing_on_feed;
        let line = match (self.trail_behind, self.done) {
            (true, _) => Line::error("the audit trail is behind; nothing is compared until it has caught up"),
            (false, false) if refused > 0 => {
                Line::error("events that are sent again are refused; the run waits for them")
            }
            (false, false) => Line::info("to be continued"),
            (false, true) if missing + unknown > 0 => {
                let ids = [&self.missing_ids.bus, &self.missing_ids.feed, &self.unknown_ids];
                let line = Line::error("histories and events differ");
                line.with("ids", ids.map(|ids| ids.join(" ")).join(" | ")).measured(&metrics::EVENTS_MISSING, missing)
            }
            (false, true) => Line::info("reconciled").measured(&metrics::EVENTS_MISSING, missing),
        };
        line.with("run", run)
            .with("orders", orders)
            .with("events", events)
            .with("missing_on_bus", missing_on_bus)
            .with("missing_on_feed", missing_on_feed)
            .with("republished", republished)
            .with("refused", refused)
            .measured(&metrics::EVENTS_UNKNOWN, unknown)
            .write();
    }
}

impl From<Resent> for Report {
    fn from(Resent { orders, events, republished }: Resent) -> Self {
        let [orders, events, republished] = [orders, events, republished].map(|count| count as u64);
        Self { done: true, orders, events, republished, ..Self::default() }
    }
}

fn ids(findings: &Findings) -> Vec<String> {
    findings.ids.iter().map(ToString::to_string).collect()
}
