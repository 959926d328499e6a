//! The JSON of requests and answers.

mod address;
mod export;
mod order;
mod page;
mod patch;
mod requests;
mod status;

pub use address::Address;
pub use export::{Download, Export, ExportFilters};
pub use order::{Change, Customer, HistoryEntry, Line, Money, Order, Shipment};
pub use page::{Health, OrderSummary, Page, PageInfo};
pub use patch::Patch;
pub(crate) use requests::Wish;
pub use requests::{Edit, LineRequest, Move, NewOrder};
pub use status::{ExportFormat, ExportStatus, Inventory, Status};
