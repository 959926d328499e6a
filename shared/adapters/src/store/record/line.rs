//! Lines within an item.

use domain::id::ProductId;
use domain::line::{Line, LineId, Price, ProductName};
use domain::money::{Currency, Money};
use domain::quantity::Quantity;
use serde::{Deserialize, Serialize};

use super::value::DecodeError;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct LineRecord {
    #[serde(rename = "i")]
    line_id: u32,
    #[serde(rename = "p")]
    product_id: String,
    #[serde(rename = "q")]
    quantity: u32,
    #[serde(rename = "n", default, skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(rename = "u", default, skip_serializing_if = "Option::is_none")]
    unit_price: Option<i64>,
}

impl LineRecord {
    /// The line, priced in this currency.
    pub(super) fn into_line(self, currency: Option<Currency>) -> Result<Line, DecodeError> {
        let quantity = Quantity::restore(self.quantity);
        let price = match (self.name, self.unit_price, currency) {
            (Some(name), Some(amount), Some(currency)) => {
                let unit_price = Money::new(amount, currency);
                Some(Price { name: ProductName::restore(name), unit_price, total: unit_price.times(quantity)? })
            }
            _ => None,
        };
        Ok(Line { id: LineId(self.line_id), product: ProductId::restore(self.product_id), quantity, price })
    }
}

impl From<&Line> for LineRecord {
    fn from(line: &Line) -> Self {
        let Line { id: LineId(line_id), product, quantity, price } = line;
        Self {
            line_id: *line_id,
            product_id: product.as_str().to_owned(),
            quantity: quantity.get(),
            name: price.as_ref().map(|price| price.name.as_str().to_owned()),
            unit_price: price.as_ref().map(|price| price.unit_price.amount()),
        }
    }
}
