//! The rules of orders: values that cannot exist unparsed, one state machine, the events a change stands for,
//! the ports the rules need, and the use cases built from them. No AWS, no HTTP, no JSON, no clock, no randomness.

pub mod address;
pub mod caller;
pub mod details;
pub mod draft;
pub mod event;
pub mod export;
mod field_hash;
pub mod fingerprint;
pub mod history;
pub mod id;
pub mod invalid;
pub mod line;
pub mod listing;
pub mod metadata;
pub mod money;
pub mod order;
pub mod ports;
pub mod quantity;
pub mod report;
pub mod reservation;
pub mod shipment;
pub mod status;
pub mod subscription;
pub mod text;
pub mod timestamp;
pub mod trace;
pub mod unrecognized;
pub mod use_cases;

#[cfg(feature = "memory")]
pub mod contract;
#[cfg(feature = "memory")]
pub mod memory;
