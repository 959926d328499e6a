//! The JSON of requests and answers.

mod address;
mod batch;
mod order;
mod page;
mod patch;
mod report;
mod requests;
mod status;

pub use address::Address;
pub use batch::{Batch, BatchOrder};
pub use order::{Change, Customer, HistoryEntry, Line, Money, Order, Shipment};
pub use page::{Health, OrderSummary, Page, PageInfo};
pub use patch::Patch;
pub use report::{Report, ReportGroup, ReportQuery, ReportTimes};
pub(crate) use requests::Wish;
pub use requests::{Edit, LineRequest, Move, NewOrder};
pub use status::{GroupBy, Inventory, Status};
