//! HTTP calls to other services: one client, short patience, few retries, and a circuit breaker per partner.

mod breaker;
mod budget;
mod circuits;
mod client;
#[cfg(test)]
mod fleet;
mod gate;
mod patience;
mod scope;

pub use breaker::{Breaker, Role};
pub use circuits::{Circuit, CircuitState, Circuits, Election, Unreachable, Vote};
pub(crate) use client::Answer;
pub use client::{Partner, PartnerClient};
pub use patience::Patience;
pub use scope::CallScope;
