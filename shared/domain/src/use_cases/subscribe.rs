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
const REPLAYED_AT_ONCE: usize = 32;

/// So many subscriptions are forgotten at a time.
const FORGOTTEN_AT_ONCE: usize = 16;

/// What was noted so long before the time that a client gives is sent again: it may have been on its way then, or waited to
/// be pushed once more, which notes it anew.
const MARGIN: Duration = Duration::from_secs(60);

/// Recent changes are remembered for so long; nobody is connected for longer than two hours.
const REMEMBERED: Duration = Duration::from_secs(3 * 3600);

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
            Wanted::All { customer, since } => Box::pin(self.to_all(request, customer.as_ref(), *since)).await,
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
    ) -> Result<(), SubscribeError> {
        if customer.is_some_and(|customer| !request.caller.may_act_for(customer)) {
            return Err(Forbidden::OtherCustomer.into());
        }
        let key = key_of_all(&request.caller, customer);
        self.register(request, key.clone()).await?;
        let at = self.clock.now();
        if let Some(since) = since {
            self.replay_recent(request, &key, since.min(at)).await?;
        }
        self.confirm(request, None, at).await
    }

    async fn register(&self, request: &SubscribeRequest, key: SubscriptionKey) -> Result<(), SubscribeError> {
        let present = self.table.of_connection(&request.connection).await?;
        if present.len() >= MOST_SUBSCRIPTIONS && !present.contains(&key) {
            return Err(SubscribeError::TooMany);
        }
        let SubscribeRequest { caller, connection, expires_at, .. } = request;
        let now = self.clock.now();
        self.table.keep(&caller.tenant, now, now.plus(NOTED)).await?;
        let (confined_to, connection) = (caller.customer.clone(), connection.clone());
        Ok(self.table.add(&Subscription { key, connection, confined_to, expires_at: *expires_at }).await?)
    }

    async fn replay_recent(
        &self,
        request: &SubscribeRequest,
        key: &SubscriptionKey,
        since: Timestamp,
    ) -> Result<(), SubscribeError> {
        let now = self.clock.now();
        let kept_since = self.table.kept_since(&request.caller.tenant, now).await?;
        let recent = self.table.since(key, since.minus(MARGIN)).await?;
        let is_remembered = kept_since.is_some_and(|kept| kept <= since) && since >= now.minus(REMEMBERED);
        if !recent.is_whole || !is_remembered {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::details::{Edit, Patch};
    use crate::id::TenantId;
    use crate::memory::{FixedClock, Heard, MemorySockets, MemoryStore, MemorySubscriptions, sample};
    use crate::ports::Condition;
    use crate::subscription::Update;
    use crate::text::Text;

    fn noon() -> FixedClock {
        FixedClock(sample::stamp(43_200).at)
    }

    type Live = Subscribe<MemoryStore, MemorySubscriptions, MemorySockets, FixedClock>;

    fn connection() -> ConnectionId {
        ConnectionId::parse("L0SM9cOFvHcCIhw=").unwrap()
    }

    /// A service with the sample order at this version.
    async fn live(versions: u32) -> Live {
        let orders = MemoryStore::default();
        let mut order = sample::order();
        orders.insert(&order).await.unwrap();
        for n in 2..=versions {
            let notes = Patch::Set(Text::parse(format!("note {n}")).unwrap());
            let edited = order.edit(&Edit { notes, ..Edit::default() }, None, sample::stamp(n)).unwrap().unwrap();
            orders.update(&order, &edited, Condition::Version).await.unwrap();
            order = edited;
        }
        let table = MemorySubscriptions::default();
        // Somebody has subscribed for hours.
        table.keep(&sample::tenant(), sample::stamp(0).at, noon().now().plus(NOTED)).await.unwrap();
        Subscribe { orders, table, sockets: MemorySockets::default(), clock: noon() }
    }

    async fn ask(live: &Live, caller: Caller, wanted: Wanted) -> Result<Vec<Heard>, SubscribeError> {
        let expires_at = noon().now().plus(Duration::from_secs(60));
        let request = SubscribeRequest { caller, connection: connection(), expires_at, wanted };
        live.run(&request).await?;
        Ok(live.sockets.heard(&connection()))
    }

    /// Has this version of the order noted so many minutes ago.
    async fn note(live: &Live, version: u64, minutes: u64) {
        let order = OrderKey { tenant: sample::tenant(), id: sample::order_id(1) };
        let (customer, message) = (sample::order().customer.id.clone(), String::new());
        let update = Update { order, customer, version, committed_at: noon().now(), message };
        live.table.note(&update, noon().now().minus(Duration::from_secs(60 * minutes))).await.unwrap();
    }

    fn wanted(after: Option<u64>) -> Wanted {
        Wanted::Order { id: sample::order_id(1), after }
    }

    #[tokio::test]
    async fn what_is_missing_is_sent_before_it_is_said_that_it_is_all() {
        let id = sample::order_id(1);
        let subscribed = Heard::Subscribed(Some((id, 4)));
        let heard = ask(&live(4).await, sample::caller(), wanted(Some(2))).await.unwrap();
        assert_eq!(heard, [Heard::Event(id, 3, 0), Heard::Event(id, 4, 0), subscribed.clone()]);
        for after in [None, Some(4), Some(9)] {
            let heard = ask(&live(4).await, sample::caller(), wanted(after)).await.unwrap();
            assert_eq!(heard, std::slice::from_ref(&subscribed), "{after:?}");
        }
    }

    #[tokio::test]
    async fn versions_that_the_history_has_no_more_are_named() {
        let live = live(130).await;
        let heard = ask(&live, sample::caller(), wanted(Some(5))).await.unwrap();
        let id = sample::order_id(1);
        assert_eq!(heard.first(), Some(&Heard::Missed(id, 6, 30)));
        assert_eq!(heard.get(1), Some(&Heard::Event(id, 31, 0)));
        assert_eq!(heard.len(), 102);
    }

    #[tokio::test]
    async fn who_was_away_learns_of_all_orders_that_changed_meanwhile() {
        let live = live(3).await;
        for (version, minutes) in [(1, 30), (2, 20), (3, 10)] {
            note(&live, version, minutes).await;
        }
        let ago = |minutes: u64| noon().now().minus(Duration::from_secs(60 * minutes));
        let all = |minutes: u64| Wanted::All { customer: None, since: Some(ago(minutes)) };
        let id = sample::order_id(1);
        let heard = ask(&live, sample::caller(), all(19)).await.unwrap();
        assert_eq!(heard, [Heard::Event(id, 2, 0), Heard::Event(id, 3, 0), Heard::Subscribed(None)], "with a margin");
        let heard = ask(&live, sample::caller(), all(24 * 60)).await.unwrap();
        assert!(heard.contains(&Heard::MissedTooMuch));
    }

    #[tokio::test]
    async fn a_time_to_come_is_taken_as_now() {
        let later = Wanted::All { customer: None, since: Some(noon().now().plus(Duration::from_secs(3_600))) };
        let live = live(1).await;
        note(&live, 1, 0).await;
        let heard = ask(&live, sample::caller(), later).await.unwrap();
        let events = (0..3).map(|n| Heard::Event(sample::order_id(1), 1, n));
        assert_eq!(heard, events.chain([Heard::Subscribed(None)]).collect::<Vec<_>>());
    }

    #[tokio::test]
    async fn a_confined_caller_subscribes_to_its_customer_and_to_no_other() {
        let live = live(1).await;
        let customer = |name| Some(CustomerId::parse(name).unwrap());
        let confined = Caller { customer: customer("cust-2"), ..sample::caller() };
        let other = Wanted::All { customer: customer("cust-1"), since: None };
        let refused = ask(&live, confined.clone(), other).await;
        assert_eq!(refused, Err(Forbidden::OtherCustomer.into()));
        assert_eq!(ask(&live, confined.clone(), wanted(None)).await, Err(GetOrderError::NotFound.into()));
        let stranger = Caller { tenant: TenantId::parse("other").unwrap(), ..sample::caller() };
        assert_eq!(ask(&live, stranger, wanted(None)).await, Err(GetOrderError::NotFound.into()));
        assert!(live.table.is_empty());
        ask(&live, confined, Wanted::All { customer: None, since: None }).await.unwrap();
        let keys = live.table.of_connection(&connection()).await.unwrap();
        assert_eq!(keys, [SubscriptionKey::Customer(sample::tenant(), CustomerId::parse("cust-2").unwrap())]);
    }

    #[tokio::test]
    async fn a_connection_has_a_hundred_subscriptions_and_may_repeat_them() {
        let live = live(1).await;
        for n in 0..100 {
            let customer = Some(CustomerId::parse(format!("cust-{n}")).unwrap());
            ask(&live, sample::caller(), Wanted::All { customer, since: None }).await.unwrap();
        }
        assert_eq!(ask(&live, sample::caller(), wanted(None)).await, Err(SubscribeError::TooMany));
        let repeated = Wanted::All { customer: Some(CustomerId::parse("cust-7").unwrap()), since: None };
        assert!(ask(&live, sample::caller(), repeated).await.is_ok());
    }

    #[tokio::test]
    async fn a_connection_that_takes_no_message_is_closed() {
        let live = live(2).await;
        live.sockets.hang(&connection());
        let outcome = ask(&live, sample::caller(), wanted(Some(0))).await;
        assert_eq!(outcome, Err(PostError::Slow.into()));
        assert!(live.sockets.is_gone(&connection()));
    }

    #[tokio::test]
    async fn who_gives_a_time_before_anybody_subscribed_is_told_that_changes_may_be_missing() {
        let live = Live { table: MemorySubscriptions::default(), ..live(1).await };
        let since =
            |secs: u64| Wanted::All { customer: None, since: Some(noon().now().minus(Duration::from_secs(secs))) };
        let heard = ask(&live, sample::caller(), since(1)).await.unwrap();
        assert_eq!(heard, [Heard::MissedTooMuch, Heard::Subscribed(None)]);
        let heard = ask(&live, sample::caller(), since(0)).await.unwrap();
        assert_eq!(
            heard.last_chunk(),
            Some(&[Heard::Subscribed(None), Heard::Subscribed(None)]),
            "from now on all is noted"
        );
    }

    #[tokio::test]
    async fn who_followed_an_order_that_was_deleted_meanwhile_is_told_and_nobody_else() {
        let live = live(1).await;
        let order = live.orders.get(&sample::tenant(), sample::order_id(1)).await.unwrap().unwrap();
        let deleted = order.delete(Duration::from_secs(60), sample::stamp(2)).unwrap();
        live.orders.update(&order, &deleted, Condition::Version).await.unwrap();
        let heard = ask(&live, sample::caller(), wanted(Some(1))).await.unwrap();
        assert!(matches!(heard[..], [Heard::Event(_, 2, 0), .., Heard::Subscribed(Some((_, 2)))]), "{heard:?}");
        let stranger = Caller { customer: Some(CustomerId::parse("cust-2").unwrap()), ..sample::caller() };
        assert_eq!(ask(&live, stranger, wanted(Some(1))).await, Err(GetOrderError::NotFound.into()));
        assert_eq!(ask(&live, sample::caller(), wanted(None)).await, Err(GetOrderError::NotFound.into()));
    }
}
