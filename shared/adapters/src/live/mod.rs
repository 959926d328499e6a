//! Live updates over WebSocket: what the gateway tells of connections, what clients ask for, and how they are told.

mod event;
mod handshake;
mod message;
mod queue;
mod request;
mod sockets;
mod table;

pub use event::{SocketEvent, SocketReply};
pub use handshake::{SUBPROTOCOL, authorization};
pub use message::{Answer, AnswerView, MAX_MESSAGE, MissedView, SubscribedView};
pub use queue::UpdateBatch;
pub use request::{Asked, SocketRequest};
pub use sockets::ApiSockets;
pub use table::SubscriptionsTable;
