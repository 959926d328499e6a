//! Follows a subscription from one connection to the next.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use reqwest::Url;
use serde::Serialize;
use serde_json::json;
use time::OffsetDateTime;
use time::serde::rfc3339;
use tokio::time::timeout;
use uuid::Uuid;

use super::failures::Failures;
use super::places::{Place, Places, Verdict};
use super::socket::{Incoming, Socket, Subscribed, Unconnected};
use super::{Event, Missed, Update, Wanted};
use crate::error::{Error, ErrorKind};
use crate::problem::Problem;
use crate::token::Token;
use crate::transport::Transport;

/// The service has 29 seconds to send what was missed.
const CATCHING_UP: Duration = Duration::from_secs(40);

pub(super) struct Follower {
    transport: Arc<Transport>,
    url: Url,
    wanted: Wanted,
    places: Places,
    /// The last time that the service gave: whatever it knew then has been taken.
    heard: Option<OffsetDateTime>,
    socket: Option<Socket>,
    /// That of the connection.
    token: Option<Token>,
    failures: Failures,
    ready: VecDeque<Update>,
}

/// What was missed, in the order in which it came, and what was said at its end.
struct CaughtUp {
    events: Vec<Event>,
    missed: Vec<Missed>,
    subscribed: Subscribed,
}

#[derive(Serialize)]
struct Request<'a> {
    action: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    order_id: Option<Uuid>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_sequence: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    customer_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none", with = "rfc3339::option")]
    since: Option<OffsetDateTime>,
}

impl Follower {
    pub fn new(transport: Arc<Transport>, url: Url, wanted: Wanted) -> Self {
        let (mut places, mut heard) = (Places::default(), None);
        match &wanted {
            Wanted::Order { id, after } => after.iter().for_each(|after| places.reach(*id, *after)),
            Wanted::All { since, .. } => heard = *since,
        }
        let failures = Failures::new(transport.retries);
        Self { transport, url, wanted, places, heard, socket: None, token: None, failures, ready: VecDeque::new() }
    }

    /// The next update, and the follower again.
    pub async fn next(mut self: Box<Self>) -> (Box<Self>, Result<Update, Error>) {
        let update = self.advance().await;
        (self, update)
    }

    async fn advance(&mut self) -> Result<Update, Error> {
        loop {
            if let Some(update) = self.ready.pop_front() {
                return Ok(update);
            }
            let Some(socket) = &mut self.socket else {
                self.resume().await?;
                continue;
            };
            match socket.next().await {
                Incoming::Event(event) => self.take(*event).await?,
                Incoming::Pong(at) => self.heard = self.heard.max(at),
                Incoming::Missed(missed) => self.pass_over(missed),
                Incoming::Subscribed(_) | Incoming::Other => {}
                Incoming::Problem(problem) => self.refused(problem).await?,
                Incoming::End => self.lost().await?,
            }
        }
    }

    /// Where a version is missing, the connection is given up: the next one begins with what is missing.
    async fn take(&mut self, event: Event) -> Result<(), Error> {
        match self.places.take(&event) {
            Verdict::TooFar { known_at, .. } => {
                self.heard = self.heard.min(known_at).or(self.heard);
                return self.lost().await;
            }
            Verdict::Known => self.heard = self.heard.max(Some(event.time)),
            Verdict::New => {
                self.heard = self.heard.max(Some(event.time));
                self.ready.push_back(Update::Event(Box::new(event)));
            }
        }
        Ok(())
    }

    async fn lost(&mut self) -> Result<(), Error> {
        self.socket = None;
        self.failures.failed(Unconnected::lost()).await
    }

    /// A service that is overloaded or fails, or a token that has expired, is no answer to the subscription.
    async fn refused(&mut self, problem: Box<Problem>) -> Result<(), Error> {
        self.socket = None;
        let is_passing = match problem.status {
            401 => self.failures.refuse(self.token.as_ref()),
            status => status == 429 || status >= 500,
        };
        let kind = ErrorKind::Problem(problem);
        if is_passing { self.failures.failed(Unconnected::Told(kind)).await } else { Err(Error::new(kind, 1, false)) }
    }

    /// Connects, subscribes and catches up.
    async fn resume(&mut self) -> Result<(), Error> {
        let mut socket = self.connect().await?;
        socket.send(&json!(self.request())).await;
        match timeout(CATCHING_UP, catch_up(&mut socket)).await {
            Ok(Ok(caught_up)) => {
                self.socket = Some(socket);
                self.failures.none();
                self.take_over(caught_up);
                Ok(())
            }
            Ok(Err(Some(problem))) => self.refused(problem).await,
            Ok(Err(None)) | Err(_) => self.lost().await,
        }
    }

    /// Takes what was missed, in the order of versions. A version that is missing even there is told.
    fn take_over(&mut self, CaughtUp { mut events, missed, subscribed }: CaughtUp) {
        let reached = match &self.wanted {
            Wanted::Order { id, .. } => subscribed.sequence.map(|version| (*id, version)),
            Wanted::All { .. } => None,
        };
        if let Some((order, version)) = reached
            && self.places.resume_after(order).is_none()
        {
            self.places.reach(order, version);
        }
        for gone in missed {
            self.pass_over(gone);
        }
        events.sort_by_key(Place::of);
        for event in events {
            match self.places.take(&event) {
                Verdict::New => {}
                Verdict::Known => continue,
                Verdict::TooFar { after, .. } => {
                    let (from, to) = (Some(after + 1), Some(event.version - 1));
                    self.pass_over(Missed { order_id: Some(event.order_id), from, to });
                    self.places.take(&event);
                }
            }
            self.ready.push_back(Update::Event(Box::new(event)));
        }
        if let Some((order, version)) = reached {
            self.places.reach(order, version);
        }
        self.heard = subscribed.at.or(self.heard);
    }

    /// What is gone is passed over, so that what follows it is no gap.
    fn pass_over(&mut self, missed: Missed) {
        self.places.pass_over(&missed);
        self.ready.push_back(Update::Missed(missed));
    }

    async fn connect(&mut self) -> Result<Socket, Error> {
        loop {
            let token = match &self.transport.tokens {
                Some(tokens) => Some(tokens.token(self.failures.refused()).await),
                None => None,
            };
            self.token = token.transpose().map_err(|error| Error::new(ErrorKind::Token(error), 0, false))?;
            match Socket::open(&self.url, self.token.as_ref(), self.transport.timeouts.attempt).await {
                Ok(socket) => return Ok(socket),
                Err(Unconnected::Refused(401)) if self.failures.refuse(self.token.as_ref()) => {}
                Err(unconnected) => self.failures.failed(unconnected).await?,
            }
        }
    }

    /// Asks for what was missed.
    fn request(&self) -> Request<'_> {
        let nothing =
            Request { action: "subscribe", order_id: None, last_sequence: None, customer_id: None, since: None };
        match &self.wanted {
            Wanted::Order { id, .. } => {
                Request { order_id: Some(*id), last_sequence: self.places.resume_after(*id), ..nothing }
            }
            Wanted::All { customer, .. } => Request { customer_id: customer.as_deref(), since: self.heard, ..nothing },
        }
    }
}

/// What comes until the service says that it is all; a problem, or nothing, when it does not.
async fn catch_up(socket: &mut Socket) -> Result<CaughtUp, Option<Box<Problem>>> {
    let (mut events, mut missed) = (Vec::new(), Vec::new());
    loop {
        match socket.next().await {
            Incoming::Event(event) => events.push(*event),
            Incoming::Missed(gone) => missed.push(gone),
            Incoming::Pong(_) | Incoming::Other => {}
            Incoming::Subscribed(subscribed) => return Ok(CaughtUp { events, missed, subscribed }),
            Incoming::Problem(problem) => return Err(Some(problem)),
            Incoming::End => return Err(None),
        }
    }
}
