//! The customer and inventory services over HTTP.

mod client;
mod customers;
mod inventory;

pub use client::PartnerClient;
pub use customers::HttpCustomers;
pub use inventory::HttpInventory;
