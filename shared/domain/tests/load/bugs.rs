//! Rules broken on purpose, one at a time: each must make its scenario fail.

use std::collections::BTreeMap;

use domain::ports::{Clock, OrderStore, StoreError};
use domain::timestamp::Timestamp;
use domain::use_cases::{Outcome, Swept};
use futures_util::{StreamExt, TryStreamExt, stream};

use crate::world::Ports;

/// A rule that is broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bug {
    /// Nothing is tried when it is committed.
    ConfirmationIsLeftToTheSweep,
    /// A reservation is confirmed once the customer is known.
    ConfirmationWaitsForTheCustomerService,
    /// A sweep works 100 orders, one after another.
    SweepIsSlow,
    /// A sweep works one tenant's backlog before another's.
    TenantAfterTenant,
    /// A sweep takes as many orders of one tenant as of another, and lets slow ones hold all the places.
    TurnsByCount,
    /// A sweep ends at an order that cannot be read.
    UnreadableEndsTheSweep,
    /// A sweep sees the first 1,000 keys of each shard of the index.
    OnlyTheFirstPageIsRead,
}

impl Bug {
    /// Whether it is one of [`broken_sweep`].
    pub const fn is_of_the_sweep(self) -> bool {
        matches!(self, Self::SweepIsSlow | Self::TenantAfterTenant | Self::TurnsByCount | Self::UnreadableEndsTheSweep)
    }
}

/// A sweep that reads the index once, and works it tenant after tenant, or by turns, until an order fails.
pub async fn broken_sweep(bug: Bug, ports: &Ports, until: Timestamp) -> Result<Swept, StoreError> {
    let mut keys = Vec::new();
    for shard in 0..ports.shards() {
        let mut next = Some(None);
        while let Some(after) = next {
            let page = ports.due(shard, ports.now(), after.as_ref(), 1_000).await?;
            keys.extend(page.orders.into_iter().map(|order| order.key));
            next = page.next.map(Some);
        }
    }
    keys.sort();
    if bug == Bug::TurnsByCount {
        let mut turns = BTreeMap::new();
        keys.sort_by_cached_key(|key| {
            let turn = turns.entry(key.tenant.clone()).or_insert(0);
            *turn += 1;
            *turn
        });
    }
    let at_once = if bug == Bug::SweepIsSlow { 1 } else { 100 };
    keys.truncate(if bug == Bug::SweepIsSlow { 100 } else { usize::MAX });
    let orders = stream::iter(keys).map(async |key| match ports.get(&key.tenant, key.id).await? {
        Some(order) if ports.now() < until => ports.service().run(order, &ports.stamp()).await,
        Some(_) | None => Ok(Outcome::Postponed),
    });
    let done = orders.buffered(at_once).try_filter(|done| std::future::ready(*done == Outcome::Done));
    Ok(Swept { done: done.try_fold(0, async |count, _| Ok(count + 1)).await?, ..Swept::default() })
}
