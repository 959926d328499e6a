//! Logs and metrics: one JSON object a line on standard output, where Lambda collects them.
//!
//! An invocation is one line, which is also its metrics (docs/metrics.md). A log line never holds a token, an e-mail
//! address, a name or a postal address, at any level: what libraries say below WARN (requests, bodies, events) is left out.

mod invocation;
mod line;
pub mod metrics;
mod notes;
mod trace;

use tracing_subscriber::Layer;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::config;

#[cfg(test)]
pub(crate) use invocation::told;
pub use invocation::{invocation, is_cold_start, stamp_of};
pub use line::Line;
pub use notes::{Notes, consumed, count, failed, measured, noting};
pub(crate) use notes::{measured_of, member, millis, partner_called};
pub use trace::trace_of;

/// Starts logging for the function whose `module_path!()` this is, at the level of `AWS_LAMBDA_LOG_LEVEL` or `LOG_LEVEL`,
/// `info` by default.
///
/// Calling it twice is harmless: the first call wins.
pub fn init(function: &str) {
    let own = [function, "adapters", "domain"].map(|target| (target, level()));
    let shown = Targets::new().with_default(of_libraries()).with_targets(own);
    let lines = tracing_subscriber::fmt::layer()
        .json()
        .flatten_event(true)
        .with_current_span(false)
        .with_span_list(true)
        .with_target(false)
        .with_ansi(false);
    if tracing_subscriber::registry().with(lines.with_filter(shown)).try_init().is_ok() {
        tracing::debug!(function, log_level = %level(), "logging began");
    }
}

/// What libraries may say. `LOG_LIBRARIES` lets them say everything, in debug builds alone: tests see by it that their
/// search for personal data finds what the filter keeps back.
fn of_libraries() -> LevelFilter {
    let is_unfiltered = cfg!(debug_assertions) && config::optional("LOG_LIBRARIES").is_some();
    if is_unfiltered { level() } else { level().min(LevelFilter::WARN) }
}

/// The level from which lines are kept.
fn level() -> LevelFilter {
    let level = config::optional("AWS_LAMBDA_LOG_LEVEL").or_else(|| config::optional("LOG_LEVEL"));
    level.and_then(|level| level.parse().ok()).unwrap_or(LevelFilter::INFO)
}
