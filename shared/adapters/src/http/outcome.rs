//! Domain errors as problems: one exhaustive match each, no wildcard, so that a new error cannot be forgotten.

use domain::caller::Forbidden;
use domain::id::ProductId;
use domain::ports::{StoreError, Unavailable};
use domain::reservation::Shortage;
use domain::use_cases::{GetOrderError, PlaceOrderError};
use serde_json::json;

use super::{Code, Problem};

impl From<Forbidden> for Problem {
    fn from(error: Forbidden) -> Self {
        match error {
            Forbidden::MissingScope(scope) => Self::new(Code::InsufficientScope).member("scope", scope.as_str()),
            Forbidden::OtherCustomer => Self::new(Code::OtherCustomer),
        }
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        let code = match &error {
            StoreError::Throttled(_) | StoreError::Unavailable(_) => Code::Unavailable,
            StoreError::Rejected(_) | StoreError::Corrupt(_) => Code::Internal,
        };
        Self::new(code).because(error)
    }
}

impl From<Unavailable> for Problem {
    fn from(error: Unavailable) -> Self {
        Self::new(Code::Unavailable).because(error)
    }
}

impl From<GetOrderError> for Problem {
    fn from(error: GetOrderError) -> Self {
        match error {
            GetOrderError::NotFound => Self::new(Code::OrderNotFound),
            GetOrderError::Store(error) => error.into(),
        }
    }
}

impl From<PlaceOrderError> for Problem {
    fn from(error: PlaceOrderError) -> Self {
        match error {
            PlaceOrderError::Forbidden(error) => error.into(),
            PlaceOrderError::UnknownCustomer => Self::new(Code::UnknownCustomer),
            PlaceOrderError::UnknownProducts(products) => {
                Self::new(Code::UnknownProduct).member("products", names(&products))
            }
            PlaceOrderError::OutOfStock(shortages) => out_of_stock(&shortages),
            PlaceOrderError::Money(error) => Self::new(Code::InvalidTotal).detail(error.to_string()),
            PlaceOrderError::KeyReused => Self::new(Code::IdempotencyKeyReused),
            PlaceOrderError::Gone => Self::new(Code::OrderDeleted),
            PlaceOrderError::Unavailable(error) => error.into(),
            PlaceOrderError::Store(error) => error.into(),
        }
    }
}

fn names(products: &[ProductId]) -> Vec<&str> {
    products.iter().map(ProductId::as_str).collect()
}

fn out_of_stock(shortages: &[Shortage]) -> Problem {
    let unavailable: Vec<_> = shortages
        .iter()
        .map(|line| {
            json!({
                "product_id": line.product.as_str(),
                "requested": line.requested,
                "available": line.available,
            })
        })
        .collect();
    Problem::new(Code::OutOfStock).member("unavailable", unavailable)
}
