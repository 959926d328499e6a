//! The ports in memory: for tests, and as the reference that every other implementation is held to.

mod clock;
mod customers;
mod exports;
mod files;
mod ids;
mod inventory;
mod live;
mod publisher;
mod reports;
pub mod sample;
mod store;
mod trail;

pub use clock::{FixedClock, TickingClock};
pub use customers::MemoryCustomers;
pub use exports::MemoryExports;
pub use files::MemoryFiles;
pub use ids::CountingIds;
pub use inventory::MemoryInventory;
pub use live::{Heard, MemorySockets, MemorySubscriptions};
pub use publisher::{MemoryPublisher, Published};
pub use reports::MemoryReports;
pub use store::MemoryStore;
pub use trail::MemoryTrail;

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Locks, also after a panic in another test thread: the data is only ever replaced whole.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
