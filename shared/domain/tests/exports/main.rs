//! Exports are written whole: whatever dies, and whoever else writes, each order is in the file once.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, missing_docs, reason = "tests")]

mod crashes;
mod ports;
mod turns;
mod writers;
