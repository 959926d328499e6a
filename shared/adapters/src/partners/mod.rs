//! The customer and inventory services over HTTP.

mod cache;
mod customers;
mod fake;
mod inventory;
mod selected;

pub use customers::HttpCustomers;
pub use fake::{FakeCustomers, FakeInventory};
pub use inventory::HttpInventory;
pub(crate) use selected::{CUSTOMERS, INVENTORY};
pub use selected::{SelectedCustomers, SelectedInventory, connected, fakes};
