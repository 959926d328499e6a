//! Tell subscribers of changes: of each order in the order of its versions, orders side by side.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::future::{join, join_all};
use futures_util::stream::{self, Stream, StreamExt, TryStreamExt};

use crate::ports::{Clock, Message, OrderKey, PostError, RecentChanges, Sockets, StoreError, Subjects, Subscriptions};
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
    /// Of the last two, those that could not be forgotten.
    pub unforgotten: usize,
}

/// Why an update must be pushed again.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PushError {
    /// The gateway takes no messages now: nobody is to blame, and nobody is closed.
    #[error(transparent)]
    Unreached(#[from] PostError),
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
    unforgotten: AtomicUsize,
}

impl<T: Subscriptions + Subjects + RecentChanges, S: Sockets, C: Clock> PushUpdates<T, S, C> {
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
    /// finds the change noted (see [`super::Subscribe`]). Where nobody subscribes, one read is all that it costs.
    async fn push(&self, update: &Update) -> Result<Pushed, PushError> {
        let now = self.clock.now();
        if self.table.kept_since(&update.order.tenant, now).await?.is_none() {
            return Ok(Pushed::default());
        }
        self.table.note(update, now).await?;
        let tally = Tally::default();
        for key in update.keys() {
            let subscribers = self.subscribers(&key).map_err(PushError::from);
            let told = subscribers.try_for_each_concurrent(POSTS_AT_ONCE, |subscription| {
                let tally = &tally;
                async move {
                    self.tell(&subscription, update).await?.count(tally);
                    Ok(())
                }
            });
            told.await?;
        }
        Ok(tally.into_pushed())
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

    async fn tell(&self, subscription: &Subscription, update: &Update) -> Result<Told, PostError> {
        if !update.may_be_seen_by(subscription) {
            return Ok(Told::Nothing);
        }
        if subscription.expires_at <= self.clock.now() {
            return self.end(subscription).await;
        }
        match self.sockets.post(&subscription.connection, Message::Text(&update.message)).await {
            Ok(()) => Ok(Told::Reached),
            Err(PostError::Gone) => Ok(Told::Gone { is_forgotten: self.forget(subscription).await }),
            Err(PostError::Slow) => self.end(subscription).await,
            Err(error @ PostError::Unavailable(_)) => Err(error),
        }
    }

    /// Closes a connection, so that its client notices, connects again and resumes.
    async fn end(&self, subscription: &Subscription) -> Result<Told, PostError> {
        match self.sockets.close(&subscription.connection).await {
            Ok(()) => Ok(Told::Closed { is_forgotten: self.forget(subscription).await }),
            Err(PostError::Gone) => Ok(Told::Gone { is_forgotten: self.forget(subscription).await }),
            Err(error @ (PostError::Slow | PostError::Unavailable(_))) => Err(error),
        }
    }

    /// Forgets a subscription and counts its connection no more, since `$disconnect` may never come; whether it could do both. What
    /// is left is found gone again at the next update, or expires.
    async fn forget(&self, Subscription { key, connection, subject, .. }: &Subscription) -> bool {
        let discounted = async {
            match subject {
                Some(subject) => self.table.discount_connection(subject, connection).await,
                None => Ok(()),
            }
        };
        // A failure of one must not break off the other.
        let (removed, discounted) = join(self.table.remove(key, connection), discounted).await;
        removed.and(discounted).is_ok()
    }
}

/// What became of one subscriber.
#[derive(Debug, Clone, Copy)]
enum Told {
    Nothing,
    Reached,
    Gone { is_forgotten: bool },
    Closed { is_forgotten: bool },
}

impl Told {
    fn count(self, tally: &Tally) {
        let (counter, is_forgotten) = match self {
            Self::Nothing => return,
            Self::Reached => (&tally.reached, true),
            Self::Gone { is_forgotten } => (&tally.gone, is_forgotten),
            Self::Closed { is_forgotten } => (&tally.closed, is_forgotten),
        };
        counter.fetch_add(1, Ordering::Relaxed);
        tally.unforgotten.fetch_add(usize::from(!is_forgotten), Ordering::Relaxed);
    }
}

impl Tally {
    fn into_pushed(self) -> Pushed {
        let Self { reached, gone, closed, unforgotten } = self;
        Pushed {
            reached: reached.into_inner(),
            gone: gone.into_inner(),
            closed: closed.into_inner(),
            unforgotten: unforgotten.into_inner(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::id::{CustomerId, TenantId};
    use crate::memory::{FixedClock, Heard, MemorySockets, MemorySubscriptions, sample};
    use crate::ports::Noted;
    use crate::subscription::{ConnectionId, Subject};

    fn noon() -> FixedClock {
        FixedClock(sample::stamp(43_200).at)
    }

    type Push = PushUpdates<MemorySubscriptions, MemorySockets, FixedClock>;

    fn push() -> Push {
        PushUpdates { table: MemorySubscriptions::default(), sockets: MemorySockets::default(), clock: noon() }
    }

    fn connection(n: u32) -> ConnectionId {
        ConnectionId::parse(format!("connection-{n}")).unwrap()
    }

    fn subject() -> Subject {
        Subject { tenant: sample::tenant(), name: "shop-backend".to_owned() }
    }

    fn order(n: u32) -> OrderKey {
        OrderKey { tenant: sample::tenant(), id: sample::order_id(n) }
    }

    fn customer(name: &str) -> CustomerId {
        CustomerId::parse(name).unwrap()
    }

    fn update(n: u32, version: u64) -> Update {
        let message = format!("{n}:{version}");
        Update { order: order(n), customer: customer("cust-1"), version, committed_at: noon().now(), message }
    }

    async fn subscribed(push: &Push, n: u32, key: SubscriptionKey, confined_to: Option<&str>, seconds: u64) {
        let expires_at = sample::stamp(43_200).at.plus(Duration::from_secs(seconds));
        let confined_to = confined_to.map(customer);
        for tenant in ["demo", "demo-2"] {
            let tenant = TenantId::restore(tenant);
            push.table.keep(&tenant, noon().now(), noon().now().plus(Duration::from_secs(3_600))).await.unwrap();
        }
        push.table
            .add(&Subscription { key, connection: connection(n), subject: Some(subject()), confined_to, expires_at })
            .await
            .unwrap();
    }

    fn heard(push: &Push, n: u32) -> Vec<Heard> {
        push.sockets.heard(&connection(n))
    }

    fn text(text: &str) -> Heard {
        Heard::Text(text.to_owned())
    }

    #[tokio::test]
    async fn an_update_reaches_those_who_subscribe_to_its_order_its_customer_or_its_storefront_and_nobody_else() {
        let push = push();
        let of_customer = |tenant: &str, name| SubscriptionKey::Customer(TenantId::restore(tenant), customer(name));
        let keys = [
            SubscriptionKey::Order(order(1)),
            of_customer("demo", "cust-1"),
            SubscriptionKey::Tenant(sample::tenant()),
            SubscriptionKey::Order(order(2)),
            of_customer("demo", "cust-2"),
            of_customer("demo-2", "cust-1"),
            SubscriptionKey::Tenant(TenantId::restore("demo-2")),
        ];
        for (n, key) in (0..).zip(keys) {
            subscribed(&push, n, key, None, 60).await;
        }
        let pushed = push.run(&[update(1, 1)]).await;
        assert_eq!(pushed, [Ok(Pushed { reached: 3, ..Pushed::default() })]);
        for n in 0..7 {
            assert_eq!(heard(&push, n).len(), usize::from(n < 3), "{n}");
        }
    }

    #[tokio::test]
    async fn a_confined_token_sees_nothing_of_another_customer_whatever_it_subscribes_to() {
        let push = push();
        subscribed(&push, 1, SubscriptionKey::Tenant(sample::tenant()), Some("cust-2"), 60).await;
        assert_eq!(push.run(&[update(1, 1)]).await, [Ok(Pushed::default())]);
        assert_eq!(heard(&push, 1), []);
    }

    #[tokio::test]
    async fn who_is_gone_is_forgotten_and_who_is_slow_or_expired_is_closed() {
        let push = push();
        let key = SubscriptionKey::Tenant(sample::tenant());
        for (n, seconds) in [(1, 60), (2, 60), (3, 60), (4, 0)] {
            subscribed(&push, n, key.clone(), None, seconds).await;
        }
        push.sockets.drop_connection(&connection(2));
        push.sockets.hang(&connection(3));
        let pushed = push.run(&[update(1, 1), update(1, 2)]).await;
        let first = Pushed { reached: 1, gone: 1, closed: 2, unforgotten: 0 };
        assert_eq!(pushed, [Ok(first), Ok(Pushed { reached: 1, ..Pushed::default() })]);
        assert_eq!(heard(&push, 1), [text("1:1"), text("1:2")]);
        assert!(push.sockets.is_gone(&connection(3)) && push.sockets.is_gone(&connection(4)));
        assert_eq!((heard(&push, 4), push.table.len()), (vec![], 1));
    }

    #[tokio::test]
    async fn a_connection_that_is_gone_makes_room_for_another_of_its_subject() {
        let push = push();
        let counts = async |n| {
            let until = noon().now().plus(Duration::from_secs(60));
            push.table.count_connection(&subject(), &connection(n), noon().now(), until, 1).await.unwrap()
        };
        subscribed(&push, 1, SubscriptionKey::Order(order(1)), None, 60).await;
        assert!(counts(1).await && !counts(2).await);
        push.sockets.drop_connection(&connection(1));
        assert_eq!(push.run(&[update(1, 1)]).await, [Ok(Pushed { gone: 1, ..Pushed::default() })]);
        assert!(push.table.is_empty() && counts(2).await);
    }

    #[tokio::test]
    async fn what_cannot_be_told_holds_back_its_order_and_no_other() {
        let push = push();
        subscribed(&push, 1, SubscriptionKey::Order(order(1)), None, 60).await;
        push.sockets.set_down(true);
        let pushed = push.run(&[update(1, 1), update(2, 1), update(1, 2)]).await;
        let down = PostError::Unavailable("switched off".to_owned());
        assert_eq!(pushed, [Err(down.into()), Ok(Pushed::default()), Err(PushError::HeldBack)]);
        assert!(!push.sockets.is_gone(&connection(1)), "it is not its fault");
        push.sockets.set_down(false);
        assert!(push.run(&[update(1, 1), update(1, 2)]).await.iter().all(Result::is_ok));
        assert_eq!(heard(&push, 1), [text("1:1"), text("1:2")]);
    }

    #[tokio::test]
    async fn where_nobody_has_subscribed_for_hours_nothing_is_noted() {
        let push = push();
        let since = sample::stamp(0).at;
        let newest = async || push.table.newest(&SubscriptionKey::Tenant(sample::tenant())).await.unwrap();
        assert_eq!(push.run(&[update(1, 1)]).await, [Ok(Pushed::default())]);
        push.table.keep(&sample::tenant(), since, noon().now()).await.unwrap();
        assert_eq!(push.run(&[update(1, 1)]).await, [Ok(Pushed::default())]);
        assert_eq!(newest().await, None);
        subscribed(&push, 1, SubscriptionKey::Order(order(2)), None, 60).await;
        assert_eq!(push.run(&[update(1, 1)]).await, [Ok(Pushed::default())]);
        let noted = Noted { at: noon().now(), order: sample::order_id(1), version: 1 };
        assert_eq!(newest().await, Some(noted));
    }

    #[tokio::test]
    async fn everybody_is_told_however_many_pages_they_are() {
        let push = push();
        for n in 0..701 {
            subscribed(&push, n, SubscriptionKey::Order(order(1)), None, 60).await;
        }
        assert_eq!(push.run(&[update(1, 1)]).await, [Ok(Pushed { reached: 701, ..Pushed::default() })]);
        assert!((0..701).all(|n| heard(&push, n) == [text("1:1")]));
    }
}
