//! Every suite, in one program: they share one stack and one queue of events.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

mod create_order;
mod events;
mod get_health;
mod get_order;
mod tokens;
