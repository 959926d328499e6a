//! Orders in memory.

use std::collections::BTreeMap;
use std::sync::Mutex;

use super::lock;
use crate::id::{OrderId, TenantId};
use crate::order::Order;
use crate::ports::{Inserted, OrderStore, StoreError};

/// Keeps orders in a map.
#[derive(Debug, Default)]
pub struct MemoryStore {
    orders: Mutex<BTreeMap<(TenantId, OrderId), Order>>,
}

impl MemoryStore {
    /// How many orders are kept.
    #[must_use]
    pub fn len(&self) -> usize {
        lock(&self.orders).len()
    }

    /// Whether no order is kept.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl OrderStore for MemoryStore {
    async fn insert(&self, order: &Order) -> Result<Inserted, StoreError> {
        let mut orders = lock(&self.orders);
        let key = (order.tenant.clone(), order.id);
        if let Some(existing) = orders.get(&key) {
            return Ok(Inserted::Existing(Box::new(existing.clone())));
        }
        orders.insert(key, order.clone());
        Ok(Inserted::New)
    }

    async fn get(&self, tenant: &TenantId, id: OrderId) -> Result<Option<Order>, StoreError> {
        Ok(lock(&self.orders).get(&(tenant.clone(), id)).cloned())
    }
}
