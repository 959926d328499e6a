//! A WebSocket connection to the live updates, and a follower that resumes as docs/live.md says.

use std::collections::BTreeMap;

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use crate::{DEADLINE, setting};

/// In the place of the status of a handshake that was not answered.
pub const NO_ANSWER: u16 = 0;

/// The emulator starts a program for each step of a handshake: more at a time, and it answers nobody in time.
static HANDSHAKES: Semaphore = Semaphore::const_new(4);

/// An open connection.
#[derive(Debug)]
pub struct Socket {
    stream: WebSocketStream<MaybeTlsStream<TcpStream>>,
}

impl Socket {
    /// Opens a connection with this token, as programs do.
    ///
    /// # Errors
    /// The status of a handshake that was refused, or 0 for none.
    pub async fn open(token: &str) -> Result<Self, u16> {
        Self::with_headers(&[("authorization", format!("Bearer {token}"))]).await.map(|(socket, _)| socket)
    }

    /// Opens a connection with these headers; with it comes the subprotocol of the answer.
    ///
    /// # Errors
    /// As [`Socket::open`].
    pub async fn with_headers(headers: &[(&'static str, String)]) -> Result<(Self, Option<String>), u16> {
        let mut request = setting("WS_URL").into_client_request().expect("a URL");
        for (name, value) in headers {
            request.headers_mut().insert(*name, value.parse().expect("a header"));
        }
        match timeout(DEADLINE, connect_async(request)).await.expect("an answer in time") {
            Ok((stream, answer)) => {
                let chosen = answer.headers().get("sec-websocket-protocol");
                Ok((Self { stream }, chosen.map(|value| value.to_str().unwrap().to_owned())))
            }
            Err(Error::Http(answer)) => Err(answer.status().as_u16()),
            Err(_) => Err(NO_ANSWER),
        }
    }

    /// Sends a message.
    pub async fn send(&mut self, message: &Value) {
        self.send_text(&message.to_string()).await;
    }

    /// Sends text, which may be no JSON.
    pub async fn send_text(&mut self, text: &str) {
        self.stream.send(Message::text(text)).await.expect("the message goes out");
    }

    /// The next message; `None` when the connection was closed.
    pub async fn next(&mut self) -> Option<Value> {
        loop {
            let message = timeout(DEADLINE, self.stream.next()).await.expect("a message in time")?;
            match message {
                Ok(Message::Text(text)) => return Some(serde_json::from_str(&text).expect("JSON")),
                Ok(Message::Close(_)) | Err(_) => return None,
                Ok(_) => {}
            }
        }
    }

    /// The answer to a message: what is no event.
    pub async fn answer(&mut self) -> Value {
        loop {
            let message = self.next().await.expect("an open connection");
            if message.get("specversion").is_none() {
                return message;
            }
        }
    }

    /// Sends a message; the answer to it.
    pub async fn ask(&mut self, message: &Value) -> Value {
        self.send(message).await;
        self.answer().await
    }

    /// Closes the connection properly.
    pub async fn close(mut self) {
        // A connection that is closed already is what is wanted.
        drop(self.stream.close(None).await);
    }
}

/// Somebody who follows orders, over as many connections as it takes.
#[derive(Debug)]
pub struct Follower {
    token: String,
    /// The order, or all that the token allows.
    order: Option<String>,
    socket: Option<Socket>,
    /// The last time that the service gave.
    heard_at: String,
    /// The versions of each order, in the order in which they came, each once.
    pub seen: BTreeMap<String, Vec<u64>>,
    /// How often a version was missing, so that it connected again.
    pub gaps: usize,
    /// How often a handshake failed, or a subscription was one too many.
    pub refusals: usize,
}

impl Follower {
    /// Follows an order from its first version, or all orders that changed since a time that the service gave.
    #[must_use]
    pub fn new(token: &str, order: Option<&str>, since: &str) -> Self {
        let (token, order, heard_at) = (token.to_owned(), order.map(ToOwned::to_owned), since.to_owned());
        Self { token, order, socket: None, heard_at, seen: BTreeMap::new(), gaps: 0, refusals: 0 }
    }

    /// Loses the connection without a word.
    pub fn drop_connection(&mut self) {
        self.socket = None;
    }

    /// Takes the next message, over a new connection where there is none.
    pub async fn step(&mut self) {
        let Some(socket) = &mut self.socket else {
            return self.resume().await;
        };
        match socket.next().await {
            Some(event) if event.get("specversion").is_some() => {
                if self.take(&event) {
                    let made_at = event["time"].as_str().expect("a time");
                    self.heard_at = self.heard_at.as_str().max(made_at).to_owned();
                } else {
                    self.gaps += 1;
                    self.socket = None;
                }
            }
            Some(_) => {}
            None => self.socket = None,
        }
    }

    /// Connects and catches up: what comes before `subscribed` is taken in the order of versions.
    async fn resume(&mut self) {
        let turn = HANDSHAKES.acquire().await.expect("it is never closed");
        let Ok(mut socket) = Socket::open(&self.token).await else {
            self.refusals += 1;
            return;
        };
        let mut ask = json!({"action": "subscribe"});
        match &self.order {
            Some(order) => {
                // The events of the last version may not all have come.
                let last = self.seen.get(order).and_then(|seen| seen.last()).copied().unwrap_or_default();
                ask["order_id"] = order.as_str().into();
                ask["last_sequence"] = last.saturating_sub(1).into();
            }
            None => ask["since"] = self.heard_at.as_str().into(),
        }
        socket.send(&ask).await;
        let mut caught_up = Vec::new();
        loop {
            // A connection that is lost meanwhile is a matter of the next step.
            let Some(message) = socket.next().await else { return };
            if message.get("specversion").is_some() {
                caught_up.push(message);
            } else if message["action"] == "subscribed" {
                self.heard_at = message["at"].as_str().expect("a time").to_owned();
                break;
            } else if message["status"] == 429 {
                self.refusals += 1;
                return;
            } else {
                panic!("{ask} is answered {message}");
            }
        }
        drop(turn);
        caught_up.sort_by_key(|event| event["sequence"].as_str().expect("a sequence").to_owned());
        for event in caught_up {
            assert!(self.take(&event), "after what was missed nothing is missing: {event} {:?}", self.seen);
        }
        self.socket = Some(socket);
    }

    /// Whether the event is the next of its order, or known.
    fn take(&mut self, event: &Value) -> bool {
        let text = |name: &str| event[name].as_str().unwrap_or_else(|| panic!("no {name}: {event}"));
        let sequence: u64 = text("sequence").parse().expect("a number");
        let seen = self.seen.entry(text("subject").to_owned()).or_default();
        let last = seen.last().copied().unwrap_or_default();
        if sequence == last + 1 {
            seen.push(sequence);
        }
        sequence <= last + 1
    }
}
