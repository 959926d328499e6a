//! The ports in memory keep their contracts.

mod store {
    domain::order_store_contract!(async { domain::memory::MemoryStore::default() });
}

mod inventory {
    domain::inventory_service_contract!(async { domain::memory::MemoryInventory::default() });
}
