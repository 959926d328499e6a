//! Logs: one JSON object a line on standard output, where Lambda collects them.
//!
//! A log line never holds a token, an e-mail address, a name or a postal address, at any level: what libraries say below
//! WARN (requests, bodies, events) is left out.

use serde_json::Value;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::config;

/// Writes a metric in CloudWatch's embedded metric format, a JSON object. It claims the level from which lines are kept, so
/// that no filter on its way drops it.
pub fn metric(mut metric: Value) {
    if let Some(members) = metric.as_object_mut() {
        members.insert("level".to_owned(), level().to_string().to_uppercase().into());
    }
    println!("{metric}");
}

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

fn level() -> LevelFilter {
    let level = config::optional("AWS_LAMBDA_LOG_LEVEL").or_else(|| config::optional("LOG_LEVEL"));
    level.and_then(|level| level.parse().ok()).unwrap_or(LevelFilter::INFO)
}
