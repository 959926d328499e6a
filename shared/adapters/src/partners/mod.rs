//! The customer and inventory services over HTTP.

mod cache;
mod customers;
mod inventory;
mod selected;
mod stand_in;

pub use customers::HttpCustomers;
pub use inventory::HttpInventory;
pub(crate) use selected::{CUSTOMERS, INVENTORY};
pub use selected::{SelectedCustomers, SelectedInventory, stand_ins};
pub use stand_in::{StandInCustomers, StandInInventory};
