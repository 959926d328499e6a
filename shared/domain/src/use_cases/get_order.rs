//! Read one order.

use crate::caller::Caller;
use crate::id::OrderId;
use crate::order::Order;
use crate::ports::{OrderStore, StoreError};

/// Why an order is not shown.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GetOrderError {
    /// There is none, or none that this caller may know of.
    #[error("no such order")]
    NotFound,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Reads an order of the caller's tenant.
///
/// # Errors
/// [`GetOrderError::NotFound`] also for an order that was deleted, or is of another tenant, or of a customer the caller may not act for.
pub async fn get_order(store: &impl OrderStore, caller: &Caller, id: OrderId) -> Result<Order, GetOrderError> {
    let order = store.get(&caller.tenant, id).await?;
    order.filter(|order| !order.is_deleted() && caller.may_act_for(&order.customer.id)).ok_or(GetOrderError::NotFound)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::{CustomerId, TenantId};
    use crate::memory::{MemoryStore, sample};

    async fn stored() -> (MemoryStore, Order) {
        let store = MemoryStore::default();
        let order = sample::order();
        store.insert(&order).await.unwrap();
        (store, order)
    }

    #[tokio::test]
    async fn an_order_is_shown_to_its_tenant() {
        let (store, order) = stored().await;
        assert_eq!(get_order(&store, &sample::caller(), order.id).await, Ok(order));
    }

    #[tokio::test]
    async fn an_order_of_another_tenant_does_not_exist() {
        let (store, order) = stored().await;
        let stranger = Caller { tenant: TenantId::parse("other").unwrap(), ..sample::caller() };
        assert_eq!(get_order(&store, &stranger, order.id).await, Err(GetOrderError::NotFound));
    }

    #[tokio::test]
    async fn an_order_of_another_customer_does_not_exist_for_a_confined_caller() {
        let (store, order) = stored().await;
        let confined = Caller { customer: Some(CustomerId::parse("cust-2").unwrap()), ..sample::caller() };
        assert_eq!(get_order(&store, &confined, order.id).await, Err(GetOrderError::NotFound));
    }
}
