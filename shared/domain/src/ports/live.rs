//! Who is connected, what they subscribe to, and how they are told.

use crate::event::Event;
use crate::id::{OrderId, TenantId};
use crate::ports::StoreError;
use crate::subscription::{ConnectionId, Subject, Subscription, SubscriptionKey, Update};
use crate::timestamp::Timestamp;

/// Keeps what connections subscribe to, until their tokens expire.
pub trait Subscriptions: Send + Sync {
    /// Keeps a subscription; one that is kept already is replaced.
    ///
    /// # Errors
    /// [`StoreError`]; it may be kept or not.
    fn add(&self, subscription: &Subscription) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Forgets a subscription, if it is kept.
    ///
    /// # Errors
    /// [`StoreError`]; it may be kept or not.
    fn remove(
        &self,
        key: &SubscriptionKey,
        connection: &ConnectionId,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// What a connection subscribes to, and whose it is. It may trail the last writes by a moment.
    ///
    /// # Errors
    /// [`StoreError`] when no answer could be had.
    fn of_connection(&self, connection: &ConnectionId) -> impl Future<Output = Result<Connected, StoreError>> + Send;

    /// Subscriptions of a key, by connection, those that follow `after`.
    ///
    /// MUST NOT miss one that was added before the first page was asked for: who was registered in time is told.
    ///
    /// # Errors
    /// [`StoreError`] when no answer could be had.
    fn page(
        &self,
        key: &SubscriptionKey,
        after: Option<&ConnectionId>,
    ) -> impl Future<Output = Result<SubscriptionPage, StoreError>> + Send;
}

/// What is known of a connection.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Connected {
    /// Whose it is, once it is counted ([`Subjects::count_connection`]).
    pub subject: Option<Subject>,
    /// What it subscribes to.
    pub keys: Vec<SubscriptionKey>,
}

/// Counts what each subject takes, so that a token in wrong hands, or a client that runs wild, takes little from others.
pub trait Subjects: Send + Sync {
    /// Counts an open connection from `now` until `until`, unless `most` others are counted; whether it is. Those that were
    /// counted a moment ago may be overlooked.
    ///
    /// # Errors
    /// [`StoreError`]; it may be counted or not.
    fn count_connection(
        &self,
        subject: &Subject,
        connection: &ConnectionId,
        now: Timestamp,
        until: Timestamp,
        most: usize,
    ) -> impl Future<Output = Result<bool, StoreError>> + Send;

    /// Counts a connection no more.
    ///
    /// # Errors
    /// [`StoreError`]; it may be counted or not.
    fn discount_connection(
        &self,
        subject: &Subject,
        connection: &ConnectionId,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Counts a replay in this minute, unless `most` are counted; whether it is.
    ///
    /// MUST NOT count more than `most`, however many are asked for at the same time.
    ///
    /// # Errors
    /// [`StoreError`]; it may be counted or not.
    fn count_replay(
        &self,
        subject: &Subject,
        minute: Timestamp,
        most: u32,
    ) -> impl Future<Output = Result<bool, StoreError>> + Send;
}

/// A page of subscriptions.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SubscriptionPage {
    /// By connection.
    pub subscriptions: Vec<Subscription>,
    /// What the next page follows; `None`: this is the last.
    pub next: Option<ConnectionId>,
}

/// Remembers for a few hours which orders changed, so that who was disconnected meanwhile learns of all of them. It does so only
/// for storefronts that somebody subscribes to.
pub trait RecentChanges: Send + Sync {
    /// Somebody subscribes: the changes of the storefront are remembered from now on, until `until` at least.
    ///
    /// # Errors
    /// [`StoreError`]; they may be remembered or not.
    fn keep(
        &self,
        tenant: &TenantId,
        now: Timestamp,
        until: Timestamp,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Since when all changes of the storefront are remembered; `None`: nobody subscribes.
    ///
    /// MUST NOT miss what was asked for before.
    ///
    /// # Errors
    /// [`StoreError`] when no answer could be had.
    fn kept_since(
        &self,
        tenant: &TenantId,
        now: Timestamp,
    ) -> impl Future<Output = Result<Option<Timestamp>, StoreError>> + Send;

    /// Remembers that subscribers are about to be told of this, for its customer and its storefront.
    ///
    /// # Errors
    /// [`StoreError`]; it may be remembered or not.
    fn note(&self, update: &Update, at: Timestamp) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// What was noted last of a customer or a storefront.
    ///
    /// MUST NOT miss what was noted before this was asked for.
    ///
    /// # Errors
    /// [`StoreError`] when no answer could be had.
    fn newest(&self, key: &SubscriptionKey) -> impl Future<Output = Result<Option<Noted>, StoreError>> + Send;

    /// What was noted of a customer or a storefront from `from` until `newest`, in this order: what follows `after`.
    ///
    /// MUST NOT miss what was noted before the first page was asked for.
    ///
    /// # Errors
    /// [`StoreError`] when no answer could be had.
    fn noted(
        &self,
        key: &SubscriptionKey,
        from: Timestamp,
        newest: Noted,
        after: Option<Noted>,
    ) -> impl Future<Output = Result<NotedPage, StoreError>> + Send;
}

/// A change that subscribers were about to be told of. It sorts by when.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Noted {
    /// When.
    pub at: Timestamp,
    /// The order.
    pub order: OrderId,
    /// The version that it then had.
    pub version: u64,
}

/// A page of changes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct NotedPage {
    /// By when they were noted.
    pub changes: Vec<Noted>,
    /// What the next page follows; `None`: this is the last.
    pub next: Option<Noted>,
}

/// The connections that are open.
pub trait Sockets: Send + Sync {
    /// Sends a message to a connection, within a few seconds. Messages sent one after the other arrive in this order.
    ///
    /// # Errors
    /// MUST return [`PostError::Gone`] for a connection that is closed; it never opens again.
    fn post(
        &self,
        connection: &ConnectionId,
        message: Message<'_>,
    ) -> impl Future<Output = Result<(), PostError>> + Send;

    /// Closes a connection.
    ///
    /// # Errors
    /// As [`Sockets::post`].
    fn close(&self, connection: &ConnectionId) -> impl Future<Output = Result<(), PostError>> + Send;
}

/// What subscribers are told.
#[derive(Debug, Clone, Copy)]
pub enum Message<'a> {
    /// An event of an order's history.
    Event(Event<'a>),
    /// Text that is made already: an event of the feed, or an answer.
    Text(&'a str),
    /// Versions of an order, both included, that its history has no more.
    Missed {
        /// The order.
        order: OrderId,
        /// The first.
        from: u64,
        /// The last.
        to: u64,
    },
    /// More was missed than is told here: the orders have to be read.
    MissedTooMuch,
    /// What was missed has been sent; from now on changes are sent as they are made.
    Subscribed {
        /// To this, at this version.
        order: Option<(OrderId, u64)>,
        /// Whatever was noted until then has been sent; a client that resumes gives this time.
        at: Timestamp,
        /// When the connection ends.
        expires_at: Timestamp,
    },
}

/// Why a connection did not take a message.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PostError {
    /// It is closed.
    #[error("the connection is gone")]
    Gone,
    /// It took nothing in time: the message may have arrived or not.
    #[error("the connection is slow")]
    Slow,
    /// The gateway fails, whoever is connected. It was asked for some seconds.
    #[error("the gateway takes no messages: {0}")]
    Unavailable(String),
}
