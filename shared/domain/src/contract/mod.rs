//! What every implementation of a port must do: one suite, run against each.

pub mod export_files;
pub mod exports;
pub mod inventory;
pub mod live;
pub mod reports;
pub mod store;
pub mod trail;
