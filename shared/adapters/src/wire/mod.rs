//! The JSON of requests, replies and events.

mod batch_view;
mod create_batch;
mod create_export;
mod create_order;
mod export_view;
#[cfg(feature = "schemas")]
mod input_schema;
mod money_view;
mod order_view;
mod page_view;
mod pairs;
mod report_view;
#[cfg(feature = "schemas")]
mod schema;
mod update_order;
mod update_shipping;
mod update_status;
mod whole;

pub use batch_view::{BatchView, ResultView};
pub use create_batch::CreateBatch;
pub use create_export::CreateExport;
pub use create_order::CreateOrder;
pub use export_view::ExportView;
pub use order_view::{ChangesView, OrderView};
pub use page_view::PageView;
pub use report_view::ReportView;
#[cfg(feature = "schemas")]
pub use schema::SINCE_1970;
pub use update_order::UpdateOrder;
pub use update_shipping::UpdateShipping;
pub use update_status::UpdateStatus;
