//! Fakes for partners that are not there yet: a deterministic catalogue, unlimited stock, every customer known.

use domain::id::{CustomerId, ProductId, TenantId};
use domain::invalid::Invalid;
use domain::line::{Product, ProductName};
use domain::money::{Currency, Money};
use domain::order::Contact;
use domain::ports::{ConfirmError, CustomerService, InventoryService, Outage, ReserveError, Unavailable};
use domain::reservation::{Reservation, ReservationId};
use domain::text::Text;

/// Ids with this prefix do not exist.
const UNKNOWN: &str = "unknown";

/// Knows every customer whose id does not start with `unknown`.
#[derive(Debug, Clone, Copy, Default)]
pub struct FakeCustomers;

impl CustomerService for FakeCustomers {
    async fn find(&self, _: &TenantId, id: &CustomerId) -> Result<Option<Contact>, Unavailable> {
        if id.as_str().starts_with(UNKNOWN) {
            return Ok(None);
        }
        contact(id).map(Some).map_err(|error| broken("customer fake", &error))
    }
}

fn contact(id: &CustomerId) -> Result<Contact, Invalid> {
    let (name, email) = (format!("Customer {id}"), format!("{id}@customers.invalid"));
    Ok(Contact { name: Text::parse(name)?, email: Text::parse(email)? })
}

/// Has every product whose id does not start with `unknown`, at a price that depends on the id alone, without end.
#[derive(Debug, Clone, Copy, Default)]
pub struct FakeInventory;

impl InventoryService for FakeInventory {
    async fn products(&self, _: &TenantId, ids: &[ProductId]) -> Result<Vec<Product>, Unavailable> {
        let known = ids.iter().filter(|id| !id.as_str().starts_with(UNKNOWN));
        known.map(|id| product(id).map_err(|error| broken("inventory fake", &error))).collect()
    }

    async fn reserve(&self, _: &Reservation) -> Result<(), ReserveError> {
        Ok(())
    }

    async fn confirm(&self, _: &TenantId, _: ReservationId) -> Result<(), ConfirmError> {
        Ok(())
    }

    async fn release(&self, _: &TenantId, _: ReservationId) -> Result<(), Unavailable> {
        Ok(())
    }
}

/// A price from 1.00 to 99.99 EUR.
fn product(id: &ProductId) -> Result<Product, Invalid> {
    let sum = id.as_str().bytes().fold(7_i64, |sum, byte| (sum * 31 + i64::from(byte)) % 9_900);
    let unit_price = Money::new(100 + sum, Currency::parse("EUR")?);
    Ok(Product { id: id.clone(), name: ProductName::parse(format!("Product {id}"))?, unit_price })
}

fn broken(service: &'static str, error: &Invalid) -> Unavailable {
    Unavailable { service, outage: Outage::NoAnswer, detail: error.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tenant() -> TenantId {
        TenantId::parse("demo").unwrap()
    }

    #[tokio::test]
    async fn a_product_always_costs_the_same() {
        let id = [ProductId::parse("tea").unwrap()];
        let price = async || FakeInventory.products(&tenant(), &id).await.unwrap()[0].unit_price;
        assert_eq!(price().await, price().await);
        assert!((100..10_000).contains(&price().await.amount()));
    }

    #[tokio::test]
    async fn what_is_called_unknown_does_not_exist() {
        assert_eq!(FakeCustomers.find(&tenant(), &CustomerId::parse("unknown-1").unwrap()).await, Ok(None));
        assert_eq!(FakeInventory.products(&tenant(), &[ProductId::parse("unknown-1").unwrap()]).await, Ok(vec![]));
    }
}
