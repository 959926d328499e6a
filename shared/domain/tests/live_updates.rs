//! A subscriber misses no version, whatever happens between its subscription and the updates that are pushed meanwhile.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use std::collections::BTreeSet;
use std::future::poll_fn;
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::time::Duration;

use domain::details::{Edit, Patch};
use domain::id::TenantId;
use domain::memory::{FixedClock, Heard, MemorySockets, MemoryStore, MemorySubscriptions, sample};
use domain::order::Order;
use domain::ports::{
    Clock, Condition, Connected, Message, Noted, NotedPage, OrderKey, OrderStore, PostError, RecentChanges, Sockets,
    StoreError, Subjects, SubscriptionPage, Subscriptions,
};
use domain::subscription::{ConnectionId, Subject, Subscription, SubscriptionKey, Update};
use domain::text::Text;
use domain::timestamp::Timestamp;
use domain::use_cases::{GetOrderError, PushUpdates, Subscribe, SubscribeError, SubscribeRequest, Wanted};
use futures_util::future::join;

/// A port whose calls take a while, by chance: others come in between, before and after each.
#[derive(Clone)]
struct Slow<T>(T, Chance);

#[derive(Clone)]
struct Chance(Arc<Mutex<fastrand::Rng>>);

impl Chance {
    fn new(seed: u64) -> Self {
        Self(Arc::new(Mutex::new(fastrand::Rng::with_seed(seed))))
    }

    /// Lets others go first, up to three times.
    async fn wait(&self) {
        let turns = self.0.lock().unwrap().usize(..4);
        for _ in 0..turns {
            let mut is_over = false;
            poll_fn(|context| {
                if std::mem::replace(&mut is_over, true) {
                    return Poll::Ready(());
                }
                context.waker().wake_by_ref();
                Poll::Pending
            })
            .await;
        }
    }
}

impl<T: Subscriptions> Subscriptions for Slow<T> {
    async fn add(&self, subscription: &Subscription) -> Result<(), StoreError> {
        self.1.wait().await;
        self.0.add(subscription).await?;
        self.1.wait().await;
        Ok(())
    }

    async fn remove(&self, key: &SubscriptionKey, connection: &ConnectionId) -> Result<(), StoreError> {
        self.0.remove(key, connection).await
    }

    async fn of_connection(&self, connection: &ConnectionId) -> Result<Connected, StoreError> {
        self.1.wait().await;
        self.0.of_connection(connection).await
    }

    async fn page(&self, key: &SubscriptionKey, after: Option<&ConnectionId>) -> Result<SubscriptionPage, StoreError> {
        self.1.wait().await;
        let page = self.0.page(key, after).await;
        self.1.wait().await;
        page
    }
}

impl<T: Subjects> Subjects for Slow<T> {
    async fn count_connection(
        &self,
        subject: &Subject,
        connection: &ConnectionId,
        now: Timestamp,
        until: Timestamp,
        most: usize,
    ) -> Result<bool, StoreError> {
        self.1.wait().await;
        self.0.count_connection(subject, connection, now, until, most).await
    }

    async fn discount_connection(&self, subject: &Subject, connection: &ConnectionId) -> Result<(), StoreError> {
        self.0.discount_connection(subject, connection).await
    }

    async fn count_replay(&self, subject: &Subject, minute: Timestamp, most: u32) -> Result<bool, StoreError> {
        self.1.wait().await;
        self.0.count_replay(subject, minute, most).await
    }
}

impl<T: RecentChanges> RecentChanges for Slow<T> {
    async fn keep(&self, tenant: &TenantId, now: Timestamp, until: Timestamp) -> Result<(), StoreError> {
        self.1.wait().await;
        self.0.keep(tenant, now, until).await?;
        self.1.wait().await;
        Ok(())
    }

    async fn kept_since(&self, tenant: &TenantId, now: Timestamp) -> Result<Option<Timestamp>, StoreError> {
        self.1.wait().await;
        let since = self.0.kept_since(tenant, now).await;
        self.1.wait().await;
        since
    }

    async fn note(&self, update: &Update, at: Timestamp) -> Result<(), StoreError> {
        self.1.wait().await;
        self.0.note(update, at).await
    }

    async fn newest(&self, key: &SubscriptionKey) -> Result<Option<Noted>, StoreError> {
        self.1.wait().await;
        let newest = self.0.newest(key).await;
        self.1.wait().await;
        newest
    }

    async fn noted(
        &self,
        key: &SubscriptionKey,
        from: Timestamp,
        newest: Noted,
        after: Option<Noted>,
    ) -> Result<NotedPage, StoreError> {
        let page = self.0.noted(key, from, newest, after).await;
        self.1.wait().await;
        page
    }
}

impl<T: Sockets> Sockets for Slow<T> {
    async fn post(&self, connection: &ConnectionId, message: Message<'_>) -> Result<(), PostError> {
        self.1.wait().await;
        self.0.post(connection, message).await
    }

    async fn close(&self, connection: &ConnectionId) -> Result<(), PostError> {
        self.0.close(connection).await
    }
}

fn noon() -> FixedClock {
    FixedClock(sample::stamp(43_200).at)
}

/// A service with one order, and a subscriber.
struct World {
    subscribing: Subscribe<MemoryStore, Slow<MemorySubscriptions>, Slow<MemorySockets>, FixedClock>,
    chance: Chance,
}

impl World {
    async fn new(seed: u64) -> Self {
        let chance = Chance::new(seed);
        let table = Slow(MemorySubscriptions::default(), chance.clone());
        let sockets = Slow(MemorySockets::default(), chance.clone());
        let orders = MemoryStore::default();
        orders.insert(&sample::order()).await.unwrap();
        Self { subscribing: Subscribe { orders, table, sockets, clock: noon(), most_connections: 1 }, chance }
    }

    /// Ships the order over and over: each version is committed, and pushed some time later.
    async fn change(&self, versions: std::ops::Range<u32>) {
        let Subscribe { orders, table, sockets, clock, .. } = &self.subscribing;
        let push = PushUpdates { table: table.clone(), sockets: sockets.clone(), clock: *clock };
        for n in versions {
            self.chance.wait().await;
            let before = orders.get(&sample::tenant(), sample::order_id(1)).await.unwrap().unwrap();
            let after = changed(&before, n);
            orders.update(&before, &after, Condition::Version).await.unwrap();
            self.chance.wait().await;
            push.run(&[update(&after)]).await.remove(0).unwrap();
        }
    }

    /// Deletes the order.
    async fn delete(&self) {
        self.chance.wait().await;
        let orders = &self.subscribing.orders;
        let before = orders.get(&sample::tenant(), sample::order_id(1)).await.unwrap().unwrap();
        let deleted = before.delete(Duration::from_secs(60), sample::stamp(2)).unwrap();
        orders.update(&before, &deleted, Condition::Version).await.unwrap();
    }

    async fn subscribe(&self, wanted: Wanted) {
        self.try_subscribe(wanted).await.unwrap();
    }

    async fn try_subscribe(&self, wanted: Wanted) -> Result<(), SubscribeError> {
        self.chance.wait().await;
        let expires_at = noon().now().plus(Duration::from_secs(60));
        let request = SubscribeRequest { caller: sample::caller(), connection: connection(), expires_at, wanted };
        self.subscribing.run(&request).await
    }

    /// The versions that the subscriber heard of, told by when: before, or after it was subscribed.
    fn versions(&self) -> (BTreeSet<u64>, Vec<u64>) {
        let heard = self.subscribing.sockets.0.heard(&connection());
        let subscribed = heard.iter().position(|heard| matches!(heard, Heard::Subscribed(_))).unwrap();
        let version = |heard: &Heard| match heard {
            Heard::Event(_, version, _) => Some(*version),
            Heard::Text(text) => Some(text.parse().unwrap()),
            Heard::Missed(..) | Heard::MissedTooMuch | Heard::Subscribed(_) => None,
        };
        let (before, after) = heard.split_at(subscribed);
        (before.iter().filter_map(version).collect(), after.iter().filter_map(version).collect())
    }
}

fn connection() -> ConnectionId {
    ConnectionId::parse("L0SM9cOFvHcCIhw=").unwrap()
}

fn changed(order: &Order, n: u32) -> Order {
    let edit = Edit { notes: Patch::Set(Text::parse(format!("note {n}")).unwrap()), ..Default::default() };
    order.edit(&edit, None, sample::stamp(n)).unwrap().unwrap()
}

fn update(order: &Order) -> Update {
    Update {
        order: OrderKey { tenant: order.tenant.clone(), id: order.id },
        customer: order.customer.id.clone(),
        version: order.version,
        committed_at: noon().now(),
        message: order.version.to_string(),
    }
}

/// Whatever came before `subscribed` is taken together, in the order of versions; from then on each follows the last.
fn assert_all(world: &World, from: u64, to: u64, seed: u64) {
    let (mut before, after) = world.versions();
    before.retain(|version| *version >= from);
    let mut last = from - 1;
    for version in before.into_iter().chain(after) {
        assert!(version <= last + 1, "seed {seed}: after {last} comes {version}");
        last = last.max(version);
    }
    assert_eq!(last, to, "seed {seed}");
}

#[tokio::test]
async fn who_subscribes_to_an_order_while_it_changes_misses_nothing() {
    for seed in 0..5_000 {
        let world = World::new(seed).await;
        world.change(2..4).await;
        let wanted = Wanted::Order { id: sample::order_id(1), after: Some(2) };
        join(world.change(4..8), world.subscribe(wanted)).await;
        assert_all(&world, 3, 7, seed);
    }
}

#[tokio::test]
async fn who_subscribes_to_all_orders_while_one_changes_misses_nothing() {
    for seed in 0..5_000 {
        let world = World::new(seed).await;
        let (since, until) = (sample::stamp(0).at, noon().now().plus(Duration::from_secs(60)));
        world.subscribing.table.0.keep(&sample::tenant(), since, until).await.unwrap();
        world.change(2..4).await;
        let wanted = Wanted::All { customer: None, since: Some(noon().now().minus(Duration::from_secs(1))) };
        join(world.change(4..8), world.subscribe(wanted)).await;
        assert_all(&world, 3, 7, seed);
    }
}

#[tokio::test]
async fn who_is_refused_since_the_order_was_deleted_meanwhile_is_not_registered() {
    let (mut subscribed, mut refused) = (0, 0);
    for seed in 0..500 {
        let world = World::new(seed).await;
        let wanted = Wanted::Order { id: sample::order_id(1), after: None };
        let (outcome, ()) = join(world.try_subscribe(wanted), world.delete()).await;
        let is_subscribed = match outcome {
            Ok(()) => true,
            Err(SubscribeError::Order(GetOrderError::NotFound)) => false,
            Err(error) => panic!("seed {seed}: {error}"),
        };
        assert_eq!(!world.subscribing.table.0.is_empty(), is_subscribed, "seed {seed}");
        *(if is_subscribed { &mut subscribed } else { &mut refused }) += 1;
    }
    assert!(subscribed > 0 && refused > 0, "{subscribed} were subscribed, {refused} were refused");
}
