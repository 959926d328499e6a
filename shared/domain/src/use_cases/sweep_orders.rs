//! Find settlements that are overdue and drive them again, a bounded number a run.

use std::time::Duration;

use crate::history::Stamp;
use crate::ports::{CustomerService, InventoryService, OrderKey, OrderStore, StoreError, UpdateError};
use crate::use_cases::{SettleError, SettleOrder};

/// An order that could not be settled is tried again this much later, so that it does not keep others waiting.
const POSTPONE: Duration = Duration::from_secs(60);

/// What one run did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Sweep {
    /// Orders that are settled now.
    pub settled: usize,
    /// Orders that are tried again later.
    pub postponed: usize,
}

/// Settles at most `limit` overdue orders, longest overdue first. Running it twice at once is harmless.
///
/// # Errors
/// [`StoreError`] when the overdue orders cannot be found.
pub async fn sweep_orders<S: OrderStore, C: CustomerService, I: InventoryService>(
    settle: &SettleOrder<S, C, I>,
    stamp: &Stamp,
    limit: u16,
) -> Result<Sweep, StoreError> {
    let mut sweep = Sweep::default();
    for key in settle.store.overdue(stamp.at, limit).await? {
        match settle.run(&key, stamp).await {
            Ok(()) => sweep.settled += 1,
            Err(SettleError::Unavailable(_) | SettleError::Conflict | SettleError::Store(_)) => {
                postpone(&settle.store, &key, stamp).await?;
                sweep.postponed += 1;
            }
        }
    }
    Ok(sweep)
}

/// A conflict means that somebody else has just worked on the order, which is as good.
async fn postpone(store: &impl OrderStore, key: &OrderKey, stamp: &Stamp) -> Result<(), StoreError> {
    let Some(order) = store.get(&key.tenant, key.id).await?.filter(|order| order.step(stamp.at).is_some()) else {
        return Ok(());
    };
    match store.update(&order, &order.postponed(stamp.at.plus(POSTPONE))).await {
        Ok(()) | Err(UpdateError::Conflict) => Ok(()),
        Err(UpdateError::Store(error)) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory::{MemoryStore, sample};
    use crate::order::SETTLE_WITHIN;
    use crate::status::Status;

    #[tokio::test]
    async fn overdue_orders_are_settled_and_those_that_cannot_be_are_postponed() {
        let settle = SettleOrder {
            store: MemoryStore::default(),
            customers: sample::customers(),
            inventory: sample::inventory(),
        };
        let order = sample::bare_order();
        settle.store.insert(&order).await.unwrap();
        settle.inventory.set_down(true);
        let stamp = Stamp { at: order.created_at.plus(SETTLE_WITHIN), ..sample::stamp(60) };
        assert_eq!(sweep_orders(&settle, &stamp, 10).await, Ok(Sweep { settled: 0, postponed: 1 }));
        settle.inventory.set_down(false);
        assert_eq!(sweep_orders(&settle, &stamp, 10).await, Ok(Sweep::default()), "not before its time");
        let later = Stamp { at: stamp.at.plus(POSTPONE), ..stamp };
        assert_eq!(sweep_orders(&settle, &later, 10).await, Ok(Sweep { settled: 1, postponed: 0 }));
        let settled = settle.store.get(&order.tenant, order.id).await.unwrap().unwrap();
        assert_eq!((settled.status, settled.version), (Status::Confirmed, 2));
        assert_eq!(sweep_orders(&settle, &later, 10).await, Ok(Sweep::default()));
    }
}
