//! The customer service.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Value, json};

use crate::state::Partners;

/// The customer service's routes.
pub fn routes() -> Router<Partners> {
    Router::new().route("/customers/{id}", get(get_customer))
}

async fn get_customer(State(partners): State<Partners>, Path(id): Path<String>) -> Result<Json<Value>, StatusCode> {
    let customer = partners.world().customers.get(&id).cloned().ok_or(StatusCode::NOT_FOUND)?;
    Ok(Json(json!({"id": id, "name": customer.name, "email": customer.email, "status": "active"})))
}
