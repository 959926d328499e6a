//! Money as clients and event consumers see it.

use domain::money::Money;
use serde::Serialize;

#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schemas", derive(schemars::JsonSchema))]
pub(super) struct MoneyView {
    amount: i64,
    currency: String,
}

impl From<Money> for MoneyView {
    fn from(money: Money) -> Self {
        Self { amount: money.amount(), currency: money.currency().as_str().to_owned() }
    }
}
