//! The client against a service that answers by script: refusals, lost answers, garbage, and answers of newer releases.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

mod batches;
mod compatibility;
mod conditions;
mod contract;
mod exports;
mod lists;
mod lost_answers;
mod privacy;
mod refusals;
mod reports;
mod script;
mod timeouts;
mod tokens;
