//! Money as clients and event consumers see it.

use domain::money::Money;
use serde::Serialize;

/// An amount of money.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schemas", derive(schemars::JsonSchema), schemars(rename = "Money"))]
pub(super) struct MoneyView {
    /// Minor units, for instance cents.
    amount: i64,
    /// ISO 4217 code.
    #[cfg_attr(feature = "schemas", schemars(regex(pattern = "^[A-Z]{3}$")))]
    currency: String,
}

impl From<Money> for MoneyView {
    fn from(money: Money) -> Self {
        Self { amount: money.amount(), currency: money.currency().as_str().to_owned() }
    }
}
