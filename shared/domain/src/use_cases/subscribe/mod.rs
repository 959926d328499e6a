//! Subscribe a connection to changes, and send it what it missed.
//!
//! A subscription is registered first, then the orders are read, strongly consistent. A change that was committed before is
//! in what was read; one that is committed later finds the subscription. So none is missed, though some come twice, or
//! before what was missed.

mod replay;

use std::time::Duration;

use futures_util::stream::{self, StreamExt, TryStreamExt};

use super::{GetOrderError, get_order};
use crate::caller::{Caller, Forbidden, Scope};
use crate::id::{CustomerId, OrderId};
use crate::order::Order;
use crate::ports::{
    Clock, Connected, Message, OrderKey, OrderStore, PostError, RecentChanges, Sockets, StoreError, Subjects,
    Subscriptions,
};
use crate::subscription::{ConnectionId, Subject, Subscription, SubscriptionKey};
use crate::timestamp::Timestamp;

/// A connection subscribes to no more than this.
pub const MOST_SUBSCRIPTIONS: usize = 100;

/// What was missed is sent to a subject no more often in a minute.
pub const MOST_REPLAYS: u32 = 300;

/// A connection lasts no longer.
const CONNECTED: Duration = Duration::from_secs(2 * 3600);

/// So many subscriptions are forgotten at a time.
const FORGOTTEN_AT_ONCE: usize = 16;

/// After the last subscription of a storefront its changes are noted for so long: as long as its connection can last, and then as
/// long as its client can resume.
const NOTED: Duration = Duration::from_secs(5 * 3600);

/// The use case and the ports it needs.
#[derive(Debug, Clone)]
pub struct Subscribe<O, T, S, C> {
    /// Where orders are kept.
    pub orders: O,
    /// Who subscribes, and what changed lately.
    pub table: T,
    /// The open connections.
    pub sockets: S,
    /// The time.
    pub clock: C,
    /// A subject of a storefront has no more connections that subscribe.
    pub most_connections: usize,
}

/// A connection's wish.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubscribeRequest {
    /// Who is connected.
    pub caller: Caller,
    /// Where.
    pub connection: ConnectionId,
    /// When the caller's token expires.
    pub expires_at: Timestamp,
    /// What it wants to be told of.
    pub wanted: Wanted,
}

/// What a connection wants to be told of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wanted {
    /// The changes of one order; with `after`, also those later than this version that were made already.
    Order {
        /// The order.
        id: OrderId,
        /// The last version that the client has.
        after: Option<u64>,
    },
    /// The changes of all orders that the caller may see; with `since`, also those from then until now.
    All {
        /// Of this customer alone.
        customer: Option<CustomerId>,
        /// The last time that this service gave the client over a connection that had caught up.
        since: Option<Timestamp>,
    },
}

impl Wanted {
    /// The order, when it is one.
    #[must_use]
    pub const fn order(&self) -> Option<OrderId> {
        match self {
            Self::Order { id, .. } => Some(*id),
            Self::All { .. } => None,
        }
    }

    /// Whether what was missed is asked for.
    const fn is_replayed(&self) -> bool {
        match self {
            Self::Order { after, .. } => after.is_some(),
            Self::All { since, .. } => since.is_some(),
        }
    }
}

/// Why a connection is not subscribed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SubscribeError {
    /// The token does not allow it.
    #[error(transparent)]
    Forbidden(#[from] Forbidden),
    /// The order cannot be shown.
    #[error(transparent)]
    Order(#[from] GetOrderError),
    /// It subscribes to [`MOST_SUBSCRIPTIONS`] already.
    #[error("the connection has too many subscriptions")]
    TooMany,
    /// The subject of its token has as many other connections as one may have.
    #[error("the subject has too many connections")]
    TooManyConnections,
    /// The subject of its token was sent what it missed [`MOST_REPLAYS`] times within this minute.
    #[error("the subject has too many replays")]
    TooManyReplays,
    /// What it missed could not be sent.
    #[error(transparent)]
    Post(#[from] PostError),
    /// The table failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl<O: OrderStore, T: Subscriptions + Subjects + RecentChanges, S: Sockets, C: Clock> Subscribe<O, T, S, C> {
    /// Registers the subscription, sends what was missed, then says that it is all.
    ///
    /// # Errors
    /// [`SubscribeError`]. After [`SubscribeError::Post`] the connection was closed as far as it could be.
    pub async fn run(&self, request: &SubscribeRequest) -> Result<(), SubscribeError> {
        let begun = self.clock.now();
        request.caller.require(Scope::Read)?;
        if request.wanted.is_replayed() {
            self.count_replay(&request.caller).await?;
        }
        // Boxed, or the compiler gives up on the depth of nested futures.
        let subscribed = match &request.wanted {
            Wanted::Order { id, after } => Box::pin(self.to_order(request, *id, *after)).await,
            Wanted::All { customer, since } => Box::pin(self.to_all(request, customer.as_ref(), *since, begun)).await,
        };
        if let Err(SubscribeError::Post(PostError::Slow)) = subscribed {
            // The client then connects again and resumes. If not even that is possible, it never hears that it is subscribed.
            self.sockets.close(&request.connection).await?;
        }
        subscribed
    }

    /// Ends a subscription.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn cancel(&self, request: &SubscribeRequest) -> Result<(), StoreError> {
        let key = match &request.wanted {
            Wanted::Order { id, .. } => order_key(&request.caller, *id),
            Wanted::All { customer, .. } => key_of_all(&request.caller, customer.as_ref()),
        };
        self.table.remove(&key, &request.connection).await
    }

    /// The order is read twice: first whether the caller may see it, so that nobody is registered for what is not theirs,
    /// then what the caller missed. Who followed an order that was deleted meanwhile is told so.
    async fn to_order(
        &self,
        request: &SubscribeRequest,
        id: OrderId,
        after: Option<u64>,
    ) -> Result<(), SubscribeError> {
        self.order(&request.caller, id, after).await?;
        let key = order_key(&request.caller, id);
        self.register(request, key.clone()).await?;
        let at = self.clock.now();
        let order = match self.order(&request.caller, id, after).await {
            Ok(order) => order,
            Err(error) => {
                self.table.remove(&key, &request.connection).await?;
                return Err(error.into());
            }
        };
        if let Some(after) = after {
            self.replay(&request.connection, &order, after).await?;
        }
        self.confirm(request, Some((id, order.version)), at).await
    }

    /// An order that the caller may see. One that was deleted is shown only to who has a version of it.
    async fn order(&self, caller: &Caller, id: OrderId, after: Option<u64>) -> Result<Order, GetOrderError> {
        if after.is_none() {
            return get_order(&self.orders, caller, id).await;
        }
        let order = self.orders.get(&caller.tenant, id).await?;
        let order = order.filter(|order| !order.is_erased() && caller.may_act_for(&order.customer.id));
        order.ok_or(GetOrderError::NotFound)
    }

    async fn to_all(
        &self,
        request: &SubscribeRequest,
        customer: Option<&CustomerId>,
        since: Option<Timestamp>,
        begun: Timestamp,
    ) -> Result<(), SubscribeError> {
        if customer.is_some_and(|customer| !request.caller.may_act_for(customer)) {
            return Err(Forbidden::OtherCustomer.into());
        }
        let key = key_of_all(&request.caller, customer);
        self.register(request, key.clone()).await?;
        let at = self.clock.now();
        if let Some(since) = since {
            self.replay_all(request, &key, since.min(at), begun).await?;
        }
        self.confirm(request, None, at).await
    }

    async fn register(&self, request: &SubscribeRequest, key: SubscriptionKey) -> Result<(), SubscribeError> {
        let present = self.table.of_connection(&request.connection).await?;
        if present.keys.len() >= MOST_SUBSCRIPTIONS && !present.keys.contains(&key) {
            return Err(SubscribeError::TooMany);
        }
        if present.subject.is_none() {
            self.count_connection(request).await?;
        }
        let SubscribeRequest { caller, connection, expires_at, .. } = request;
        let now = self.clock.now();
        self.table.keep(&caller.tenant, now, now.plus(NOTED)).await?;
        let subscription = Subscription {
            key,
            connection: connection.clone(),
            subject: Some(subject(caller)),
            confined_to: caller.customer.clone(),
            expires_at: *expires_at,
        };
        Ok(self.table.add(&subscription).await?)
    }

    /// A connection is counted once it subscribes: before, it costs nobody anything.
    async fn count_connection(&self, request: &SubscribeRequest) -> Result<(), SubscribeError> {
        let SubscribeRequest { caller, connection, expires_at, .. } = request;
        let (now, most) = (self.clock.now(), self.most_connections);
        let until = now.plus(CONNECTED).min(*expires_at);
        let is_counted = self.table.count_connection(&subject(caller), connection, now, until, most).await?;
        if is_counted { Ok(()) } else { Err(SubscribeError::TooManyConnections) }
    }

    async fn count_replay(&self, caller: &Caller) -> Result<(), SubscribeError> {
        let now = self.clock.now().as_secs();
        let minute = Timestamp::from_secs(now - now % 60);
        let is_counted = self.table.count_replay(&subject(caller), minute, MOST_REPLAYS).await?;
        if is_counted { Ok(()) } else { Err(SubscribeError::TooManyReplays) }
    }

    /// `at` is a time after the subscription was registered and before anything was read: of what is noted later, the
    /// subscriber is told.
    async fn confirm(
        &self,
        request: &SubscribeRequest,
        order: Option<(OrderId, u64)>,
        at: Timestamp,
    ) -> Result<(), SubscribeError> {
        let message = Message::Subscribed { order, at, expires_at: request.expires_at };
        Ok(self.sockets.post(&request.connection, message).await?)
    }
}

/// Forgets a connection and all that it subscribes to.
///
/// # Errors
/// [`StoreError`]; what is left is found gone at its next update, and expires.
pub async fn forget_connection(
    table: &(impl Subscriptions + Subjects),
    connection: &ConnectionId,
) -> Result<(), StoreError> {
    let Connected { subject, keys } = table.of_connection(connection).await?;
    let removals = stream::iter(keys).map(|key| async move { table.remove(&key, connection).await });
    let removed: Result<(), StoreError> = removals.buffer_unordered(FORGOTTEN_AT_ONCE).try_collect().await;
    if let Some(subject) = subject {
        table.discount_connection(&subject, connection).await?;
    }
    removed
}

fn subject(caller: &Caller) -> Subject {
    Subject { tenant: caller.tenant.clone(), name: caller.subject.clone() }
}

fn order_key(caller: &Caller, id: OrderId) -> SubscriptionKey {
    SubscriptionKey::Order(OrderKey { tenant: caller.tenant.clone(), id })
}

/// All orders of the customer that is asked for, or that the token is confined to, or of the storefront.
fn key_of_all(caller: &Caller, customer: Option<&CustomerId>) -> SubscriptionKey {
    match customer.or(caller.customer.as_ref()) {
        Some(customer) => SubscriptionKey::Customer(caller.tenant.clone(), customer.clone()),
        None => SubscriptionKey::Tenant(caller.tenant.clone()),
    }
}

#[cfg(test)]
mod tests;
