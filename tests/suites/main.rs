//! Every suite, in one program: they share one stack and one queue of events.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

mod alone;
mod answers;
mod bad_input;
mod concurrency;
mod cors;
mod create_batch;
mod create_order;
mod delete_order;
mod events;
mod exports;
mod get_health;
mod get_metrics;
mod get_order;
mod get_report;
mod isolation;
mod list_orders;
mod live;
mod timed;
mod tokens;
mod traces;
mod update_order;
mod update_shipping;
mod update_status;
