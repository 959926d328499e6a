//! Typed client of the order service's HTTP API.
//!
//! ```no_run
//! use order_service_client::{Client, Edit, NewOrder, Patch, Status, Token};
//!
//! # async fn story() -> Result<(), order_service_client::Error> {
//! let client = Client::builder("https://orders.example/v1").token(Token::new("eyJ…")).build()?;
//!
//! let placed = client.place_order(&NewOrder::new("cust-1").line("sku-1", 2)).await?;
//! let edit = Edit { notes: Patch::Set("Ring twice.".to_owned()), ..Edit::default() };
//! let order = client.update_order(&placed.order, &edit).await?;
//! let order = client.move_order(&order, Status::Canceled.because("changed my mind")).await?;
//! println!("{} is {}", order.id, order.status);
//! # Ok(())
//! # }
//! ```
//!
//! **Retries.** A call is repeated after an answer that says that nothing was done (429, 409 `conflict`, 409
//! `reservation_unconfirmed`) and after a connection that could not be made. After a failure that leaves open whether the
//! request took effect (a lost answer, a 5xx), it is repeated only when that cannot do harm: reads, an order under its
//! idempotency key, moves to a status, deletions, and writes on condition of a version. Pauses grow exponentially, with
//! jitter, and are never shorter than `Retry-After`. See [`Retries`] and [`Timeouts`].
//!
//! **Idempotency.** [`Client::place_order`] makes a key for each call. When the call fails all the same, the key is in
//! [`Error::idempotency_key`]: placing the order again under that key cannot make a second one. Where the order has a
//! name of its own before it is placed, such as the checkout's, use [`Client::place_order_as`]. One key stands for all
//! orders of a batch ([`Client::place_batch`], [`Client::place_batch_as`]).
//!
//! **Batches.** [`Client::place_batch`] places up to 50 orders, each by itself. What the service refuses of one order is
//! in its place in [`Batch::results`]; the call itself has succeeded.
//!
//! **Concurrency.** A write to an [`Order`] or [`OrderSummary`] is made on condition of its version (`If-Match`) and
//! refused as [`ProblemKind::PreconditionFailed`] when the order has changed. A write to a bare id has no condition.
//!
//! **Compatibility.** Fields that this release does not know are ignored. Values of enums and problem codes that it does
//! not know become the variant `Other`.
//!
//! **Live updates.** With the feature `live`, `Client::subscribe` follows changes of orders over WebSocket: each order's in the
//! order of its versions, each event once, over as many connections as it takes.
//!
//! **Telemetry.** Each call is a [`tracing`] span with method, route, status, attempts and request id. Tokens, bodies,
//! paths and query strings are never recorded.

mod answer;
mod call;
mod client;
mod config;
mod error;
mod exports;
mod key;
mod listing;
#[cfg(feature = "live")]
mod live;
mod model;
mod problem;
mod progress;
mod target;
mod token;
mod transport;

pub use client::{Client, Placed};
pub use config::{ClientBuilder, Retries, Timeouts};
pub use error::{Error, ErrorKind};
pub use key::IdempotencyKey;
pub use listing::{Filter, ListQuery};
#[cfg(feature = "live")]
pub use live::{Event, Missed, Subscription, Update, Updates};
pub use model::{
    Address, Batch, BatchOrder, Change, Customer, Download, Edit, Export, ExportFilters, ExportFormat, ExportStatus,
    GroupBy, Health, HistoryEntry, Inventory, Line, LineRequest, Money, Move, NewOrder, Order, OrderSummary, Page,
    PageInfo, Patch, Report, ReportGroup, ReportQuery, ReportTimes, Shipment, Status,
};
pub use problem::{FieldError, Problem, ProblemKind, Shortage};
pub use target::Target;
pub use token::{Token, TokenFuture, TokenProvider};
