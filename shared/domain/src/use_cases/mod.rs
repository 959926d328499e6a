//! What the service does, each use case over ports alone.

mod change_order;
mod deliver;
mod edit_order;
mod get_order;
mod list_orders;
mod place_order;
mod publish_changes;
mod reconcile;
mod settle_order;
mod sweep_orders;

pub use change_order::{ChangeError, IfMatch, Target, change_order};
pub use deliver::{Both, Delivery};
pub use edit_order::{EditError, EditOrder};
pub use get_order::{GetOrderError, get_order};
pub use list_orders::{ListError, ListRequest};
pub use place_order::{PlaceOrder, PlaceOrderError, Placed, Request};
pub use publish_changes::{CommittedChange, first_unpublished, publish_changes};
pub use reconcile::{Reconcile, ReconcileError, Reconciliation};
pub use settle_order::{SettleError, SettleOrder};
pub use sweep_orders::{Sweep, sweep_orders};
