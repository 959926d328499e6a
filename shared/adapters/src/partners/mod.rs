//! The customer and inventory services over HTTP.

mod breaker;
mod budget;
mod cache;
mod call;
mod circuits;
mod client;
mod customers;
mod inventory;
mod selected;
mod stand_in;

pub use breaker::Breaker;
pub use call::CallScope;
pub use circuits::{Circuit, CircuitState, Circuits, Election, Unreachable};
pub use client::{Partner, PartnerClient};
pub use customers::HttpCustomers;
pub use inventory::HttpInventory;
pub(crate) use selected::{CUSTOMERS, INVENTORY};
pub use selected::{SelectedCustomers, SelectedInventory, stand_ins};
pub use stand_in::{StandInCustomers, StandInInventory};
