//! Predictable ids.

use std::sync::atomic::{AtomicU64, Ordering};

use uuid::Uuid;

use crate::id::OrderId;
use crate::ports::Ids;

/// Counts order ids up from 1.
#[derive(Debug, Default)]
pub struct CountingIds(AtomicU64);

impl Ids for CountingIds {
    fn order_id(&self) -> OrderId {
        let next = self.0.fetch_add(1, Ordering::Relaxed) + 1;
        OrderId::from_uuid(Uuid::from_u64_pair(0x0192_f0c1_7a3e_7000, 0x8000_0000_0000_0000 | next))
    }
}
