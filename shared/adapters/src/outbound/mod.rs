//! HTTP calls to other services: one client, short patience, few retries, and a circuit breaker per partner.

mod breaker;
mod budget;
mod circuits;
mod client;
mod scope;

pub use breaker::Breaker;
pub use circuits::{Circuit, CircuitState, Circuits, Election, Unreachable};
pub(crate) use client::Answer;
pub use client::{Partner, PartnerClient};
pub use scope::CallScope;
