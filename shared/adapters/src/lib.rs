//! Everything that knows AWS, HTTP and JSON: the store, the publisher, the partner clients, requests and replies,
//! configuration and telemetry.

pub mod audit;
pub mod aws;
pub mod backlog;
pub mod config;
pub mod connections;
pub mod dead_letters;
pub mod exports;
pub mod exposition;
pub mod follow_ups;
pub mod health;
pub mod http;
mod https;
pub mod live;
mod moves;
pub mod outbound;
pub mod partners;
pub mod problem;
pub mod publisher;
pub mod reports;
pub mod store;
pub mod stream;
pub mod system;
pub mod telemetry;
pub mod token;
pub mod usage_keys;
pub mod wire;

#[cfg(feature = "testing")]
pub mod testing;
