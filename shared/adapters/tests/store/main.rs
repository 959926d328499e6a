//! The DynamoDB store, on a DynamoDB engine within the test process: its contract, its costs, and what happens when
//! many write at once.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

mod bucket;
mod capacity;
mod circuits;
mod concurrency;
mod contract;
mod cost;
mod damaged_rows;
mod engine;
mod exports;
mod issuer_keys;
mod newer_release;
mod releases;
mod reports;
mod subscriptions;
mod trail;
mod walk;
