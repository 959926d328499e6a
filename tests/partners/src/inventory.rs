//! The inventory service.

use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post, put};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::state::{Partners, now_millis};
use crate::stock::{Hold, Line};

/// The inventory service's routes.
pub fn routes() -> Router<Partners> {
    Router::new()
        .route("/products", get(get_products))
        .route("/reservations/{id}", put(put_reservation).delete(delete_reservation))
        .route("/reservations/{id}/confirm", post(confirm_reservation))
}

#[derive(Deserialize)]
struct Ids {
    ids: String,
}

async fn get_products(State(partners): State<Partners>, Query(query): Query<Ids>) -> Json<Value> {
    let mut world = partners.world();
    let now = now_millis();
    let products: Vec<Value> = query
        .ids
        .split(',')
        .filter_map(|id| {
            let product = world.warehouse.product(id, now)?;
            Some(json!({
                "id": id,
                "name": product.name,
                "unit_price": product.unit_price,
                "available": product.available,
            }))
        })
        .collect();
    Json(json!({"products": products}))
}

/// `tenant` and `order_id` are part of the contract; this simulator has no use for them.
#[derive(Deserialize)]
struct ReservationBody {
    #[serde(rename = "tenant")]
    _tenant: String,
    #[serde(rename = "order_id")]
    _order_id: String,
    lines: Vec<Line>,
}

async fn put_reservation(
    State(partners): State<Partners>,
    Path(id): Path<String>,
    Json(body): Json<ReservationBody>,
) -> Response {
    match partners.world().warehouse.reserve(id.clone(), body.lines, now_millis()) {
        Hold::Held(expires_at) => Json(json!({"id": id, "expires_at": expires_at})).into_response(),
        Hold::Short(unavailable) => (StatusCode::CONFLICT, Json(json!({"unavailable": unavailable}))).into_response(),
        Hold::Mismatch => StatusCode::UNPROCESSABLE_ENTITY.into_response(),
    }
}

async fn confirm_reservation(State(partners): State<Partners>, Path(id): Path<String>) -> StatusCode {
    if partners.world().warehouse.confirm(&id, now_millis()) { StatusCode::NO_CONTENT } else { StatusCode::GONE }
}

async fn delete_reservation(State(partners): State<Partners>, Path(id): Path<String>) -> StatusCode {
    partners.world().warehouse.release(&id, now_millis());
    StatusCode::NO_CONTENT
}
