//! Faults on demand, and the log of calls.

use std::time::Duration;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};

use crate::state::{Partners, now_millis};

/// The routes that faults can be set for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Route {
    Customers,
    Products,
    Reservations,
}

impl Route {
    /// Every route.
    pub const ALL: [Self; 3] = [Self::Customers, Self::Products, Self::Reservations];

    fn of(path: &str) -> Self {
        match path.split('/').nth(1) {
            Some("customers") => Self::Customers,
            Some("products") => Self::Products,
            _ => Self::Reservations,
        }
    }
}

/// How a route misbehaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// It answers this much later.
    Delay(Duration),
    /// It answers this status and does nothing.
    Status(StatusCode),
    /// It closes the connection without an answer.
    Reset,
    /// It never answers.
    Hang,
}

/// One call, as the admin surface shows it.
#[derive(Debug, Clone, Serialize)]
pub struct Call {
    /// Milliseconds since 1970.
    at: u64,
    route: Route,
    method: String,
    path: String,
}

/// Notes the call, then answers or misbehaves.
pub async fn inject(State(partners): State<Partners>, request: Request, next: Next) -> Response {
    let path = request.uri().path_and_query().map_or_else(String::new, ToString::to_string);
    let route = Route::of(&path);
    let call = Call { at: now_millis(), route, method: request.method().to_string(), path };
    let fault = {
        let mut world = partners.world();
        world.calls.push(call);
        world.faults.get(&route).copied()
    };
    match fault {
        None => next.run(request).await,
        Some(Fault::Delay(delay)) => {
            tokio::time::sleep(delay).await;
            next.run(request).await
        }
        Some(Fault::Status(status)) => (status, Body::empty()).into_response(),
        // Ends the connection's task, and with it the connection, without the noise of a panic.
        Some(Fault::Reset) => std::panic::resume_unwind(Box::new("reset")),
        Some(Fault::Hang) => std::future::pending().await,
    }
}
