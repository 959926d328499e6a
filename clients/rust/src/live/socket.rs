//! One WebSocket connection.

use std::error::Error as StdError;
use std::sync::Arc;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use reqwest::Url;
use rustls::{ClientConfig, RootCertStore};
use serde::Deserialize;
use serde_json::{Value, json};
use time::OffsetDateTime;
use time::serde::rfc3339;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{WebSocketStream, client_async};

use super::{Event, Missed};
use crate::error::ErrorKind;
use crate::problem::Problem;
use crate::token::Token;

/// After this time without a message a connection is asked for one: the gateway closes it after ten minutes.
const IDLE: Duration = Duration::from_secs(240);

/// An answer to a ping takes no longer.
const ANSWER: Duration = Duration::from_secs(40);

/// An open connection.
pub(super) struct Socket {
    stream: WebSocketStream<Box<dyn Io>>,
}

/// A TCP connection, with TLS or without.
trait Io: AsyncRead + AsyncWrite + Send + Sync + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Sync + Unpin> Io for T {}

/// A message of the service.
pub(super) enum Incoming {
    Event(Box<Event>),
    Missed(Missed),
    Subscribed(Subscribed),
    /// An answer to a ping, with the service's time.
    Pong(Option<OffsetDateTime>),
    Problem(Box<Problem>),
    /// Something of a newer release.
    Other,
    /// The connection has ended, or the gateway says that the service failed.
    End,
}

/// What was missed has come.
#[derive(Deserialize)]
pub(super) struct Subscribed {
    /// The order's version; none for all orders.
    pub sequence: Option<u64>,
    /// The service's time.
    #[serde(default, with = "rfc3339::option")]
    pub at: Option<OffsetDateTime>,
}

#[derive(Deserialize)]
struct Pong {
    #[serde(default, with = "rfc3339::option")]
    at: Option<OffsetDateTime>,
}

/// Why there is no connection.
pub(super) enum Unconnected {
    /// The handshake was answered with this status.
    Refused(u16),
    /// The service told of this.
    Told(ErrorKind),
    /// It failed.
    Failed(Box<dyn StdError + Send + Sync>),
}

impl Socket {
    /// Opens a connection.
    pub async fn open(url: &Url, token: Option<&Token>, patience: Duration) -> Result<Self, Unconnected> {
        let mut request = url.as_str().into_client_request().map_err(Unconnected::failed)?;
        if let Some(token) = token {
            let mut value = HeaderValue::try_from(format!("Bearer {}", token.secret())).map_err(Unconnected::failed)?;
            value.set_sensitive(true);
            request.headers_mut().insert("authorization", value);
        }
        let connecting = async {
            let io = connect(url).await.map_err(Unconnected::Failed)?;
            match client_async(request, io).await {
                Ok((stream, _)) => Ok(Self { stream }),
                Err(Error::Http(answer)) => Err(Unconnected::Refused(answer.status().as_u16())),
                Err(error) => Err(Unconnected::failed(error)),
            }
        };
        timeout(patience, connecting).await.map_err(Unconnected::failed)?
    }

    /// Sends a message. One that does not arrive is found out by what comes next.
    pub async fn send(&mut self, message: &Value) {
        drop(self.stream.send(Message::text(message.to_string())).await);
    }

    /// The next message.
    pub async fn next(&mut self) -> Incoming {
        let mut is_asked = false;
        loop {
            let patience = if is_asked { ANSWER } else { IDLE };
            match timeout(patience, self.stream.next()).await {
                Ok(Some(Ok(Message::Text(text)))) => return Incoming::read(&text),
                Ok(Some(Ok(Message::Close(_)) | Err(_)) | None) => return Incoming::End,
                Ok(Some(Ok(_))) => {}
                Err(_) if is_asked => return Incoming::End,
                Err(_) => {
                    is_asked = true;
                    self.send(&json!({"action": "ping"})).await;
                }
            }
        }
    }
}

impl Incoming {
    fn read(text: &str) -> Self {
        let Ok(message) = serde_json::from_str::<Value>(text) else { return Self::Other };
        if message.get("specversion").is_some() {
            return Event::deserialize(message).map_or(Self::Other, |event| Self::Event(Box::new(event)));
        }
        match message.get("action").and_then(Value::as_str) {
            Some("subscribed") => Subscribed::deserialize(message).map_or(Self::Other, Self::Subscribed),
            Some("pong") => Pong::deserialize(message).map_or(Self::Other, |pong| Self::Pong(pong.at)),
            Some("missed") => Missed::deserialize(message).map_or(Self::Other, Self::Missed),
            Some(_) => Self::Other,
            // API Gateway: {"message": "Internal server error", …}.
            None if message.get("code").is_none() => Self::End,
            None => {
                let status =
                    message.get("status").and_then(Value::as_u64).and_then(|status| u16::try_from(status).ok());
                let problem = Problem::read(status.unwrap_or_default(), None, text.as_bytes());
                problem.map_or(Self::Other, |problem| Self::Problem(Box::new(problem)))
            }
        }
    }
}

impl Unconnected {
    fn failed(error: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self::Failed(error.into())
    }

    /// The connection has ended.
    pub fn lost() -> Self {
        Self::failed("the connection ended")
    }

    /// Whether another attempt would end as this one.
    pub fn is_final(&self) -> bool {
        matches!(self, Self::Refused(400..=428 | 430..=499 | 501))
    }

    pub fn into_kind(self) -> ErrorKind {
        match self {
            Self::Refused(status) => ErrorKind::Unreadable { status },
            Self::Told(kind) => kind,
            Self::Failed(error) => ErrorKind::NoConnection(error),
        }
    }
}

async fn connect(url: &Url) -> Result<Box<dyn Io>, Box<dyn StdError + Send + Sync>> {
    let host = url.host_str().ok_or("a URL without a host")?;
    let port = url.port_or_known_default().ok_or("a URL without a port")?;
    let tcp = TcpStream::connect((host.trim_matches(['[', ']']), port)).await?;
    tcp.set_nodelay(true)?;
    if url.scheme() == "ws" {
        return Ok(Box::new(tcp));
    }
    let name = ServerName::try_from(host.to_owned())?;
    Ok(Box::new(TlsConnector::from(Arc::new(tls()?)).connect(name, tcp).await?))
}

/// As for calls: Mozilla's roots, compiled in, and ring.
fn tls() -> Result<ClientConfig, rustls::Error> {
    let roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    let builder = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()));
    Ok(builder.with_safe_default_protocol_versions()?.with_root_certificates(roots).with_no_client_auth())
}
