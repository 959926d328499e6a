//! The JSON of requests, replies and events.

mod create_order;
mod order_view;

pub use create_order::CreateOrder;
pub use order_view::{ChangesView, OrderView};
