//! Subscribe a connection to changes, and send it what it missed.
//!
//! A subscription is registered first, then the orders are read, strongly consistent. A change that was committed before is
//! in what was read; one that is committed later finds the subscription. So none is missed, though some come twice, or
//! before what was missed.

use std::time::Duration;

use futures_util::stream::{self, StreamExt, TryStreamExt};

use super::{GetOrderError, get_order};
use crate::caller::{Caller, Forbidden, Scope};
use crate::event::new_events;
use crate::id::{CustomerId, OrderId};
use crate::order::Order;
use crate::ports::{
    Clock, Message, OrderKey, OrderStore, PostError, RecentChanges, Sockets, StoreError, Subscriptions,
};
use crate::subscription::{ConnectionId, Subscription, SubscriptionKey};
use crate::timestamp::Timestamp;

/// A connection subscribes to no more than this.
pub const MOST_SUBSCRIPTIONS: usize = 100;

/// Of so many orders what was missed is sent at a time.
const REPLAYED_AT_ONCE: usize = 8;

/// So many subscriptions are forgotten at a time.
const FORGOTTEN_AT_ONCE: usize = 16;

/// What was noted so long before the connection was lost is sent again: it may have been on its way, and clocks differ.
const MARGIN: Duration = Duration::from_secs(60);

/// Recent changes are remembered for so long; nobody is connected for longer than two hours.
const REMEMBERED: Duration = Duration::from_secs(3 * 3600);

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
    /// The changes of all orders that the caller may see; with `missed`, also those of this time until now.
    All {
        /// Of this customer alone.
        customer: Option<CustomerId>,
        /// How long ago the client was certainly connected.
        missed: Option<Duration>,
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
    /// What it missed could not be sent.
    #[error(transparent)]
    Post(#[from] PostError),
    /// The table failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl<O: OrderStore, T: Subscriptions + RecentChanges, S: Sockets, C: Clock> Subscribe<O, T, S, C> {
    /// Registers the subscription, sends what was missed, then says that it is all.
    ///
    /// # Errors
    /// [`SubscribeError`]. After [`SubscribeError::Post`] the connection was closed as far as it could be.
    pub async fn run(&self, request: &SubscribeRequest) -> Result<(), SubscribeError> {
        request.caller.require(Scope::Read)?;
        // Boxed, or the compiler gives up on the depth of nested futures.
        let subscribed = match &request.wanted {
            Wanted::Order { id, after } => Box::pin(self.to_order(request, *id, *after)).await,
            Wanted::All { customer, missed } => Box::pin(self.to_all(request, customer.as_ref(), *missed)).await,
        };
        if let Err(SubscribeError::Post(PostError::Failed(_))) = subscribed {
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
    /// then what the caller missed.
    async fn to_order(
        &self,
        request: &SubscribeRequest,
        id: OrderId,
        after: Option<u64>,
    ) -> Result<(), SubscribeError> {
        get_order(&self.orders, &request.caller, id).await?;
        self.register(request, order_key(&request.caller, id)).await?;
        let order = get_order(&self.orders, &request.caller, id).await?;
        if let Some(after) = after {
            self.replay(&request.connection, &order, after).await?;
        }
        self.confirm(request, Some((id, order.version))).await
    }

    async fn to_all(
        &self,
        request: &SubscribeRequest,
        customer: Option<&CustomerId>,
        missed: Option<Duration>,
    ) -> Result<(), SubscribeError> {
        if customer.is_some_and(|customer| !request.caller.may_act_for(customer)) {
            return Err(Forbidden::OtherCustomer.into());
        }
        let key = key_of_all(&request.caller, customer);
        self.register(request, key.clone()).await?;
        if let Some(missed) = missed {
            self.replay_recent(request, &key, missed).await?;
        }
        self.confirm(request, None).await
    }

    async fn register(&self, request: &SubscribeRequest, key: SubscriptionKey) -> Result<(), SubscribeError> {
        let present = self.table.of_connection(&request.connection).await?;
        if present.len() >= MOST_SUBSCRIPTIONS && !present.contains(&key) {
            return Err(SubscribeError::TooMany);
        }
        let SubscribeRequest { caller, connection, expires_at, .. } = request;
        let (confined_to, connection) = (caller.customer.clone(), connection.clone());
        Ok(self.table.add(&Subscription { key, connection, confined_to, expires_at: *expires_at }).await?)
    }

    async fn replay_recent(
        &self,
        request: &SubscribeRequest,
        key: &SubscriptionKey,
        missed: Duration,
    ) -> Result<(), SubscribeError> {
        let from = self.clock.now().minus(missed.saturating_add(MARGIN));
        let recent = self.table.since(key, from).await?;
        if !recent.is_whole || missed.saturating_add(MARGIN) > REMEMBERED {
            return Ok(self.sockets.post(&request.connection, Message::MissedTooMuch).await?);
        }
        let replays = stream::iter(recent.orders).map(|(id, first)| async move {
            let order = self.orders.get(&request.caller.tenant, id).await?;
            match order.filter(|order| request.caller.may_act_for(&order.customer.id)) {
                Some(order) => Box::pin(self.replay(&request.connection, &order, first.saturating_sub(1))).await,
                None => Ok(()),
            }
        });
        replays.buffer_unordered(REPLAYED_AT_ONCE).try_collect().await
    }

    /// Sends the events of all versions after this one, and which of them are gone.
    async fn replay(&self, connection: &ConnectionId, order: &Order, after: u64) -> Result<(), SubscribeError> {
        let first = order.history.first().map_or(order.version + 1, |entry| entry.version);
        if after < order.version && after + 1 < first {
            let missed = Message::Missed { order: order.id, from: after + 1, to: first - 1 };
            self.sockets.post(connection, missed).await?;
        }
        for event in new_events(after, order) {
            self.sockets.post(connection, Message::Event(event)).await?;
        }
        Ok(())
    }

    async fn confirm(&self, request: &SubscribeRequest, order: Option<(OrderId, u64)>) -> Result<(), SubscribeError> {
        let message = Message::Subscribed { order, expires_at: request.expires_at };
        Ok(self.sockets.post(&request.connection, message).await?)
    }
}

/// Forgets all that a connection subscribes to.
///
/// # Errors
/// [`StoreError`]; what is left is found gone at its next update, and expires.
pub async fn forget_connection(table: &impl Subscriptions, connection: &ConnectionId) -> Result<(), StoreError> {
    let keys = table.of_connection(connection).await?;
    let removals = stream::iter(keys).map(|key| async move { table.remove(&key, connection).await });
    removals.buffer_unordered(FORGOTTEN_AT_ONCE).try_collect().await
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
