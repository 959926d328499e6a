//! New identifiers.

use crate::id::{ExportId, OrderId};

/// Makes identifiers that were never used before.
pub trait Ids: Send + Sync {
    /// A new order id: UUIDv7, so that ids made later sort later (RFC 9562 §5.7).
    fn order_id(&self) -> OrderId;

    /// A new export id.
    fn export_id(&self) -> ExportId {
        ExportId::from_uuid(*self.order_id().as_uuid())
    }
}
