//! The operations of the API.

use std::fmt;
use std::sync::Arc;

use futures_util::Stream;
use reqwest::Method;
use reqwest::header::{HeaderName, IF_NONE_MATCH};
use serde::de::DeserializeOwned;
use uuid::Uuid;

use crate::answer::Success;
use crate::call::{Call, Effect};
use crate::config::ClientBuilder;
use crate::error::{Error, ErrorKind};
use crate::key::IdempotencyKey;
use crate::listing::{self, ListQuery};
use crate::model::{
    Batch, Edit, Health, HistoryEntry, Move, NewOrder, Order, OrderSummary, Page, Report, ReportQuery, Shipment, Wish,
};
use crate::problem::ProblemKind;
use crate::target::{Target, entity_tag};
use crate::transport::Transport;

pub(crate) const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// A client of one deployment. Clones share their connections.
///
/// Every method answers [`Error`] when the service refuses, or when no attempt was answered.
#[derive(Clone)]
pub struct Client(Arc<Transport>);

/// An order that was placed.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Placed {
    /// The order as it is now. It is `pending` while a partner of the service cannot be asked.
    pub order: Order,
    /// Whether an earlier request with this key had placed it.
    pub is_replayed: bool,
    /// The key it was placed under.
    pub idempotency_key: IdempotencyKey,
}

impl Client {
    /// Begins to set up a client of the deployment at this URL, stage included: `https://orders.example/v1`.
    pub fn builder(base_url: impl Into<String>) -> ClientBuilder {
        ClientBuilder::new(base_url.into())
    }

    pub(crate) fn new(transport: Transport) -> Self {
        Self(Arc::new(transport))
    }

    /// Changes of orders as they are made, see [`crate::Updates`].
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`] when the client was not given [`ClientBuilder::live_url`].
    #[cfg(feature = "live")]
    pub fn subscribe(&self, subscription: crate::Subscription) -> Result<crate::Updates, Error> {
        let url = self.0.live.clone().ok_or_else(|| Error::invalid("the client has no URL of live updates"))?;
        Ok(crate::Updates::new(Arc::clone(&self.0), url, subscription))
    }

    pub(crate) async fn send<T: DeserializeOwned>(&self, call: &Call) -> Result<Success<T>, Error> {
        self.0.send(call).await
    }

    /// `POST /orders` under a key of this call's own.
    ///
    /// # Errors
    /// See [`Client`].
    pub async fn place_order(&self, order: &NewOrder) -> Result<Placed, Error> {
        self.place_order_as(IdempotencyKey::random(), order).await
    }

    /// `POST /orders` under this key. The same key and order again answer the order as it is then.
    ///
    /// # Errors
    /// See [`Client`].
    pub async fn place_order_as(&self, key: impl Into<IdempotencyKey>, order: &NewOrder) -> Result<Placed, Error> {
        let key = key.into();
        let call = Call::write(Method::POST, "/orders", &["orders"]).header(IDEMPOTENCY_KEY, key.as_str())?;
        let sent = self.0.send(&call.json(order)?).await;
        match sent.and_then(|Success { value, is_replayed, .. }| Ok((present(value)?, is_replayed))) {
            Ok((order, is_replayed)) => Ok(Placed { order, is_replayed, idempotency_key: key }),
            Err(error) => Err(error.with_key(key)),
        }
    }

    /// `POST /orders/batch` under a key of this call's own: places up to 50 orders, each by itself.
    ///
    /// # Errors
    /// See [`Client`]. What the service refuses of one order is in [`Batch::results`].
    pub async fn place_batch(&self, orders: &[NewOrder]) -> Result<Batch, Error> {
        self.place_batch_as(IdempotencyKey::random(), orders).await
    }

    /// `POST /orders/batch` under this key. The same key and orders again find the orders that were placed, and try the
    /// others again.
    ///
    /// # Errors
    /// See [`Client`]. What the service refuses of one order is in [`Batch::results`].
    pub async fn place_batch_as(&self, key: impl Into<IdempotencyKey>, orders: &[NewOrder]) -> Result<Batch, Error> {
        let key = key.into();
        let call = Call::write(Method::POST, "/orders/batch", &["orders", "batch"]);
        let call = call.header(IDEMPOTENCY_KEY, key.as_str())?.json(&serde_json::json!({ "orders": orders }))?;
        match self.0.send(&call).await.and_then(|success| present(success.value)) {
            Ok(answer) => Ok(Batch::new(answer, key)),
            Err(error) => Err(error.with_key(key)),
        }
    }

    /// `GET /orders/{id}`
    ///
    /// # Errors
    /// See [`Client`].
    pub async fn order(&self, id: Uuid) -> Result<Order, Error> {
        let call = Call::get("/orders/{id}", &["orders", &id.to_string()]);
        present(self.0.send(&call).await?.value)
    }

    /// `GET /orders/{id}` with `If-None-Match`: `None` while the order still has this version.
    ///
    /// # Errors
    /// See [`Client`].
    pub async fn order_if_changed(&self, known: &Order) -> Result<Option<Order>, Error> {
        let call = Call::get("/orders/{id}", &["orders", &known.id.to_string()]);
        let call = call.header(IF_NONE_MATCH, &entity_tag(known.version))?;
        Ok(self.0.send(&call).await?.value)
    }

    /// `GET /orders`: one page, the first one or the one at a cursor.
    ///
    /// # Errors
    /// See [`Client`].
    pub async fn page(&self, query: &ListQuery, cursor: Option<&str>) -> Result<Page, Error> {
        let call = Call { query: query.pairs(cursor)?, ..Call::get("/orders", &["orders"]) };
        present(self.0.send(&call).await?.value)
    }

    /// `GET /orders`: all rows, each page when the stream comes to it. The stream ends after an error.
    pub fn orders<Q: Into<ListQuery>>(
        &self,
        query: Q,
    ) -> impl Stream<Item = Result<OrderSummary, Error>> + Send + Unpin + use<Q> {
        listing::walk(self.clone(), query.into())
    }

    /// `PUT /orders/{id}`: replaces the fields given.
    ///
    /// # Errors
    /// See [`Client`].
    pub async fn update_order(&self, target: impl Into<Target>, edit: &Edit) -> Result<Order, Error> {
        let target = target.into();
        let call = Call::write(Method::PUT, "/orders/{id}", &["orders", &target.id.to_string()]);
        self.change(target, call, overwriting(target), edit).await
    }

    /// `PUT /orders/{id}/shipping`: sets the shipping information, which ships an order that is `processing`.
    ///
    /// # Errors
    /// See [`Client`].
    pub async fn ship_order(&self, target: impl Into<Target>, shipment: &Shipment) -> Result<Order, Error> {
        let target = target.into();
        let call = Call::write(Method::PUT, "/orders/{id}/shipping", &["orders", &target.id.to_string(), "shipping"]);
        self.change(target, call, overwriting(target), shipment).await
    }

    /// `PUT /orders/{id}/status`: moves the order to a status, or [to a status with a reason](crate::Status::because).
    ///
    /// # Errors
    /// See [`Client`].
    pub async fn move_order(&self, target: impl Into<Target>, to: impl Into<Move>) -> Result<Order, Error> {
        let target = target.into();
        let call = Call::write(Method::PUT, "/orders/{id}/status", &["orders", &target.id.to_string(), "status"]);
        // No status is left and entered again, so a move that is repeated undoes nothing.
        self.change(target, call, Effect::Idempotent, &to.into()).await
    }

    /// `DELETE /orders/{id}`
    ///
    /// # Errors
    /// See [`Client`].
    pub async fn delete_order(&self, target: impl Into<Target>) -> Result<(), Error> {
        let target = target.into();
        let call = Call::write(Method::DELETE, "/orders/{id}", &["orders", &target.id.to_string()]).on(&target)?;
        match self.0.send::<serde::de::IgnoredAny>(&call).await {
            // An attempt whose answer was lost has deleted it.
            Err(error) if error.is_uncertain() && error.problem_kind() == Some(&ProblemKind::OrderNotFound) => Ok(()),
            result => result.map(drop),
        }
    }

    /// `GET /reports/orders`: what the orders of some days amount to. It trails the orders by some seconds.
    ///
    /// # Errors
    /// See [`Client`].
    pub async fn report(&self, query: &ReportQuery) -> Result<Report, Error> {
        let call = Call { query: query.pairs(), ..Call::get("/reports/orders", &["reports", "orders"]) };
        present(self.0.send(&call).await?.value)
    }

    /// `GET /health`, without a token.
    ///
    /// # Errors
    /// See [`Client`].
    pub async fn health(&self) -> Result<Health, Error> {
        let call = Call { needs_token: false, ..Call::get("/health", &["health"]) };
        present(self.0.send(&call).await?.value)
    }

    async fn change(&self, target: Target, call: Call, effect: Effect, wish: &impl Wish) -> Result<Order, Error> {
        let call = Call { effect, ..call.on(&target)?.json(wish)? };
        match self.0.send(&call).await {
            Ok(success) => present(success.value),
            Err(error) if is_stale(&error) && error.is_uncertain() => self.own_change(target, wish).await.ok_or(error),
            Err(error) => Err(error),
        }
    }

    /// The order, when nobody but the service has changed it since the next version and it has what was wished for: then
    /// an attempt whose answer was lost has changed it, and a later attempt found the version gone.
    async fn own_change(&self, target: Target, wish: &impl Wish) -> Option<Order> {
        let order = self.order(target.id).await.ok()?;
        let is_next = target.version.is_some_and(|version| is_next(&order, version));
        (is_next && wish.is_fulfilled_by(&order)).then_some(order)
    }
}

/// Whether one change was made since this version, with what the service does of itself about the stock afterwards.
fn is_next(order: &Order, version: u64) -> bool {
    let is_follow_up = |entry: &HistoryEntry| {
        !entry.events.is_empty() && entry.events.iter().all(|event| event.starts_with("inventory."))
    };
    let mut later = version + 2..=order.version;
    order.version > version
        && later.all(|version| order.history.iter().any(|entry| entry.version == version && is_follow_up(entry)))
}

impl fmt::Debug for Client {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Client").field(&self.0.base.as_str()).finish()
    }
}

/// Without a condition, a write that is repeated could replace what somebody else wrote after it.
fn overwriting(target: Target) -> Effect {
    if target.version.is_some() { Effect::Idempotent } else { Effect::Once }
}

fn is_stale(error: &Error) -> bool {
    matches!(error.problem_kind(), Some(ProblemKind::PreconditionFailed { .. }))
}

/// Only answers to other questions have no body.
pub(crate) fn present<T>(value: Option<T>) -> Result<T, Error> {
    value.ok_or_else(|| Error::new(ErrorKind::Unreadable { status: 204 }, 1, true))
}
