//! Change one order: read it, apply a rule, commit on condition that nobody else did in between.

use crate::caller::Caller;
use crate::history::Stamp;
use crate::id::OrderId;
use crate::order::{Order, Refused};
use crate::ports::{Condition, OrderStore, StoreError, UpdateError};

/// How often a change is made anew after another writer came first.
const RETRIES: usize = 3;

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

/// What a client wants to make of an order.
///
/// A function from an order to its next version is one that touches nothing else.
pub trait Change: Sync {
    /// Why it is not made.
    type Error: From<ChangeError> + Send;

    /// The next version of the order as it was read; `None` when nothing would differ.
    ///
    /// # Errors
    /// When the change is refused; then it MUST have left nothing behind.
    fn next(&self, order: &Order, attempt: usize) -> impl Future<Output = Result<Option<Order>, Self::Error>> + Send;

    /// The version that this attempt made of the order is never committed, because another writer came first or the
    /// store refused it: undoes what it did besides.
    fn undo(&self, order: &Order, attempt: usize) -> impl Future<Output = ()> + Send;
}

impl<F: Fn(&Order) -> Result<Option<Order>, Refused> + Sync> Change for F {
    type Error = ChangeError;

    async fn next(&self, order: &Order, _attempt: usize) -> Result<Option<Order>, ChangeError> {
        Ok(self(order)?)
    }

    async fn undo(&self, _order: &Order, _attempt: usize) {}
}

/// Reads the order, makes the change and commits it.
///
/// The commit holds only while the version read is still the order's; otherwise the order is read anew, and the change
/// made anew at most three times.
///
/// # Errors
/// Those of the change, [`ChangeError`] among them; nothing changed, except that after a [`StoreError`] it may have: see
/// [`OrderStore::update`].
pub async fn change_order<S: OrderStore, C: Change>(store: &S, target: &Target, change: &C) -> Result<Order, C::Error> {
    let mut order = target.visible(target.read(store).await?)?;
    for attempt in 0..=RETRIES {
        target.check(&order)?;
        let Some(next) = change.next(&order, attempt).await? else { return Ok(order) };
        match store.update(&order, &next, Condition::Version).await {
            Ok(()) => return Ok(next),
            Err(UpdateError::Conflict) => {}
            Err(UpdateError::Store(error)) => {
                if !error.may_have_written() {
                    change.undo(&order, attempt).await;
                }
                return Err(ChangeError::Store(error).into());
            }
        }
        let present = target.read(store).await?;
        if target.has_written(&present) {
            return Ok(present);
        }
        change.undo(&order, attempt).await;
        order = target.visible(present)?;
    }
    Err(ChangeError::Conflict.into())
}

impl Target {
    /// Reads the order, also one that was deleted: its item stays for ever.
    async fn read(&self, store: &impl OrderStore) -> Result<Order, ChangeError> {
        store.get(&self.caller.tenant, self.id).await?.ok_or(ChangeError::NotFound)
    }

    fn visible(&self, order: Order) -> Result<Order, ChangeError> {
        let is_allowed = self.caller.may_act_for(&order.customer.id);
        if !order.is_deleted() && is_allowed { Ok(order) } else { Err(ChangeError::NotFound) }
    }

    /// Whether this very request made one of the order's versions: a write can succeed and its answer be lost, and the
    /// client library then sends it again and hears of a conflict with itself.
    fn has_written(&self, order: &Order) -> bool {
        order.history.iter().any(|entry| entry.stamp.request_id == self.stamp.request_id)
    }

    /// Checks the client's condition.
    fn check(&self, order: &Order) -> Result<(), ChangeError> {
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
    use crate::id::TenantId;
    use crate::listing::{ListQuery, Page};
    use crate::memory::{MemoryStore, sample};
    use crate::ports::{DueOrder, DuePage, Inserted, OrderKey};
    use crate::status::Status;
    use crate::timestamp::Timestamp;

    fn target(n: u32) -> Target {
        Target { caller: sample::caller(), id: sample::order_id(1), if_match: IfMatch::Any, stamp: sample::stamp(n) }
    }

    async fn store() -> MemoryStore {
        let store = MemoryStore::default();
        store.insert(&sample::order()).await.unwrap();
        store
    }

    async fn process(store: &MemoryStore, target: &Target) -> Result<Order, ChangeError> {
        change_order(store, target, &|order: &Order| order.transition(Status::Processing, None, target.stamp.clone()))
            .await
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

    /// What becomes of every update.
    enum Fate {
        /// The client library sends it twice, as it does when the first answer is lost.
        Repeated,
        /// It fails.
        Failed(StoreError),
    }

    /// A store whose updates go another way.
    struct Odd(MemoryStore, Fate);

    impl OrderStore for Odd {
        async fn insert(&self, order: &Order) -> Result<Inserted, StoreError> {
            self.0.insert(order).await
        }

        async fn get(&self, tenant: &TenantId, id: OrderId) -> Result<Option<Order>, StoreError> {
            self.0.get(tenant, id).await
        }

        async fn update(&self, before: &Order, after: &Order, condition: Condition) -> Result<(), UpdateError> {
            match &self.1 {
                Fate::Repeated => self.0.update(before, after, condition).await?,
                Fate::Failed(error) => return Err(error.clone().into()),
            }
            self.0.update(before, after, condition).await
        }

        async fn due(
            &self,
            shard: u32,
            now: Timestamp,
            after: Option<&DueOrder>,
            limit: u16,
        ) -> Result<DuePage, StoreError> {
            self.0.due(shard, now, after, limit).await
        }

        fn shards(&self) -> u32 {
            self.0.shards()
        }

        async fn put_off(&self, key: &OrderKey, until: Timestamp, cause: &str) -> Result<(), StoreError> {
            self.0.put_off(key, until, cause).await
        }

        async fn list(&self, query: &ListQuery) -> Result<Page, StoreError> {
            self.0.list(query).await
        }
    }

    #[tokio::test]
    async fn a_write_that_conflicts_with_itself_was_made() {
        let store = Odd(store().await, Fate::Repeated);
        let target = Target { if_match: IfMatch::Versions(vec![1]), ..target(2) };
        let process = |order: &Order| order.transition(Status::Processing, None, target.stamp.clone());
        assert_eq!(change_order(&store, &target, &process).await.unwrap().version, 2);
    }

    /// A change that counts how often it was undone.
    #[derive(Default)]
    struct Counted(std::sync::atomic::AtomicUsize);

    impl Change for Counted {
        type Error = ChangeError;

        async fn next(&self, order: &Order, _attempt: usize) -> Result<Option<Order>, ChangeError> {
            Ok(order.transition(Status::Processing, None, sample::stamp(2))?)
        }

        async fn undo(&self, _order: &Order, _attempt: usize) {
            self.0.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        }
    }

    #[tokio::test]
    async fn a_change_is_undone_when_the_store_refuses_it_and_kept_when_it_may_have_been_written() {
        let failures = [
            (StoreError::TooLarge, 1),
            (StoreError::Corrupt(String::new()), 1),
            (StoreError::Rejected(String::new()), 0),
            (StoreError::Throttled(String::new()), 0),
            (StoreError::Unavailable(String::new()), 0),
        ];
        for (failure, undone) in failures {
            let (store, change) = (Odd(store().await, Fate::Failed(failure.clone())), Counted::default());
            let outcome = change_order(&store, &target(2), &change).await;
            assert_eq!(outcome, Err(ChangeError::Store(failure.clone())));
            assert_eq!(change.0.into_inner(), undone, "{failure}");
        }
    }

    #[tokio::test]
    async fn a_deleted_order_does_not_exist() {
        let store = store().await;
        let retention = std::time::Duration::from_secs(60);
        let first = target(2);
        let delete = |order: &Order| order.delete(retention, first.stamp.clone()).map(Some);
        assert!(change_order(&store, &first, &delete).await.is_ok());
        assert_eq!(process(&store, &target(3)).await, Err(ChangeError::NotFound));
    }
}
