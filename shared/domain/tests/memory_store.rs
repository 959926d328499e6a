//! The in-memory store keeps the contract of stores.

use domain::memory::MemoryStore;

domain::order_store_contract!(async { MemoryStore::default() });
