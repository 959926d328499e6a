//! Changes of orders as they are made, over a WebSocket connection that is made anew as often as it takes.

mod event;
mod places;
mod socket;

use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use backon::ExponentialBackoff;
use reqwest::Url;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};
use uuid::Uuid;

pub use event::{Event, Missed, Update};

use crate::config::Retries;
use crate::error::{Error, ErrorKind};
use crate::token::Token;
use crate::transport::Transport;
use places::{Place, Places};
use socket::{Incoming, Socket, Unconnected};

/// What to be told of; see [`crate::Client::subscribe`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subscription {
    wanted: Wanted,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Wanted {
    Order { id: Uuid, after: Option<u64> },
    All { customer: Option<String>, since: Option<Duration> },
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

    /// The changes of all orders that the token allows, those of this time until now first.
    #[must_use]
    pub const fn all_of_the_last(time: Duration) -> Self {
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
/// It does nothing unless [`Updates::next`] is awaited, which may be given up at any time without losing an event.
#[must_use]
pub struct Updates {
    transport: Arc<Transport>,
    url: Url,
    subscription: Subscription,
    places: Places,
    socket: Option<Socket>,
    ready: VecDeque<Update>,
    /// When the service was last heard over a connection that had caught up.
    heard: Option<Instant>,
    failures: Failures,
}

/// Attempts to connect that failed, one after the other.
struct Failures {
    pauses: ExponentialBackoff,
    max_attempts: u32,
    count: u32,
    refused: Option<Token>,
}

impl fmt::Debug for Updates {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { subscription, socket, .. } = self;
        let is_connected = socket.is_some();
        formatter
            .debug_struct("Updates")
            .field("subscription", subscription)
            .field("is_connected", &is_connected)
            .finish()
    }
}

impl Updates {
    pub(crate) fn new(transport: Arc<Transport>, url: Url, subscription: Subscription) -> Self {
        let failures = Failures::none(&transport);
        let (places, ready) = (Places::default(), VecDeque::new());
        Self { transport, url, subscription, places, socket: None, ready, heard: None, failures }
    }

    /// The next change.
    ///
    /// # Errors
    /// When the service refuses the subscription, or no connection could be made in as many attempts as a call has
    /// ([`crate::Retries`]). It may be called again all the same.
    pub async fn next(&mut self) -> Result<Update, Error> {
        loop {
            if let Some(update) = self.ready.pop_front() {
                return Ok(update);
            }
            let Some(socket) = &mut self.socket else {
                self.resume().await?;
                continue;
            };
            match socket.next().await {
                Some(Incoming::Event(event)) => {
                    self.heard = Some(Instant::now());
                    self.take(*event);
                }
                Some(Incoming::Subscribed | Incoming::Other) => self.heard = Some(Instant::now()),
                Some(Incoming::Missed(missed)) => self.ready.push_back(Update::Missed(missed)),
                Some(Incoming::Problem(problem)) => {
                    self.socket = None;
                    return Err(Error::new(ErrorKind::Problem(problem), 1, false));
                }
                None => self.socket = None,
            }
        }
    }

    /// Where a version is missing, the connection is given up: the next one begins with what is missing.
    fn take(&mut self, event: Event) {
        match self.places.take(event.order_id, Place::of(&event)) {
            places::Verdict::New => self.ready.push_back(Update::Event(Box::new(event))),
            places::Verdict::Known => {}
            places::Verdict::TooFar => self.socket = None,
        }
    }

    /// Connects, subscribes and catches up. What comes before `subscribed` is taken in the order of versions.
    async fn resume(&mut self) -> Result<(), Error> {
        let mut socket = self.connect().await?;
        socket.send(&self.request()).await;
        let (mut events, mut missed) = (Vec::new(), Vec::new());
        loop {
            match socket.next().await {
                Some(Incoming::Event(event)) => events.push(*event),
                Some(Incoming::Missed(gone)) => missed.push(gone),
                Some(Incoming::Other) => {}
                Some(Incoming::Problem(problem)) => return Err(Error::new(ErrorKind::Problem(problem), 1, false)),
                Some(Incoming::Subscribed) => break,
                None => return self.failures.failed(Unconnected::lost()).await,
            }
        }
        events.sort_by_key(Place::of);
        // What is gone is passed over, so that what follows it is no gap.
        for gone in missed {
            self.places.pass_over(&gone);
            self.ready.push_back(Update::Missed(gone));
        }
        for event in events {
            if self.places.take_on(event.order_id, Place::of(&event)) {
                self.ready.push_back(Update::Event(Box::new(event)));
            }
        }
        (self.heard, self.socket) = (Some(Instant::now()), Some(socket));
        self.failures = Failures::none(&self.transport);
        Ok(())
    }

    async fn connect(&mut self) -> Result<Socket, Error> {
        loop {
            let token = match &self.transport.tokens {
                Some(tokens) => Some(tokens.token(self.failures.refused.as_ref()).await),
                None => None,
            };
            let token = token.transpose().map_err(|error| Error::new(ErrorKind::Token(error), 0, false))?;
            match Socket::open(&self.url, token.as_ref(), self.transport.timeouts.attempt).await {
                Ok(socket) => return Ok(socket),
                Err(Unconnected::Refused(401)) if self.failures.refused.is_none() && token.is_some() => {
                    self.failures.refused = token;
                }
                Err(unconnected) => self.failures.failed(unconnected).await?,
            }
        }
    }

    /// Asks for what was missed. The events of the last version may not all have come.
    fn request(&self) -> Value {
        match &self.subscription.wanted {
            Wanted::Order { id, after } => {
                let known = self.places.last(*id).map(|version| version.saturating_sub(1)).or(*after);
                without_nulls(json!({"action": "subscribe", "order_id": id, "last_sequence": known}))
            }
            Wanted::All { customer, since } => {
                let away = self.heard.map(|heard| heard.elapsed()).or(*since);
                let seconds = away.map(|away| away.as_secs().saturating_add(1));
                without_nulls(json!({"action": "subscribe", "customer_id": customer, "missed_seconds": seconds}))
            }
        }
    }
}

impl Failures {
    fn none(transport: &Transport) -> Self {
        let Retries { max_attempts, .. } = transport.retries;
        Self { pauses: transport.retries.pauses(), max_attempts, count: 0, refused: None }
    }

    /// Waits before the next attempt, or gives up.
    async fn failed(&mut self, unconnected: Unconnected) -> Result<(), Error> {
        self.count += 1;
        let is_final = unconnected.is_final() || self.count >= self.max_attempts;
        match self.pauses.next() {
            Some(pause) if !is_final => {
                sleep(pause).await;
                Ok(())
            }
            _ => {
                let attempts = std::mem::take(&mut self.count);
                Err(Error::new(unconnected.into_kind(), attempts, false))
            }
        }
    }
}

fn without_nulls(mut request: Value) -> Value {
    if let Some(members) = request.as_object_mut() {
        members.retain(|_, value| !value.is_null());
    }
    request
}
