//! Orders in memory.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;

use super::lock;
use crate::id::{OrderId, TenantId};
use crate::listing::{ListQuery, OrderSummary, Page, Position};
use crate::order::{Order, OrderData};
use crate::ports::{
    ChangedOrders, ChangedPage, Condition, DueOrder, DuePage, Inserted, OrderKey, OrderStore, Segment, StoreError,
    UpdateError,
};
use crate::timestamp::Timestamp;

/// Keeps orders in a map.
#[derive(Debug, Default)]
pub struct MemoryStore {
    orders: Mutex<BTreeMap<(TenantId, OrderId), Order>>,
    put_off: Mutex<BTreeMap<OrderKey, Timestamp>>,
    damaged: Mutex<BTreeSet<OrderId>>,
}

impl MemoryStore {
    /// All that are kept.
    #[must_use]
    pub fn orders(&self) -> Vec<Order> {
        lock(&self.orders).values().cloned().collect()
    }

    /// The order's row in the lists cannot be read any more.
    pub fn damage_row(&self, id: OrderId) {
        lock(&self.damaged).insert(id);
    }

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

    async fn update(&self, before: &Order, after: &Order, condition: Condition) -> Result<(), UpdateError> {
        let mut orders = lock(&self.orders);
        let stored = orders
            .get_mut(&(before.tenant.clone(), before.id))
            .filter(|stored| stored.version == before.version)
            .filter(|stored| condition == Condition::Version || stored.follow_ups == before.follow_ups)
            .ok_or(UpdateError::Conflict)?;
        let follow_ups = if after.follow_ups == before.follow_ups { &stored.follow_ups } else { &after.follow_ups };
        if follow_ups != &stored.follow_ups {
            lock(&self.put_off).remove(&OrderKey { tenant: before.tenant.clone(), id: before.id });
        }
        *stored = Order::restore(OrderData { follow_ups: follow_ups.clone(), ..(**after).clone() });
        Ok(())
    }

    async fn due(
        &self,
        _shard: u32,
        now: Timestamp,
        after: Option<&DueOrder>,
        limit: u16,
    ) -> Result<DuePage, StoreError> {
        let orders = lock(&self.orders);
        let put_off = lock(&self.put_off);
        let mut due: Vec<_> = orders
            .values()
            .filter_map(|order| Some((order.swept_at()?, OrderKey { tenant: order.tenant.clone(), id: order.id })))
            .map(|(at, key)| DueOrder { at: put_off.get(&key).copied().unwrap_or(at).max(at), key })
            .filter(|due| due.at <= now && after.is_none_or(|after| due > after))
            .collect();
        due.sort();
        let has_more = due.len() > usize::from(limit);
        due.truncate(limit.into());
        Ok(DuePage { next: due.last().filter(|_| has_more).cloned(), orders: due })
    }

    fn shards(&self) -> u32 {
        1
    }

    async fn put_off(&self, key: &OrderKey, until: Timestamp, _cause: &str) -> Result<(), StoreError> {
        let mut put_off = lock(&self.put_off);
        let later = put_off.get(key).map_or(until, |at| until.max(*at));
        put_off.insert(key.clone(), later);
        Ok(())
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
        let damaged = lock(&self.damaged);
        let (unreadable, orders): (Vec<_>, Vec<_>) = rows.into_iter().partition(|row| damaged.contains(&row.id));
        Ok(Page { orders, unreadable: unreadable.iter().map(OrderSummary::position).collect(), has_more })
    }
}

impl ChangedOrders for MemoryStore {
    /// Two orders a page, so that a walk has many.
    async fn changed_since(
        &self,
        from: Timestamp,
        segment: Segment,
        page: Option<&OrderKey>,
    ) -> Result<ChangedPage, StoreError> {
        let orders = lock(&self.orders);
        let in_segment = |id: OrderId| id.as_uuid().as_u128() % u128::from(segment.of) == u128::from(segment.index);
        let key = |order: &Order| OrderKey { tenant: order.tenant.clone(), id: order.id };
        let mut rest = orders.values().filter(|order| in_segment(order.id));
        let read: Vec<&Order> =
            rest.by_ref().filter(|order| page.is_none_or(|page| key(order) > *page)).take(2).collect();
        let next = rest.next().and_then(|_| read.last().map(|order| key(order)));
        let orders = read.into_iter().filter(|order| order.updated_at >= from).cloned().collect();
        Ok(ChangedPage { orders, next })
    }
}
