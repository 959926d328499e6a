//! The inventory service.

use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post, put};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::reservation::{Order, Units};
use crate::state::{Partners, now_millis};
use crate::stock::{Answer, Request};

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

#[derive(Deserialize)]
struct ReservationBody {
    tenant: String,
    order_id: String,
    lines: Vec<LineBody>,
    #[serde(default)]
    replaces: Option<String>,
}

#[derive(Deserialize)]
struct LineBody {
    product_id: String,
    quantity: u64,
}

impl From<ReservationBody> for Request {
    fn from(body: ReservationBody) -> Self {
        let ReservationBody { tenant, order_id, lines, replaces } = body;
        let mut units = Units::new();
        for line in lines {
            *units.entry(line.product_id).or_default() += line.quantity;
        }
        Self { order: Order { tenant, order_id }, units, replaces }
    }
}

async fn put_reservation(
    State(partners): State<Partners>,
    Path(id): Path<String>,
    Json(body): Json<ReservationBody>,
) -> Response {
    match partners.world().warehouse.reserve(id.clone(), body.into(), now_millis()) {
        Answer::Reserved(expires_at) => Json(json!({"id": id, "expires_at": expires_at})).into_response(),
        Answer::Unavailable(lines) => (StatusCode::CONFLICT, Json(json!({"unavailable": lines}))).into_response(),
        Answer::Mismatch => StatusCode::UNPROCESSABLE_ENTITY.into_response(),
        Answer::Released => StatusCode::GONE.into_response(),
    }
}

async fn confirm_reservation(State(partners): State<Partners>, Path(id): Path<String>) -> StatusCode {
    if partners.world().warehouse.confirm(&id, now_millis()) { StatusCode::NO_CONTENT } else { StatusCode::GONE }
}

async fn delete_reservation(State(partners): State<Partners>, Path(id): Path<String>) -> StatusCode {
    partners.world().warehouse.release(&id, now_millis());
    StatusCode::NO_CONTENT
}

#[cfg(test)]
mod tests {
    use super::*;

    fn partners() -> State<Partners> {
        State(Partners::load(None, "http://partners.example".to_owned(), 600).unwrap())
    }

    async fn put(partners: &State<Partners>, id: &str, quantity: u64, replaces: Option<&str>) -> u16 {
        let line = json!({"product_id": "sku-1", "quantity": quantity});
        let body = json!({"tenant": "demo", "order_id": "o", "lines": [line, line], "replaces": replaces});
        let body = serde_json::from_value(body).unwrap();
        put_reservation(partners.clone(), Path(id.to_owned()), Json(body)).await.status().as_u16()
    }

    async fn confirm(partners: &State<Partners>, id: &str) -> u16 {
        confirm_reservation(partners.clone(), Path(id.to_owned())).await.as_u16()
    }

    async fn delete(partners: &State<Partners>, id: &str) -> u16 {
        delete_reservation(partners.clone(), Path(id.to_owned())).await.as_u16()
    }

    #[tokio::test]
    async fn a_reservation_answers_what_the_contract_says() {
        let partners = partners();
        assert_eq!((put(&partners, "r", 2, None).await, put(&partners, "r", 2, None).await), (200, 200));
        assert_eq!((put(&partners, "r", 3, None).await, put(&partners, "s", 501, None).await), (422, 409));
        assert_eq!((confirm(&partners, "r").await, confirm(&partners, "r").await), (204, 204));
        assert_eq!((delete(&partners, "r").await, delete(&partners, "r").await), (204, 204));
        assert_eq!((put(&partners, "r", 2, None).await, confirm(&partners, "r").await), (410, 410));
        assert_eq!((delete(&partners, "never seen").await, put(&partners, "never seen", 2, None).await), (204, 410));
    }

    #[tokio::test]
    async fn a_reservation_can_replace_another_of_the_same_units() {
        let partners = partners();
        assert_eq!((put(&partners, "old", 500, None).await, put(&partners, "new", 400, Some("old")).await), (200, 200));
        assert_eq!((confirm(&partners, "new").await, confirm(&partners, "old").await), (204, 410));
    }
}
