//! The JSON of requests and answers.

mod address;
mod batch;
mod export;
mod order;
mod page;
mod patch;
mod report;
mod requests;
mod status;

pub use address::Address;
pub use batch::{Batch, BatchOrder};
pub use export::{Download, Export, ExportFilters};
pub use order::{Change, Customer, HistoryEntry, Line, Money, Order, Shipment};
pub use page::{Health, OrderSummary, Page, PageInfo};
pub use patch::Patch;
pub use report::{Report, ReportGroup, ReportQuery, ReportTimes};
pub(crate) use requests::Wish;
pub use requests::{Edit, LineRequest, Move, NewOrder};
pub use status::{ExportFormat, ExportStatus, GroupBy, Inventory, Status};
