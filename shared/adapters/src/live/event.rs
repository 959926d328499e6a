//! What the gateway tells of a connection: that it opens, closes, or has sent a message.

use std::collections::HashMap;

use domain::caller::{Caller, Scope};
use domain::ports::Clock;
use domain::subscription::ConnectionId;
use domain::timestamp::Timestamp;
use serde::{Deserialize, Serialize};

use super::handshake::{self, SUBPROTOCOL};
use crate::http::{Claims, caller_of, end_of};
use crate::problem::{Code, Problem};
use crate::system::SystemClock;
use crate::telemetry::{self, metrics};

/// What problems are said to be about: no path leads to a connection.
const INSTANCE: &str = "/live";

/// An event of a WebSocket API
/// (<https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api-lambda-proxy.html>).
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SocketEvent {
    request_context: SocketContext,
    #[serde(default)]
    headers: Option<HashMap<String, String>>,
    #[serde(default)]
    body: Option<String>,
    #[serde(default)]
    is_base64_encoded: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SocketContext {
    connection_id: String,
    #[serde(default)]
    request_id: String,
    /// What the authorizer said when the connection was opened.
    #[serde(default)]
    authorizer: Claims,
}

/// What the gateway is answered.
#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SocketReply {
    /// 200 lets a connection open.
    pub status_code: u16,
    /// Headers of the handshake's answer.
    #[serde(skip_serializing_if = "HashMap::is_empty")]
    pub headers: HashMap<&'static str, &'static str>,
}

impl SocketReply {
    /// The message was dealt with; its client is told over the connection.
    #[must_use]
    pub fn done() -> Self {
        Self { status_code: 200, headers: HashMap::new() }
    }

    /// This stack has no live updates.
    #[must_use]
    pub fn not_implemented() -> Self {
        Self { status_code: 501, headers: HashMap::new() }
    }
}

/// A connection has a token, which is in the headers: they are never shown.
impl std::fmt::Debug for SocketEvent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SocketEvent").field("connection", &self.request_context.connection_id).finish_non_exhaustive()
    }
}

impl SocketEvent {
    /// The connection.
    ///
    /// # Errors
    /// [`Code::Internal`]: the gateway names every connection.
    pub fn connection(&self) -> Result<ConnectionId, Problem> {
        ConnectionId::parse(self.request_context.connection_id.as_str())
            .map_err(|invalid| Problem::new(Code::Internal).because(invalid))
    }

    /// A problem as its client reads it; the cause is noted.
    #[must_use]
    pub fn refusal(&self, problem: &Problem) -> String {
        telemetry::count(&metrics::MESSAGES_REFUSED, 1);
        problem.cause().into_iter().for_each(telemetry::failed);
        problem.body(&self.request_context.request_id, INSTANCE).to_string()
    }

    /// Who is connected, when the token may read orders and has not expired since, and when it will have.
    ///
    /// # Errors
    /// [`Code::Unauthenticated`] or [`Code::InsufficientScope`].
    pub fn caller(&self) -> Result<(Caller, Timestamp), Problem> {
        let claims = &self.request_context.authorizer;
        let caller = caller_of(claims, SystemClock.now())?;
        telemetry::member("tenant", caller.tenant.as_str());
        caller.require(Scope::Read)?;
        let end = end_of(claims).ok_or_else(|| Problem::new(Code::Unauthenticated))?;
        Ok((caller, end))
    }

    /// The message.
    ///
    /// # Errors
    /// [`Code::InvalidJson`] for bytes: messages are text.
    pub fn text(&self) -> Result<&str, Problem> {
        match &self.body {
            Some(text) if !self.is_base64_encoded => Ok(text),
            _ => Err(Problem::new(Code::InvalidJson).detail("a message is text")),
        }
    }

    /// Lets the connection open, or says why not. A page that offers subprotocols must be answered with one of them.
    #[must_use]
    pub fn opened(&self) -> SocketReply {
        if let Err(problem) = self.caller() {
            telemetry::failed(problem.code().as_str());
            return SocketReply { status_code: problem.code().status().as_u16(), headers: HashMap::new() };
        }
        let offers = self.headers.as_ref().is_some_and(handshake::offers_subprotocol);
        let chosen = offers.then_some(("Sec-WebSocket-Protocol", SUBPROTOCOL));
        SocketReply { status_code: 200, headers: chosen.into_iter().collect() }
    }
}
