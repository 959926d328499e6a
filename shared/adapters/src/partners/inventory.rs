//! `GET {INVENTORY_SERVICE_URL}/products`, and `PUT`, `POST …/confirm` and `DELETE` of
//! `{INVENTORY_SERVICE_URL}/reservations/{id}`

use std::time::Duration;

use domain::id::ProductId;
use domain::line::{Product, ProductName};
use domain::money::{Currency, Money};
use domain::ports::{ConfirmError, InventoryService, ReserveError, Unavailable};
use domain::reservation::{Reservation, ReservationId, Shortage};
use reqwest::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use super::cache::Cache;
use crate::outbound::Partner;

/// The inventory service over HTTP.
#[derive(Debug)]
pub struct HttpInventory {
    partner: Partner,
    known: Cache<ProductId, Product>,
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
    /// The service, whose products (never whose stock) are kept for a while.
    #[must_use]
    pub fn new(partner: Partner, kept_for: Duration) -> Self {
        Self { partner, known: Cache::new(kept_for) }
    }

    fn product(&self, body: ProductBody) -> Result<Product, Unavailable> {
        let bad = |what: &str| self.partner.unavailable(format_args!("a product's {what} is not valid"));
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

    fn shortage(&self, body: ShortageBody) -> Result<Shortage, Unavailable> {
        let product = ProductId::parse(body.product_id)
            .map_err(|_| self.partner.unavailable("a product's id in a refusal is not valid"))?;
        Ok(Shortage { product, requested: body.requested, available: body.available })
    }
}

impl InventoryService for HttpInventory {
    async fn products(&self, ids: &[ProductId]) -> Result<Vec<Product>, Unavailable> {
        let mut products: Vec<Product> = ids.iter().filter_map(|id| self.known.get(id)).collect();
        let wanted: Vec<&str> =
            ids.iter().filter(|id| products.iter().all(|product| product.id != **id)).map(ProductId::as_str).collect();
        if wanted.is_empty() {
            return Ok(products);
        }
        let mut url = self.partner.url(&["products"]);
        url.set_query(Some(&format!("ids={}", wanted.join(","))));
        let answer = self.partner.call(|client| client.get(url.clone())).await?;
        if answer.status != StatusCode::OK {
            return Err(self.partner.unexpected(&answer));
        }
        for body in self.partner.read::<ProductsBody>(&answer)?.products {
            let product = self.product(body)?;
            self.known.put(product.id.clone(), product.clone());
            products.push(product);
        }
        Ok(products)
    }

    async fn reserve(&self, reservation: &Reservation) -> Result<(), ReserveError> {
        let (url, body) = (self.partner.url(&["reservations", &reservation.id.to_string()]), hold(reservation));
        let answer = self.partner.call(|client| client.put(url.clone()).json(&body)).await?;
        match answer.status {
            StatusCode::OK => Ok(()),
            StatusCode::CONFLICT => {
                let refusal: RefusalBody = self.partner.read(&answer)?;
                let shortages = refusal.unavailable.into_iter().map(|line| self.shortage(line));
                Err(ReserveError::OutOfStock(shortages.collect::<Result<_, _>>()?))
            }
            _ => Err(self.partner.unexpected(&answer).into()),
        }
    }

    async fn confirm(&self, id: ReservationId) -> Result<(), ConfirmError> {
        let url = self.partner.url(&["reservations", &id.to_string(), "confirm"]);
        let answer = self.partner.call(|client| client.post(url.clone())).await?;
        match answer.status {
            StatusCode::NO_CONTENT => Ok(()),
            StatusCode::GONE | StatusCode::NOT_FOUND => Err(ConfirmError::Expired),
            _ => Err(self.partner.unexpected(&answer).into()),
        }
    }

    async fn release(&self, id: ReservationId) -> Result<(), Unavailable> {
        let url = self.partner.url(&["reservations", &id.to_string()]);
        let answer = self.partner.call(|client| client.delete(url.clone())).await?;
        match answer.status {
            StatusCode::NO_CONTENT | StatusCode::NOT_FOUND => Ok(()),
            _ => Err(self.partner.unexpected(&answer)),
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
