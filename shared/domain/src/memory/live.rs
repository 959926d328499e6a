//! Subscriptions, recent changes and open connections in memory.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use super::lock;
use crate::id::{OrderId, TenantId};
use crate::ports::{
    Connected, Message, Noted, NotedPage, PostError, RecentChanges, Sockets, StoreError, Subjects, SubscriptionPage,
    Subscriptions,
};
use crate::subscription::{ConnectionId, Subject, Subscription, SubscriptionKey, Update};
use crate::timestamp::Timestamp;

/// Two subscriptions or changes a page, so that every list has many.
const PAGE: usize = 2;

/// Subscriptions and recent changes.
#[derive(Debug, Clone, Default)]
pub struct MemorySubscriptions {
    kept: Arc<Mutex<BTreeMap<(SubscriptionKey, ConnectionId), Subscription>>>,
    noted: Arc<Mutex<BTreeSet<(SubscriptionKey, Noted)>>>,
    /// Since when, and until when, changes are remembered.
    remembered: Arc<Mutex<BTreeMap<TenantId, (Timestamp, Timestamp)>>>,
    /// The connections of subjects, and until when they are counted.
    connected: Arc<Mutex<BTreeMap<(Subject, ConnectionId), Timestamp>>>,
    /// The replays of subjects in a minute.
    replays: Arc<Mutex<BTreeMap<(Subject, Timestamp), u32>>>,
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

    async fn of_connection(&self, connection: &ConnectionId) -> Result<Connected, StoreError> {
        let (kept, connected) = (lock(&self.kept), lock(&self.connected));
        let own = kept.keys().filter(|(_, of)| of == connection);
        let subject = connected.keys().find(|(_, of)| of == connection).map(|(subject, _)| subject.clone());
        Ok(Connected { subject, keys: own.map(|(key, _)| key.clone()).collect() })
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

impl Subjects for MemorySubscriptions {
    async fn count_connection(
        &self,
        subject: &Subject,
        connection: &ConnectionId,
        now: Timestamp,
        until: Timestamp,
        most: usize,
    ) -> Result<bool, StoreError> {
        let mut connected = lock(&self.connected);
        let others =
            connected.iter().filter(|((of, other), until)| of == subject && other != connection && **until > now);
        let is_counted = others.count() < most;
        if is_counted {
            connected.insert((subject.clone(), connection.clone()), until);
        }
        Ok(is_counted)
    }

    async fn discount_connection(&self, subject: &Subject, connection: &ConnectionId) -> Result<(), StoreError> {
        lock(&self.connected).remove(&(subject.clone(), connection.clone()));
        Ok(())
    }

    async fn count_replay(&self, subject: &Subject, minute: Timestamp, most: u32) -> Result<bool, StoreError> {
        let mut replays = lock(&self.replays);
        let count = replays.entry((subject.clone(), minute)).or_default();
        let is_counted = *count < most;
        *count += u32::from(is_counted);
        Ok(is_counted)
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
        let noted = Noted { at, order: update.order.id, version: update.version };
        lock(&self.noted).extend(update.keys().map(|key| (key, noted)));
        Ok(())
    }

    async fn newest(&self, key: &SubscriptionKey) -> Result<Option<Noted>, StoreError> {
        let noted = lock(&self.noted);
        Ok(noted.iter().rfind(|(of, _)| of == key).map(|(_, noted)| *noted))
    }

    async fn noted(
        &self,
        key: &SubscriptionKey,
        from: Timestamp,
        newest: Noted,
        after: Option<Noted>,
    ) -> Result<NotedPage, StoreError> {
        let noted = lock(&self.noted);
        let own = noted.iter().filter(|(of, _)| of == key).map(|(_, noted)| *noted);
        let mut rest =
            own.filter(|noted| noted.at >= from && *noted <= newest && after.is_none_or(|after| *noted > after));
        let changes: Vec<Noted> = rest.by_ref().take(PAGE).collect();
        let next = rest.next().and_then(|_| changes.last().copied());
        Ok(NotedPage { changes, next })
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
    /// How many more messages a connection takes.
    takes: BTreeMap<ConnectionId, usize>,
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
        self.hang_after(connection, 0);
    }

    /// Has a connection take so many more messages, and then nothing.
    pub fn hang_after(&self, connection: &ConnectionId, messages: usize) {
        lock(&self.state).takes.insert(connection.clone(), messages);
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
        if let Some(takes) = state.takes.get_mut(connection) {
            *takes = takes.checked_sub(1).ok_or(PostError::Slow)?;
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
