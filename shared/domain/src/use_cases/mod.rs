//! What the service does, each use case over ports alone.

mod get_order;
mod place_order;
mod publish_changes;

pub use get_order::{GetOrderError, get_order};
pub use place_order::{PlaceOrder, PlaceOrderError, Placed, Request};
pub use publish_changes::{CommittedChange, publish_changes};
