//! Tell subscribers of changes: of each order in the order of its versions, orders side by side.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::future::join_all;
use futures_util::stream::{self, Stream, StreamExt, TryStreamExt};

use crate::ports::{Clock, Message, OrderKey, PostError, RecentChanges, Sockets, StoreError, Subscriptions};
use crate::subscription::{Subscription, SubscriptionKey, Update};

/// So many messages of one update are on their way at a time.
const POSTS_AT_ONCE: usize = 128;

/// The use case and the ports it needs.
#[derive(Debug, Clone)]
pub struct PushUpdates<T, S, C> {
    /// Who subscribes, and what changed lately.
    pub table: T,
    /// The open connections.
    pub sockets: S,
    /// The time.
    pub clock: C,
}

/// How many subscribers were told of an update.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Pushed {
    /// Those that took it.
    pub reached: usize,
    /// Those that were gone.
    pub gone: usize,
    /// Those that were closed, since their tokens had expired or they took too long: they resume from what they have.
    pub closed: usize,
}

/// Why an update must be pushed again.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PushError {
    /// Connections neither took it nor could be closed, so they would never learn of it.
    #[error("{0} connections could be neither reached nor closed")]
    Unreached(usize),
    /// An earlier update of its order must come first.
    #[error("an earlier update of the order comes first")]
    HeldBack,
    /// The table failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What became of subscribers, counted from many tasks.
#[derive(Debug, Default)]
struct Tally {
    reached: AtomicUsize,
    gone: AtomicUsize,
    closed: AtomicUsize,
    unreached: AtomicUsize,
}

impl<T: Subscriptions + RecentChanges, S: Sockets, C: Clock> PushUpdates<T, S, C> {
    /// Pushes updates given in the order of the feed. Answers for each: after one that failed, its order's later ones are
    /// held back.
    pub async fn run(&self, updates: &[Update]) -> Vec<Result<Pushed, PushError>> {
        let mut lanes = BTreeMap::<&OrderKey, Vec<(usize, &Update)>>::new();
        for (index, update) in updates.iter().enumerate() {
            lanes.entry(&update.order).or_default().push((index, update));
        }
        let outcomes = join_all(lanes.into_values().map(|lane| self.push_lane(lane))).await;
        let by_place: BTreeMap<usize, Result<Pushed, PushError>> = outcomes.into_iter().flatten().collect();
        by_place.into_values().collect()
    }

    async fn push_lane(&self, lane: Vec<(usize, &Update)>) -> Vec<(usize, Result<Pushed, PushError>)> {
        let mut outcomes = Vec::new();
        let mut is_stopped = false;
        for (index, update) in lane {
            let outcome = if is_stopped { Err(PushError::HeldBack) } else { self.push(update).await };
            is_stopped |= outcome.is_err();
            outcomes.push((index, outcome));
        }
        outcomes
    }

    /// First notes the change, then looks for subscribers. So a subscriber that is registered too late for being found
    /// finds the change noted (see [`super::Subscribe`]).
    async fn push(&self, update: &Update) -> Result<Pushed, PushError> {
        self.table.note(update, self.clock.now()).await?;
        let tally = Tally::default();
        for key in update.keys() {
            let told = self.subscribers(&key).try_for_each_concurrent(POSTS_AT_ONCE, |subscription| {
                let tally = &tally;
                async move {
                    self.tell(&subscription, update).await.count(tally);
                    Ok(())
                }
            });
            told.await?;
        }
        tally.into_pushed()
    }

    /// The subscribers of a key, page by page: memory holds one page of them.
    fn subscribers<'a>(
        &'a self,
        key: &'a SubscriptionKey,
    ) -> impl Stream<Item = Result<Subscription, StoreError>> + 'a {
        let pages = stream::try_unfold(Some(None), move |next| async move {
            let Some(after) = next else { return Ok::<_, StoreError>(None) };
            let page = self.table.page(key, after.as_ref()).await?;
            Ok(Some((page.subscriptions, page.next.map(Some))))
        });
        pages.map_ok(|page| stream::iter(page).map(Ok)).try_flatten()
    }

    async fn tell(&self, subscription: &Subscription, update: &Update) -> Told {
        if !update.may_be_seen_by(subscription) {
            return Told::Nothing;
        }
        if subscription.expires_at <= self.clock.now() {
            return self.end(subscription).await;
        }
        match self.sockets.post(&subscription.connection, Message::Text(&update.message)).await {
            Ok(()) => Told::Reached,
            Err(PostError::Gone) => self.forget(subscription, Told::Gone).await,
            Err(PostError::Failed(_)) => self.end(subscription).await,
        }
    }

    /// Closes a connection, so that its client notices, connects again and resumes.
    async fn end(&self, subscription: &Subscription) -> Told {
        match self.sockets.close(&subscription.connection).await {
            Ok(()) => self.forget(subscription, Told::Closed).await,
            Err(PostError::Gone) => self.forget(subscription, Told::Gone).await,
            Err(PostError::Failed(_)) => Told::Unreached,
        }
    }

    /// One that cannot be forgotten now is found gone again at the next update, and expires.
    async fn forget(&self, subscription: &Subscription, told: Told) -> Told {
        drop(self.table.remove(&subscription.key, &subscription.connection).await);
        told
    }
}

/// What became of one subscriber.
#[derive(Debug, Clone, Copy)]
enum Told {
    Nothing,
    Reached,
    Gone,
    Closed,
    Unreached,
}

impl Told {
    fn count(self, tally: &Tally) {
        let counter = match self {
            Self::Nothing => return,
            Self::Reached => &tally.reached,
            Self::Gone => &tally.gone,
            Self::Closed => &tally.closed,
            Self::Unreached => &tally.unreached,
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }
}

impl Tally {
    fn into_pushed(self) -> Result<Pushed, PushError> {
        match self.unreached.into_inner() {
            0 => Ok(Pushed {
                reached: self.reached.into_inner(),
                gone: self.gone.into_inner(),
                closed: self.closed.into_inner(),
            }),
            unreached => Err(PushError::Unreached(unreached)),
        }
    }
}
