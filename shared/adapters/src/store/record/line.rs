//! Lines within an item.

use domain::id::ProductId;
use domain::line::{Line, LineId, Price, ProductName, Quantity};
use domain::money::{Currency, Money};
use serde::{Deserialize, Serialize};

use super::DecodeError;

/// line_id, product_id, quantity, name, unit price
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct LineRecord {
    i: u32,
    p: String,
    q: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    n: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    u: Option<i64>,
}

impl LineRecord {
    /// The line, priced in this currency.
    pub(super) fn into_line(self, currency: Option<Currency>) -> Result<Line, DecodeError> {
        let quantity = Quantity::new(self.q)?;
        let price = match (self.n, self.u, currency) {
            (Some(name), Some(amount), Some(currency)) => {
                let unit_price = Money::new(amount, currency);
                Some(Price { name: ProductName::parse(name)?, unit_price, total: unit_price.times(quantity)? })
            }
            _ => None,
        };
        Ok(Line { id: LineId(self.i), product: ProductId::parse(self.p)?, quantity, price })
    }
}

impl From<&Line> for LineRecord {
    fn from(line: &Line) -> Self {
        let price = line.price.as_ref();
        Self {
            i: line.id.0,
            p: line.product.as_str().to_owned(),
            q: line.quantity.get(),
            n: price.map(|price| price.name.as_str().to_owned()),
            u: price.map(|price| price.unit_price.amount()),
        }
    }
}
