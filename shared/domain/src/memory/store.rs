//! Orders in memory.

use std::collections::BTreeMap;
use std::sync::Mutex;

use super::lock;
use crate::id::{OrderId, TenantId};
use crate::listing::{ListQuery, OrderSummary, Page, Position};
use crate::order::Order;
use crate::ports::{ChangedOrders, ChangedPage, Inserted, OrderKey, OrderStore, StoreError, UpdateError};
use crate::timestamp::Timestamp;

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

    async fn update(&self, before: &Order, after: &Order) -> Result<(), UpdateError> {
        let mut orders = lock(&self.orders);
        let stored =
            orders.get_mut(&(before.tenant.clone(), before.id)).filter(|order| order.revision == before.revision);
        *stored.ok_or(UpdateError::Conflict)? = after.clone();
        Ok(())
    }

    async fn overdue(&self, now: Timestamp, limit: u16) -> Result<Vec<OrderKey>, StoreError> {
        let orders = lock(&self.orders);
        let mut due: Vec<_> = orders
            .values()
            .filter_map(|order| Some((order.settlement.due.filter(|due| *due <= now)?, order)))
            .map(|(due, order)| (due, OrderKey { tenant: order.tenant.clone(), id: order.id }))
            .collect();
        due.sort();
        Ok(due.into_iter().map(|(_, key)| key).take(limit.into()).collect())
    }

    async fn list(&self, query: &ListQuery) -> Result<Page, StoreError> {
        let orders = lock(&self.orders);
        let mut rows: Vec<OrderSummary> = orders
            .values()
            .filter(|order| order.tenant == query.tenant && !order.is_deleted())
            .filter(|order| query.filter.matches(order) && query.covers(Position::of(order)))
            .map(OrderSummary::from)
            .collect();
        rows.sort_by_key(|row| std::cmp::Reverse(row.position()));
        let limit = usize::from(query.limit.get());
        let has_more = rows.len() > limit;
        rows.truncate(limit);
        Ok(Page { orders: rows, has_more })
    }
}

impl ChangedOrders for MemoryStore {
    async fn changed_since(&self, from: Timestamp, _page: Option<&OrderKey>) -> Result<ChangedPage, StoreError> {
        let orders = lock(&self.orders).values().filter(|order| order.updated_at >= from).cloned().collect();
        Ok(ChangedPage { orders, next: None })
    }
}
