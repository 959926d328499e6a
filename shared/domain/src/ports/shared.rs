//! A port that is shared is the port itself.

use std::sync::Arc;

use crate::id::{CustomerId, OrderId, ProductId, TenantId};
use crate::line::Product;
use crate::listing::{ListQuery, Page};
use crate::order::{Contact, Order};
use crate::ports::{
    Condition, ConfirmError, CustomerService, DueOrder, DuePage, Inserted, InventoryService, OrderKey, OrderStore,
    ReserveError, StoreError, Unavailable, UpdateError,
};
use crate::reservation::{Reservation, ReservationId};
use crate::timestamp::Timestamp;

impl<T: OrderStore> OrderStore for Arc<T> {
    async fn insert(&self, order: &Order) -> Result<Inserted, StoreError> {
        T::insert(self, order).await
    }

    async fn get(&self, tenant: &TenantId, id: OrderId) -> Result<Option<Order>, StoreError> {
        T::get(self, tenant, id).await
    }

    async fn update(&self, before: &Order, after: &Order, condition: Condition) -> Result<(), UpdateError> {
        T::update(self, before, after, condition).await
    }

    async fn due(
        &self,
        shard: u32,
        now: Timestamp,
        after: Option<&DueOrder>,
        limit: u16,
    ) -> Result<DuePage, StoreError> {
        T::due(self, shard, now, after, limit).await
    }

    fn shards(&self) -> u32 {
        T::shards(self)
    }

    async fn put_off(&self, key: &OrderKey, until: Timestamp, cause: &str) -> Result<(), StoreError> {
        T::put_off(self, key, until, cause).await
    }

    async fn list(&self, query: &ListQuery) -> Result<Page, StoreError> {
        T::list(self, query).await
    }
}

impl<T: CustomerService> CustomerService for Arc<T> {
    async fn find(&self, tenant: &TenantId, id: &CustomerId) -> Result<Option<Contact>, Unavailable> {
        T::find(self, tenant, id).await
    }
}

impl<T: InventoryService> InventoryService for Arc<T> {
    async fn products(&self, tenant: &TenantId, ids: &[ProductId]) -> Result<Vec<Product>, Unavailable> {
        T::products(self, tenant, ids).await
    }

    async fn reserve(&self, reservation: &Reservation) -> Result<(), ReserveError> {
        T::reserve(self, reservation).await
    }

    async fn confirm(&self, tenant: &TenantId, id: ReservationId) -> Result<(), ConfirmError> {
        T::confirm(self, tenant, id).await
    }

    async fn release(&self, tenant: &TenantId, id: ReservationId) -> Result<(), Unavailable> {
        T::release(self, tenant, id).await
    }
}
