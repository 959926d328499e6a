//! `/admin`: sets the scene and looks behind it.

use std::time::Duration;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::{get, post, put};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::faults::{Call, ConnectionFault, Fault, Route, Target};
use crate::state::{Customer, Partners, now_millis};
use crate::stock::Money;

/// The admin routes.
pub fn routes() -> Router<Partners> {
    Router::new()
        .route("/admin/stock/{product_id}", get(get_stock).put(put_stock))
        .route("/admin/reservations/{id}/expire", post(expire_reservation))
        .route("/admin/customers/{id}", put(put_customer))
        .route("/admin/faults", put(put_fault))
        .route("/admin/authority", get(get_authority))
        .route("/admin/handshakes", get(get_handshakes))
        .route("/admin/requests", get(get_requests).delete(delete_requests))
}

#[derive(Deserialize)]
struct StockBody {
    name: String,
    unit_price: Money,
    available: u64,
}

async fn put_stock(
    State(partners): State<Partners>,
    Path(id): Path<String>,
    Json(StockBody { name, unit_price, available }): Json<StockBody>,
) -> StatusCode {
    partners.world().warehouse.set(id, name, unit_price, available);
    StatusCode::NO_CONTENT
}

async fn get_stock(State(partners): State<Partners>, Path(id): Path<String>) -> Result<Json<Value>, StatusCode> {
    let product = partners.world().warehouse.product(&id, now_millis()).ok_or(StatusCode::NOT_FOUND)?;
    Ok(Json(json!({
        "available": product.available,
        "reserved": product.reserved,
        "confirmed": product.confirmed,
    })))
}

/// A reservation expires before its time, unless it is confirmed.
async fn expire_reservation(State(partners): State<Partners>, Path(id): Path<String>) -> StatusCode {
    partners.world().warehouse.expire_one(&id);
    StatusCode::NO_CONTENT
}

async fn put_customer(
    State(partners): State<Partners>,
    Path(id): Path<String>,
    Json(customer): Json<Customer>,
) -> StatusCode {
    partners.world().customers.insert(id, customer);
    StatusCode::NO_CONTENT
}

/// `value`: milliseconds for `delay`, a status code for `status`, nothing for the others. `tenant`, `method` and `id` (of
/// a customer, product or reservation) confine the fault to such calls.
#[derive(Deserialize)]
struct FaultBody {
    route: String,
    #[serde(default)]
    tenant: Option<String>,
    #[serde(default)]
    method: Option<String>,
    #[serde(default)]
    id: Option<String>,
    kind: String,
    #[serde(default)]
    value: Option<u64>,
}

async fn put_fault(
    State(partners): State<Partners>,
    Json(body): Json<FaultBody>,
) -> Result<StatusCode, (StatusCode, &'static str)> {
    let bad = |what| (StatusCode::UNPROCESSABLE_ENTITY, what);
    if body.route == "connections" {
        let fault = connection_fault_of(&body).ok_or(bad("connections: none, delay, reset or hang, for everybody"))?;
        partners.world().connections = fault;
        return Ok(StatusCode::NO_CONTENT);
    }
    let routes =
        routes_of(&body.route).ok_or(bad("route: customers, products, reservations, keys, connections or *"))?;
    let fault = fault_of(&body).ok_or(bad("kind: none, delay, status, reset or hang, with a fitting value"))?;
    let mut world = partners.world();
    for route in routes {
        let target = Target { route, tenant: body.tenant.clone(), method: body.method.clone(), id: body.id.clone() };
        match fault {
            Some(fault) => world.faults.set(target, fault),
            None => world.faults.end(&target),
        }
    }
    Ok(StatusCode::NO_CONTENT)
}

fn routes_of(name: &str) -> Option<Vec<Route>> {
    match name {
        "*" => Some(Route::OF_PARTNERS.to_vec()),
        "customers" => Some(vec![Route::Customers]),
        "products" => Some(vec![Route::Products]),
        "reservations" => Some(vec![Route::Reservations]),
        "keys" => Some(vec![Route::Keys]),
        _ => None,
    }
}

/// The fault asked for; the inner `None` ends one.
fn fault_of(body: &FaultBody) -> Option<Option<Fault>> {
    match (body.kind.as_str(), body.value) {
        ("none", _) => Some(None),
        ("delay", Some(millis)) => Some(Some(Fault::Delay(Duration::from_millis(millis)))),
        ("status", Some(code)) => {
            let status = u16::try_from(code).ok().and_then(|code| StatusCode::from_u16(code).ok())?;
            Some(Some(Fault::Status(status)))
        }
        ("reset", _) => Some(Some(Fault::Reset)),
        ("hang", _) => Some(Some(Fault::Hang)),
        _ => None,
    }
}

/// The fault asked for of connections over TLS; the inner `None` ends one.
fn connection_fault_of(body: &FaultBody) -> Option<Option<ConnectionFault>> {
    let FaultBody { route: _, tenant: None, method: None, id: None, kind, value } = body else { return None };
    match (kind.as_str(), value) {
        ("none", _) => Some(None),
        ("delay", Some(millis)) => Some(Some(ConnectionFault::Delay(Duration::from_millis(*millis)))),
        ("reset", _) => Some(Some(ConnectionFault::Reset)),
        ("hang", _) => Some(Some(ConnectionFault::Hang)),
        _ => None,
    }
}

/// The certificate of the authority that vouches for the partners over HTTPS, in PEM.
async fn get_authority(State(partners): State<Partners>) -> String {
    partners.identity().authority.clone()
}

/// How many handshakes over TLS were made later.
async fn get_handshakes(State(partners): State<Partners>) -> Json<Value> {
    Json(json!({"delayed": partners.world().delayed_handshakes}))
}

async fn get_requests(State(partners): State<Partners>) -> Json<Vec<Call>> {
    Json(partners.world().calls.clone())
}

async fn delete_requests(State(partners): State<Partners>) -> StatusCode {
    partners.world().calls.clear();
    StatusCode::NO_CONTENT
}
