//! How many orders wait for a follow-up, and since when.

use std::time::Duration;

use domain::ports::{OrderStore, StoreError};
use domain::timestamp::Timestamp;
use futures_util::future::try_join_all;

/// A follow-up that failed is retried after an hour at most, so what is due within an hour waits; an erasure that is due
/// later does not.
const AHEAD: Duration = Duration::from_secs(3_600);

/// So many orders of a shard are counted.
const MOST_COUNTED: u16 = 1_000;

/// What waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Waiting {
    /// How many orders; at most 1,000 of each shard are counted.
    pub orders: usize,
    /// The earliest time at which the sweep takes one of them up.
    pub earliest: Option<Timestamp>,
}

impl Waiting {
    /// What waits in all shards of the index.
    ///
    /// # Errors
    /// [`StoreError`] when a shard could not be read.
    pub async fn in_all(store: &impl OrderStore, now: Timestamp) -> Result<Self, StoreError> {
        let shards = (0..store.shards()).map(|shard| store.due(shard, now.plus(AHEAD), None, MOST_COUNTED));
        Ok(try_join_all(shards).await?.into_iter().fold(Self::default(), |waiting, page| {
            let first = page.orders.first().map(|order| order.at);
            let earliest = [waiting.earliest, first].into_iter().flatten().min();
            Self { orders: waiting.orders + page.orders.len(), earliest }
        }))
    }

    /// How long the order that is due first has been due.
    #[must_use]
    pub fn overdue(&self, now: Timestamp) -> Duration {
        let late = self.earliest.map_or(0, |due| now.as_millis() - due.as_millis());
        Duration::from_millis(u64::try_from(late).unwrap_or_default())
    }
}
