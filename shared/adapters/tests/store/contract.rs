//! The store keeps the contract of stores, however many shards its status index has.

mod one_shard {
    domain::order_store_contract!(crate::engine::store(1));
}

mod four_shards {
    domain::order_store_contract!(crate::engine::store(4));
}
