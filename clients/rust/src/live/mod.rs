//! Changes of orders as they are made, over a WebSocket connection that is made anew as often as it takes.

mod event;
mod failures;
mod follower;
mod places;
mod socket;

use std::fmt;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use reqwest::Url;
use time::OffsetDateTime;
use uuid::Uuid;

pub use event::{Event, Missed, Update};

use crate::error::Error;
use crate::transport::Transport;
use follower::Follower;

/// What to be told of; see [`crate::Client::subscribe`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subscription {
    wanted: Wanted,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Wanted {
    Order { id: Uuid, after: Option<u64> },
    All { customer: Option<String>, since: Option<OffsetDateTime> },
}

impl Subscription {
    /// The changes of one order, from now on.
    #[must_use]
    pub const fn order(id: Uuid) -> Self {
        Self { wanted: Wanted::Order { id, after: None } }
    }

    /// The changes of one order after this version.
    #[must_use]
    pub const fn order_after(id: Uuid, version: u64) -> Self {
        Self { wanted: Wanted::Order { id, after: Some(version) } }
    }

    /// The changes of all orders that the token allows, from now on.
    #[must_use]
    pub const fn all() -> Self {
        Self { wanted: Wanted::All { customer: None, since: None } }
    }

    /// The changes of all orders that the token allows, those from then until now first: the [`Event::time`] of the last
    /// event that is known.
    #[must_use]
    pub const fn all_since(time: OffsetDateTime) -> Self {
        Self { wanted: Wanted::All { customer: None, since: Some(time) } }
    }

    /// The changes of all orders of a customer, from now on.
    #[must_use]
    pub fn customer(id: impl Into<String>) -> Self {
        Self { wanted: Wanted::All { customer: Some(id.into()), since: None } }
    }
}

/// Changes of orders, each order's in the order of its versions and each event once, as long as this lives. When the
/// connection ends, the next one begins where it ended.
///
/// It does nothing unless [`Updates::next`] is awaited. That may be given up at any time, as in `select!`, and goes on
/// where it was: no event is lost, and a connection that is being made is not made anew.
#[must_use]
pub struct Updates {
    subscription: Subscription,
    /// The next update; it owns the connection and whatever it waits for.
    next: BoxFuture<'static, (Box<Follower>, Result<Update, Error>)>,
}

impl fmt::Debug for Updates {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Updates").field("subscription", &self.subscription).finish_non_exhaustive()
    }
}

impl Updates {
    pub(crate) fn new(transport: Arc<Transport>, url: Url, subscription: Subscription) -> Self {
        let follower = Box::new(Follower::new(transport, url, subscription.wanted.clone()));
        Self { subscription, next: Box::pin(follower.next()) }
    }

    /// The next change.
    ///
    /// # Errors
    /// When the service refuses the subscription, or the first connection could not be made in as many attempts as a call has
    /// ([`crate::Retries`]). Later ones are attempted without an end. It may be called again all the same.
    pub async fn next(&mut self) -> Result<Update, Error> {
        let (follower, update) = (&mut self.next).await;
        self.next = Box::pin(follower.next());
        update
    }
}
