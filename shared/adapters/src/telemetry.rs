//! Logs: one JSON object a line on standard output, where Lambda collects them.
//!
//! A log line never holds a token, an e-mail address, a name or a postal address.

use tracing_subscriber::filter::LevelFilter;

use crate::config;

/// Starts logging at the level of `AWS_LAMBDA_LOG_LEVEL` or `LOG_LEVEL`, `info` by default.
///
/// Calling it twice is harmless: the first call wins.
pub fn init() {
    let level = config::optional("AWS_LAMBDA_LOG_LEVEL").or_else(|| config::optional("LOG_LEVEL"));
    let level = level.and_then(|level| level.parse().ok()).unwrap_or(LevelFilter::INFO);
    let subscriber = tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_current_span(false)
        .with_span_list(true)
        .with_target(false)
        .with_max_level(level)
        .with_ansi(false);
    if subscriber.try_init().is_err() {
        tracing::debug!("logging was started before");
    }
}
