//! Connections that are made while an environment starts, so that its first request finds them.

use std::time::Duration;

use futures_util::future::{BoxFuture, join_all};

/// Makes one connection; what fails is logged, and the first call connects. It owns what it needs: it may outlive the
/// start.
pub type Connection = BoxFuture<'static, ()>;

/// A start waits for connections no longer than this. It is enough for a partner that takes 600 ms for a handshake and
/// 400 ms for an answer, and delays a request no more when a partner hangs.
pub const DEADLINE: Duration = Duration::from_millis(1_500);

/// Makes connections side by side. At the [`DEADLINE`] the environment starts without those that are missing; they are
/// made beside its first request.
pub async fn made(connections: impl IntoIterator<Item = Connection>) {
    let connections = join_all(connections.into_iter().map(tokio::spawn));
    match tokio::time::timeout(DEADLINE, connections).await {
        Ok(outcomes) => {
            for error in outcomes.into_iter().filter_map(Result::err) {
                tracing::error!(cause = %error, "a connection could not be made");
            }
        }
        Err(_) => tracing::warn!(ms = DEADLINE.as_millis(), "the environment starts without all of its connections"),
    }
}

/// In the place of a connection, where none is needed.
#[must_use]
pub fn none() -> Connection {
    Box::pin(std::future::ready(()))
}
