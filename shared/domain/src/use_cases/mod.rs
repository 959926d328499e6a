//! What the service does, each use case over ports alone.

mod change_order;
mod count_orders;
mod create_export;
mod deliver;
mod edit_order;
mod follow_ups;
mod get_order;
mod lines;
mod list_orders;
mod place_batch;
mod place_order;
mod publish_changes;
mod push_updates;
mod read_export;
mod read_report;
mod reading;
mod reconcile;
mod subscribe;
mod sweep;
mod waiting;
mod write_export;

pub use change_order::{Change, ChangeError, IfMatch, Target, change_order};
pub use count_orders::{CountError, CountOrders, Uncounted};
pub use create_export::{CreateExportError, CreatedExport, ExportRequest, MOST_RUNNING, create_export};
pub use deliver::{Both, Delivery};
pub use edit_order::{EditError, EditOrder};
pub use follow_ups::{FollowUps, Outcome};
pub use get_order::{GetOrderError, get_order};
pub use lines::LinesError;
pub use list_orders::{ListError, ListRequest};
pub use place_batch::{BatchRequest, MAX_BATCH};
pub use place_order::{OrderRequest, PlaceOrder, PlaceOrderError, Placed};
pub use publish_changes::{CommittedChange, first_unpublished, publish_changes};
pub use push_updates::{PushError, PushUpdates, Pushed};
pub use read_export::{ReadExportError, ShownExport, read_export};
pub use read_report::{MOST_DAYS, MOST_GROUPS, ReportError, ReportRequest, read_report};
pub use reconcile::{Advance, REACH, Reconcile, ReconcileError, Resent, scheduled_run};
pub use subscribe::{
    MOST_REPLAYS, MOST_SUBSCRIPTIONS, Subscribe, SubscribeError, SubscribeRequest, Wanted, forget_connection,
};
pub use sweep::{Sweep, Swept};
pub use write_export::{PART, Turn, WriteExport, WriteExportError};
