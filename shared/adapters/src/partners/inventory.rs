//! `GET {INVENTORY_SERVICE_URL}/products`, `PUT` and `DELETE {INVENTORY_SERVICE_URL}/reservations/{id}`

use domain::id::ProductId;
use domain::line::{Product, ProductName};
use domain::money::{Currency, Money};
use domain::ports::{InventoryService, ReserveError, Unavailable};
use domain::reservation::{Reservation, ReservationId, Shortage};
use reqwest::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use super::client::{PartnerClient, read, send, unavailable, unexpected};
use crate::config::{self, ConfigError};

const SERVICE: &str = "inventory service";

/// The inventory service over HTTP.
#[derive(Debug, Clone)]
pub struct HttpInventory {
    client: PartnerClient,
    url: String,
}

#[derive(Deserialize)]
struct ProductsBody {
    products: Vec<ProductBody>,
}

#[derive(Deserialize)]
struct ProductBody {
    id: String,
    name: String,
    unit_price: MoneyBody,
}

#[derive(Deserialize)]
struct MoneyBody {
    amount: i64,
    currency: String,
}

#[derive(Deserialize)]
struct RefusalBody {
    unavailable: Vec<ShortageBody>,
}

#[derive(Deserialize)]
struct ShortageBody {
    product_id: String,
    requested: u32,
    available: u32,
}

impl HttpInventory {
    /// The service at `INVENTORY_SERVICE_URL`.
    ///
    /// # Errors
    /// [`ConfigError::Missing`].
    pub fn from_env(client: PartnerClient) -> Result<Self, ConfigError> {
        Ok(Self { client, url: config::required("INVENTORY_SERVICE_URL")?.trim_end_matches('/').to_owned() })
    }

    fn reservation_url(&self, id: ReservationId) -> String {
        format!("{}/reservations/{id}", self.url)
    }
}

impl InventoryService for HttpInventory {
    async fn products(&self, ids: &[ProductId]) -> Result<Vec<Product>, Unavailable> {
        let ids: Vec<&str> = ids.iter().map(ProductId::as_str).collect();
        let url = format!("{}/products?ids={}", self.url, ids.join(","));
        let body: ProductsBody = self.client.get(SERVICE, &url).await?;
        body.products.into_iter().map(product).collect()
    }

    async fn reserve(&self, reservation: &Reservation) -> Result<(), ReserveError> {
        let request = self.client.http().put(self.reservation_url(reservation.id)).json(&hold(reservation));
        let answer = send(SERVICE, request).await?;
        match answer.status() {
            StatusCode::OK => Ok(()),
            StatusCode::CONFLICT => {
                let refusal: RefusalBody = read(SERVICE, answer).await?;
                let shortages = refusal.unavailable.into_iter().map(shortage).collect::<Result<_, _>>()?;
                Err(ReserveError::OutOfStock(shortages))
            }
            _ => Err(unexpected(SERVICE, &answer).into()),
        }
    }

    async fn release(&self, id: ReservationId) -> Result<(), Unavailable> {
        let answer = send(SERVICE, self.client.http().delete(self.reservation_url(id))).await?;
        match answer.status() {
            StatusCode::NO_CONTENT | StatusCode::NOT_FOUND => Ok(()),
            _ => Err(unexpected(SERVICE, &answer)),
        }
    }
}

fn hold(reservation: &Reservation) -> Value {
    let lines: Vec<Value> = reservation
        .lines
        .iter()
        .map(|(product, quantity)| json!({"product_id": product.as_str(), "quantity": quantity.get()}))
        .collect();
    json!({"tenant": reservation.tenant.as_str(), "order_id": reservation.order.to_string(), "lines": lines})
}

fn product(body: ProductBody) -> Result<Product, Unavailable> {
    let bad = |what: &str| unavailable(SERVICE, &format_args!("a product's {what} is not valid"));
    let currency = Currency::parse(&body.unit_price.currency).map_err(|_| bad("currency"))?;
    if body.unit_price.amount < 0 {
        return Err(bad("price"));
    }
    Ok(Product {
        id: ProductId::parse(body.id).map_err(|_| bad("id"))?,
        name: ProductName::parse(body.name).map_err(|_| bad("name"))?,
        unit_price: Money::new(body.unit_price.amount, currency),
    })
}

fn shortage(body: ShortageBody) -> Result<Shortage, Unavailable> {
    let product = ProductId::parse(body.product_id)
        .map_err(|_| unavailable(SERVICE, &"a product's id in a refusal is not valid"))?;
    Ok(Shortage { product, requested: body.requested, available: body.available })
}
