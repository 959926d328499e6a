//! Subscriptions, recent changes and open connections in memory.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use super::lock;
use crate::id::{OrderId, TenantId};
use crate::ports::{Message, PostError, Recent, RecentChanges, Sockets, StoreError, SubscriptionPage, Subscriptions};
use crate::subscription::{ConnectionId, Subscription, SubscriptionKey, Update};
use crate::timestamp::Timestamp;

/// Two subscriptions a page, so that every list has many.
const PAGE: usize = 2;

/// Subscriptions and recent changes.
#[derive(Debug, Clone, Default)]
pub struct MemorySubscriptions {
    kept: Arc<Mutex<BTreeMap<(SubscriptionKey, ConnectionId), Subscription>>>,
    noted: Arc<Mutex<Vec<Noted>>>,
    /// Since when, and until when, changes are remembered.
    remembered: Arc<Mutex<BTreeMap<TenantId, (Timestamp, Timestamp)>>>,
}

#[derive(Debug, Clone)]
struct Noted {
    at: Timestamp,
    keys: [SubscriptionKey; 3],
    order: OrderId,
    version: u64,
}

impl MemorySubscriptions {
    /// How many are kept.
    #[must_use]
    pub fn len(&self) -> usize {
        lock(&self.kept).len()
    }

    /// Whether none is kept.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Subscriptions for MemorySubscriptions {
    async fn add(&self, subscription: &Subscription) -> Result<(), StoreError> {
        let key = (subscription.key.clone(), subscription.connection.clone());
        lock(&self.kept).insert(key, subscription.clone());
        Ok(())
    }

    async fn remove(&self, key: &SubscriptionKey, connection: &ConnectionId) -> Result<(), StoreError> {
        lock(&self.kept).remove(&(key.clone(), connection.clone()));
        Ok(())
    }

    async fn of_connection(&self, connection: &ConnectionId) -> Result<Vec<SubscriptionKey>, StoreError> {
        let kept = lock(&self.kept);
        let own = kept.keys().filter(|(_, of)| of == connection);
        Ok(own.map(|(key, _)| key.clone()).collect())
    }

    async fn page(&self, key: &SubscriptionKey, after: Option<&ConnectionId>) -> Result<SubscriptionPage, StoreError> {
        let kept = lock(&self.kept);
        let mut rest =
            kept.values().filter(|kept| kept.key == *key && after.is_none_or(|after| kept.connection > *after));
        let subscriptions: Vec<Subscription> = rest.by_ref().take(PAGE).cloned().collect();
        let next = rest.next().and_then(|_| subscriptions.last().map(|last| last.connection.clone()));
        Ok(SubscriptionPage { subscriptions, next })
    }
}

impl RecentChanges for MemorySubscriptions {
    async fn keep(&self, tenant: &TenantId, now: Timestamp, until: Timestamp) -> Result<(), StoreError> {
        let since = self.kept_since(tenant, now).await?.unwrap_or(now);
        lock(&self.remembered).insert(tenant.clone(), (since, until));
        Ok(())
    }

    async fn kept_since(&self, tenant: &TenantId, now: Timestamp) -> Result<Option<Timestamp>, StoreError> {
        let remembered = lock(&self.remembered).get(tenant).copied();
        Ok(remembered.filter(|(_, until)| *until > now).map(|(since, _)| since))
    }

    async fn note(&self, update: &Update, at: Timestamp) -> Result<(), StoreError> {
        let noted = Noted { at, keys: update.keys(), order: update.order.id, version: update.version };
        lock(&self.noted).push(noted);
        Ok(())
    }

    async fn since(&self, key: &SubscriptionKey, from: Timestamp) -> Result<Recent, StoreError> {
        let noted = lock(&self.noted);
        let mut orders = BTreeMap::<OrderId, u64>::new();
        for noted in noted.iter().filter(|noted| noted.at >= from && noted.keys.contains(key)) {
            let first = orders.entry(noted.order).or_insert(noted.version);
            *first = noted.version.min(*first);
        }
        let is_whole = orders.len() <= Recent::MOST;
        Ok(Recent { orders, is_whole })
    }
}

/// What a connection was told, shortly.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Heard {
    /// The event of this order, version and place.
    Event(OrderId, u64, usize),
    /// Text that was made already.
    Text(String),
    /// Versions are gone.
    Missed(OrderId, u64, u64),
    /// Too much was missed.
    MissedTooMuch,
    /// It is subscribed, to an order of this version.
    Subscribed(Option<(OrderId, u64)>),
}

/// Open connections, those that hang, and those that are closed.
#[derive(Debug, Clone, Default)]
pub struct MemorySockets {
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    heard: BTreeMap<ConnectionId, Vec<Heard>>,
    hanging: BTreeSet<ConnectionId>,
    gone: BTreeSet<ConnectionId>,
    is_down: bool,
}

impl MemorySockets {
    /// What a connection was told, in order.
    #[must_use]
    pub fn heard(&self, connection: &ConnectionId) -> Vec<Heard> {
        lock(&self.state).heard.get(connection).cloned().unwrap_or_default()
    }

    /// Whether the connection is closed.
    #[must_use]
    pub fn is_gone(&self, connection: &ConnectionId) -> bool {
        lock(&self.state).gone.contains(connection)
    }

    /// Has a connection closed by its client.
    pub fn drop_connection(&self, connection: &ConnectionId) {
        lock(&self.state).gone.insert(connection.clone());
    }

    /// Has a connection take nothing any more, though it can be closed.
    pub fn hang(&self, connection: &ConnectionId) {
        lock(&self.state).hanging.insert(connection.clone());
    }

    /// Has nothing reach any connection, or everything again.
    pub fn set_down(&self, is_down: bool) {
        lock(&self.state).is_down = is_down;
    }
}

impl State {
    fn reach(&self, connection: &ConnectionId) -> Result<(), PostError> {
        if self.is_down {
            return Err(PostError::Unavailable("switched off".to_owned()));
        }
        if self.gone.contains(connection) { Err(PostError::Gone) } else { Ok(()) }
    }
}

impl Sockets for MemorySockets {
    async fn post(&self, connection: &ConnectionId, message: Message<'_>) -> Result<(), PostError> {
        let mut state = lock(&self.state);
        state.reach(connection)?;
        if state.hanging.contains(connection) {
            return Err(PostError::Slow);
        }
        let heard = match message {
            Message::Event(event) => Heard::Event(event.id.order, event.id.version, event.id.index),
            Message::Text(text) => Heard::Text(text.to_owned()),
            Message::Missed { order, from, to } => Heard::Missed(order, from, to),
            Message::MissedTooMuch => Heard::MissedTooMuch,
            Message::Subscribed { order, .. } => Heard::Subscribed(order),
        };
        state.heard.entry(connection.clone()).or_default().push(heard);
        Ok(())
    }

    async fn close(&self, connection: &ConnectionId) -> Result<(), PostError> {
        let mut state = lock(&self.state);
        state.reach(connection)?;
        state.gone.insert(connection.clone());
        Ok(())
    }
}
