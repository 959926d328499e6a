//! `GET {INVENTORY_SERVICE_URL}/products`, and `PUT`, `POST …/confirm` and `DELETE` of
//! `{INVENTORY_SERVICE_URL}/reservations/{id}`

use std::time::Duration;

use domain::id::{ProductId, TenantId};
use domain::line::{Product, ProductName};
use domain::money::{Currency, Money};
use domain::ports::{ConfirmError, InventoryService, ReserveError, Unavailable};
use domain::reservation::{Reservation, ReservationId, Shortage};
use serde::{Deserialize, Serialize};

use super::cache::Cache;
use crate::connections::Connection;
use crate::outbound::{Answer, CallScope, Partner};

/// The time that a release may take beyond that of its request.
const RELEASE: Duration = Duration::from_millis(500);

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

#[derive(Serialize)]
struct ReservationBody<'a> {
    tenant: &'a str,
    order_id: String,
    lines: Vec<LineBody<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    replaces: Option<String>,
}

#[derive(Serialize)]
struct LineBody<'a> {
    product_id: &'a str,
    quantity: u32,
}

#[derive(Deserialize)]
struct RefusalBody {
    unavailable: Vec<serde_json::Value>,
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

    /// Makes a connection before it is needed.
    pub fn connection(&self) -> Connection {
        self.partner.connection()
    }

    /// A product, if it is one of those asked for.
    fn product(&self, asked: &[&ProductId], body: ProductBody) -> Result<Product, Unavailable> {
        let id = asked.iter().find(|id| id.as_str() == body.id);
        let id = id.ok_or_else(|| self.partner.unavailable("it answered with another product"))?;
        let bad = |what: &str| self.partner.unavailable(format_args!("a product's {what} is not valid"));
        let currency = Currency::parse(&body.unit_price.currency).map_err(|_| bad("currency"))?;
        if body.unit_price.amount < 0 {
            return Err(bad("price"));
        }
        Ok(Product {
            id: (*id).clone(),
            name: ProductName::parse(body.name).map_err(|_| bad("name"))?,
            unit_price: Money::new(body.unit_price.amount, currency),
        })
    }

    /// The shortages of a refusal, as far as they can be read: the status alone says that nothing is reserved.
    fn shortages(&self, answer: &Answer) -> Vec<Shortage> {
        let lines = self.partner.read::<RefusalBody>(answer).map(|refusal| refusal.unavailable).unwrap_or_default();
        lines.into_iter().filter_map(|line| shortage(line).ok()).collect()
    }
}

fn shortage(line: serde_json::Value) -> Result<Shortage, serde_json::Error> {
    let ShortageBody { product_id, requested, available } = serde_json::from_value(line)?;
    let product = ProductId::parse(product_id).map_err(serde::de::Error::custom)?;
    Ok(Shortage { product, requested, available })
}

impl InventoryService for HttpInventory {
    async fn products(&self, tenant: &TenantId, ids: &[ProductId]) -> Result<Vec<Product>, Unavailable> {
        let mut products: Vec<Product> = ids.iter().filter_map(|id| self.known.get(tenant, id)).collect();
        let wanted: Vec<&ProductId> =
            ids.iter().filter(|id| products.iter().all(|product| product.id != **id)).collect();
        if wanted.is_empty() {
            return Ok(products);
        }
        let mut url = self.partner.url(&["products"]);
        let names: Vec<&str> = wanted.iter().map(|id| id.as_str()).collect();
        url.set_query(Some(&format!("ids={}", names.join(","))));
        let answer = self.partner.call(tenant, |client| client.get(url.clone())).await?;
        let found = match answer.status.as_u16() {
            200 => self.partner.read::<ProductsBody>(&answer)?.products,
            _ => return Err(self.partner.unlisted(&answer)),
        };
        let found = found.into_iter().map(|body| self.product(&wanted, body)).collect::<Result<Vec<_>, _>>()?;
        for product in &found {
            self.known.put(tenant, &product.id, product.clone());
        }
        products.extend(found);
        Ok(products)
    }

    async fn reserve(&self, reservation: &Reservation) -> Result<(), ReserveError> {
        let (url, body) = (self.partner.url(&["reservations", &reservation.id.to_string()]), body_of(reservation));
        let answer = self.partner.call(&reservation.tenant, |client| client.put(url.clone()).json(&body)).await?;
        match answer.status.as_u16() {
            200..=299 => Ok(()),
            409 => Err(ReserveError::OutOfStock(self.shortages(&answer))),
            410 | 422 => Err(ReserveError::Refused),
            _ => Err(self.partner.unlisted(&answer).into()),
        }
    }

    async fn confirm(&self, tenant: &TenantId, id: ReservationId) -> Result<(), ConfirmError> {
        let url = self.partner.url(&["reservations", &id.to_string(), "confirm"]);
        let answer = self.partner.call(tenant, |client| client.post(url.clone())).await?;
        match answer.status.as_u16() {
            200..=299 => Ok(()),
            410 => Err(ConfirmError::NotReserved),
            _ => Err(self.partner.unlisted(&answer).into()),
        }
    }

    /// Has some time of its own: what a request may have reserved in vain is released also when its time is up.
    async fn release(&self, tenant: &TenantId, id: ReservationId) -> Result<(), Unavailable> {
        let url = self.partner.url(&["reservations", &id.to_string()]);
        let call = self.partner.call(tenant, |client| client.delete(url.clone()));
        let answer = CallScope::at_least(RELEASE, self.partner.whole_patience()).run(call).await?;
        match answer.status.as_u16() {
            200..=299 => Ok(()),
            _ => Err(self.partner.unlisted(&answer)),
        }
    }
}

fn body_of(reservation: &Reservation) -> ReservationBody<'_> {
    let Reservation { id: _, tenant, order, lines, replaces } = reservation;
    let lines =
        lines.iter().map(|(product, quantity)| LineBody { product_id: product.as_str(), quantity: quantity.get() });
    let replaces = replaces.map(|id| id.to_string());
    ReservationBody { tenant: tenant.as_str(), order_id: order.to_string(), lines: lines.collect(), replaces }
}
