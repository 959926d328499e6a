//! Change one order: read it, apply a rule, commit on condition that nobody else did in between.

use crate::caller::Caller;
use crate::history::Stamp;
use crate::id::OrderId;
use crate::order::{Order, Refused};
use crate::ports::{OrderStore, StoreError, UpdateError};

/// How often a change is tried anew after another writer came first.
pub(super) const RETRIES: usize = 3;

/// The versions that a client's `If-Match` accepts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IfMatch {
    /// Any version.
    Any,
    /// One of these.
    Versions(Vec<u64>),
}

/// Which order is to change, for whom, and on what condition.
#[derive(Debug, Clone)]
pub struct Target {
    /// Who asks.
    pub caller: Caller,
    /// The order.
    pub id: OrderId,
    /// The condition.
    pub if_match: IfMatch,
    /// When, by whom, on behalf of which request.
    pub stamp: Stamp,
}

/// Why an order did not change.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChangeError {
    /// There is none that this caller may know of.
    #[error("no such order")]
    NotFound,
    /// The client's condition does not hold.
    #[error("the order is at version {current}")]
    Stale {
        /// The order's version.
        current: u64,
    },
    /// A rule forbids it.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// Others kept changing the order.
    #[error("the order is being changed by others")]
    Conflict,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Applies `change` to the order and commits it. `change` gives the next version, or `None` when nothing would differ.
///
/// The commit holds only while the version read is still the order's; otherwise the order is read anew, at most three
/// times.
///
/// # Errors
/// [`ChangeError`]; nothing changed, except that after a [`StoreError`] and after [`ChangeError::Conflict`] it may have:
/// see [`OrderStore::update`].
pub async fn change_order<S: OrderStore>(
    store: &S,
    target: &Target,
    change: impl Fn(&Order) -> Result<Option<Order>, Refused>,
) -> Result<Order, ChangeError> {
    for _ in 0..=RETRIES {
        let order = target.read(store).await?;
        if target.has_written(&order) {
            return Ok(order);
        }
        target.check(&order)?;
        let Some(next) = change(&order)? else { return Ok(order) };
        match store.update(&order, &next).await {
            Ok(()) => return Ok(next),
            Err(UpdateError::Conflict) => {}
            Err(UpdateError::Store(error)) => return Err(error.into()),
        }
    }
    Err(ChangeError::Conflict)
}

impl Target {
    /// Reads the order; one that was deleted is seen by the request that deleted it alone.
    pub(super) async fn read(&self, store: &impl OrderStore) -> Result<Order, ChangeError> {
        let order = store.get(&self.caller.tenant, self.id).await?.ok_or(ChangeError::NotFound)?;
        let is_visible = !order.is_deleted() || self.has_written(&order);
        let is_allowed = self.caller.may_act_for(&order.customer.id);
        if is_visible && is_allowed { Ok(order) } else { Err(ChangeError::NotFound) }
    }

    /// Whether this very request made one of the order's versions: a write can succeed and its answer be lost, and the
    /// client library then sends it again and hears of a conflict with itself.
    pub(super) fn has_written(&self, order: &Order) -> bool {
        order.history.iter().any(|entry| entry.stamp.request_id == self.stamp.request_id)
    }

    /// Checks the client's condition.
    pub(super) fn check(&self, order: &Order) -> Result<(), ChangeError> {
        match &self.if_match {
            IfMatch::Any => Ok(()),
            IfMatch::Versions(versions) if versions.contains(&order.version) => Ok(()),
            IfMatch::Versions(_) => Err(ChangeError::Stale { current: order.version }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory::{MemoryStore, sample};
    use crate::status::Status;

    fn target(n: u32) -> Target {
        Target { caller: sample::caller(), id: sample::order_id(1), if_match: IfMatch::Any, stamp: sample::stamp(n) }
    }

    async fn store() -> MemoryStore {
        let store = MemoryStore::default();
        store.insert(&sample::order()).await.unwrap();
        store
    }

    async fn process(store: &MemoryStore, target: &Target) -> Result<Order, ChangeError> {
        change_order(store, target, |order| order.transition(Status::Processing, None, target.stamp.clone())).await
    }

    #[tokio::test]
    async fn a_change_is_committed_as_the_next_version() {
        let store = store().await;
        let order = process(&store, &target(2)).await.unwrap();
        assert_eq!((order.version, order.status), (2, Status::Processing));
        assert_eq!(store.get(&order.tenant, order.id).await, Ok(Some(order)));
    }

    #[tokio::test]
    async fn a_change_to_what_is_makes_no_version() {
        let store = store().await;
        process(&store, &target(2)).await.unwrap();
        assert_eq!(process(&store, &target(3)).await.unwrap().version, 2);
    }

    #[tokio::test]
    async fn a_stale_condition_is_refused_with_the_present_version() {
        let store = store().await;
        let stale = Target { if_match: IfMatch::Versions(vec![7]), ..target(2) };
        assert_eq!(process(&store, &stale).await, Err(ChangeError::Stale { current: 1 }));
        let fresh = Target { if_match: IfMatch::Versions(vec![7, 1]), ..target(2) };
        assert!(process(&store, &fresh).await.is_ok());
    }

    #[tokio::test]
    async fn a_write_that_arrived_unnoticed_is_found_again() {
        let store = store().await;
        let first = process(&store, &target(2)).await.unwrap();
        let again = Target { if_match: IfMatch::Versions(vec![1]), ..target(2) };
        assert_eq!(process(&store, &again).await, Ok(first));
    }

    #[tokio::test]
    async fn a_deleted_order_does_not_exist() {
        let store = store().await;
        let retention = std::time::Duration::from_secs(60);
        let delete = target(2);
        let delete = change_order(&store, &delete, |order| order.delete(retention, delete.stamp.clone()).map(Some));
        assert!(delete.await.is_ok());
        assert_eq!(process(&store, &target(3)).await, Err(ChangeError::NotFound));
    }
}
