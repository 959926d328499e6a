//! Order lines: what was asked for, and what it costs once the inventory service has priced it.

use std::collections::BTreeMap;
use std::fmt;

use crate::id::ProductId;
use crate::invalid::{Invalid, InvalidCode};
use crate::money::{Money, MoneyError};
use crate::quantity::Quantity;
use crate::text::Text;

/// What a client asks for: 1 to 100 lines, one per product, in the order first named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestedLines(Vec<(ProductId, Quantity)>);

impl RequestedLines {
    /// The most lines one order can hold.
    pub const MAX: usize = 100;

    /// Parses a list of lines; lines of the same product are summed into the first.
    ///
    /// # Errors
    /// [`InvalidCode::Empty`], [`InvalidCode::TooMany`] beyond 100 lines, [`InvalidCode::OutOfRange`] when the
    /// summed quantity of a product is.
    pub fn parse(lines: Vec<(ProductId, Quantity)>) -> Result<Self, Invalid> {
        if lines.is_empty() {
            return Err(Invalid::new(InvalidCode::Empty, "must have at least 1 line"));
        }
        if lines.len() > Self::MAX {
            return Err(Invalid::new(InvalidCode::TooMany, format_args!("must have at most {} lines", Self::MAX)));
        }
        let mut summed: Vec<(ProductId, Quantity)> = Vec::with_capacity(lines.len());
        for (product, quantity) in lines {
            match summed.iter_mut().find(|(known, _)| *known == product) {
                Some((_, sum)) => *sum = Quantity::new(sum.get() + quantity.get())?,
                None => summed.push((product, quantity)),
            }
        }
        Ok(Self(summed))
    }

    /// Product and quantity of every line.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&ProductId, Quantity)> {
        self.0.iter().map(|(product, quantity)| (product, *quantity))
    }

    /// Whether both ask for the same products and quantities, in whatever order.
    #[must_use]
    pub fn is_same_as(&self, other: &Self) -> bool {
        self.0.len() == other.0.len() && self.0.iter().all(|line| other.0.contains(line))
    }

    /// The products, each once.
    #[must_use]
    pub fn products(&self) -> Vec<ProductId> {
        self.0.iter().map(|(product, _)| product.clone()).collect()
    }
}

/// A product as the inventory service offers it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Product {
    /// Its id.
    pub id: ProductId,
    /// Its name.
    pub name: ProductName,
    /// The price of one unit, not negative.
    pub unit_price: Money,
}

/// The name of a product: at most 255 characters.
pub type ProductName = Text<255>;

/// The number of a line within its order; it stays while the product does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LineId(pub u32);

impl fmt::Display for LineId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Name and price of a line, as they were when the order took them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Price {
    /// The product's name.
    pub name: ProductName,
    /// The price of one unit.
    pub unit_price: Money,
    /// Unit price times quantity.
    pub total: Money,
}

/// One product within an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Its id within the order.
    pub id: LineId,
    /// The product.
    pub product: ProductId,
    /// How many units.
    pub quantity: Quantity,
    /// Name and price; `None` while the inventory service has not been reached.
    pub price: Option<Price>,
}

/// The lines of an order and their sum.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Lines {
    lines: Vec<Line>,
    total: Option<Money>,
}

/// Why lines could not be priced.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PricingError {
    /// The inventory service does not know these products.
    #[error("unknown products")]
    UnknownProducts(Vec<ProductId>),
    /// The sum cannot be formed.
    #[error(transparent)]
    Money(#[from] MoneyError),
}

impl Lines {
    /// Lines that wait for the inventory service: no names, no prices, no total.
    #[must_use]
    pub fn unpriced(requested: &RequestedLines) -> Self {
        let lines = numbered(requested).map(|(id, product, quantity)| Line { id, product, quantity, price: None });
        Self { lines: lines.collect(), total: None }
    }

    /// Lines with the names and prices of `products`.
    ///
    /// # Errors
    /// [`PricingError`] when a product is missing, prices are of two currencies, or the sum is beyond 64 bits.
    pub fn priced(requested: &RequestedLines, products: &[Product]) -> Result<Self, PricingError> {
        let known: BTreeMap<&ProductId, &Product> = products.iter().map(|product| (&product.id, product)).collect();
        let unknown: Vec<ProductId> =
            requested.products().into_iter().filter(|product| !known.contains_key(product)).collect();
        if !unknown.is_empty() {
            return Err(PricingError::UnknownProducts(unknown));
        }
        let lines = numbered(requested)
            .filter_map(|(id, product, quantity)| {
                known.get(&product).map(|offer| (id, product.clone(), quantity, *offer))
            })
            .map(|(id, product, quantity, offer)| {
                let total = offer.unit_price.times(quantity)?;
                let price = Price { name: offer.name.clone(), unit_price: offer.unit_price, total };
                Ok(Line { id, product, quantity, price: Some(price) })
            })
            .collect::<Result<Vec<_>, MoneyError>>()?;
        Self::restore(lines).map_err(PricingError::Money)
    }

    /// Lines as they were stored; the sum is formed anew.
    ///
    /// # Errors
    /// [`MoneyError`] when the line totals cannot be summed.
    pub fn restore(lines: Vec<Line>) -> Result<Self, MoneyError> {
        let totals: Option<Vec<Money>> =
            lines.iter().map(|line| line.price.as_ref().map(|price| price.total)).collect();
        let mut totals = totals.unwrap_or_default().into_iter();
        let total = match totals.next() {
            None => None,
            Some(first) => Some(totals.try_fold(first, Money::plus)?),
        };
        Ok(Self { lines, total })
    }

    /// These lines in place of `old`: a product that stays keeps its line's id, a new one gets the next.
    #[must_use]
    pub fn numbered_after(mut self, old: &Self) -> Self {
        let mut next = old.lines.iter().map(|line| line.id.0).max().unwrap_or_default();
        for line in &mut self.lines {
            line.id = match old.lines.iter().find(|known| known.product == line.product) {
                Some(known) => known.id,
                None => {
                    next += 1;
                    LineId(next)
                }
            };
        }
        self
    }

    /// The lines.
    #[must_use]
    pub fn as_slice(&self) -> &[Line] {
        &self.lines
    }

    /// The lines as they were asked for.
    #[must_use]
    pub fn requested(&self) -> RequestedLines {
        RequestedLines(self.lines.iter().map(|line| (line.product.clone(), line.quantity)).collect())
    }

    /// The sum of the line totals; `None` while a line has no price.
    #[must_use]
    pub const fn total(&self) -> Option<Money> {
        self.total
    }
}

fn numbered(requested: &RequestedLines) -> impl Iterator<Item = (LineId, ProductId, Quantity)> {
    (1..).map(LineId).zip(requested.iter()).map(|(id, (product, quantity))| (id, product.clone(), quantity))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::money::Currency;

    fn product(id: &str) -> ProductId {
        ProductId::parse(id).unwrap()
    }

    fn requested(lines: &[(&str, u32)]) -> RequestedLines {
        RequestedLines::parse(lines.iter().map(|(id, n)| (product(id), Quantity::new(*n).unwrap())).collect()).unwrap()
    }

    fn offer(id: &str, amount: i64, currency: &str) -> Product {
        let unit_price = Money::new(amount, Currency::parse(currency).unwrap());
        Product { id: product(id), name: ProductName::parse(id).unwrap(), unit_price }
    }

    #[test]
    fn lines_of_one_product_are_summed_into_the_first() {
        let lines = requested(&[("a", 1), ("b", 2), ("a", 3)]);
        let pairs: Vec<_> = lines.iter().map(|(p, q)| (p.as_str().to_owned(), q.get())).collect();
        assert_eq!(pairs, [("a".to_owned(), 4), ("b".to_owned(), 2)]);
    }

    #[test]
    fn a_summed_quantity_stays_within_the_bound() {
        let line = || (product("a"), Quantity::new(6_000).unwrap());
        assert_eq!(RequestedLines::parse(vec![line(), line()]).unwrap_err().code, InvalidCode::OutOfRange);
    }

    #[test]
    fn an_order_has_1_to_100_lines() {
        let line = |n: usize| (product(&format!("p{n}")), Quantity::new(1).unwrap());
        assert_eq!(RequestedLines::parse(vec![]).unwrap_err().code, InvalidCode::Empty);
        assert!(RequestedLines::parse((0..100).map(line).collect()).is_ok());
        assert_eq!(RequestedLines::parse((0..101).map(line).collect()).unwrap_err().code, InvalidCode::TooMany);
    }

    #[test]
    fn the_total_is_the_sum_of_unit_prices_times_quantities() {
        let lines =
            Lines::priced(&requested(&[("a", 2), ("b", 3)]), &[offer("b", 5, "EUR"), offer("a", 7, "EUR")]).unwrap();
        assert_eq!(lines.total().unwrap().amount(), 29);
    }

    #[test]
    fn two_currencies_in_one_order_are_refused() {
        let outcome = Lines::priced(&requested(&[("a", 1), ("b", 1)]), &[offer("a", 1, "EUR"), offer("b", 1, "USD")]);
        assert_eq!(outcome, Err(PricingError::Money(MoneyError::CurrencyMismatch)));
    }

    #[test]
    fn unknown_products_are_named() {
        let outcome = Lines::priced(&requested(&[("a", 1), ("b", 1)]), &[offer("a", 1, "EUR")]);
        assert_eq!(outcome, Err(PricingError::UnknownProducts(vec![product("b")])));
    }

    #[test]
    fn the_same_lines_in_another_order_are_the_same() {
        let lines = requested(&[("a", 1), ("b", 2)]);
        assert!(lines.is_same_as(&requested(&[("b", 2), ("a", 1)])));
        for other in [requested(&[("a", 1)]), requested(&[("a", 2), ("b", 1)]), requested(&[("a", 1), ("c", 2)])] {
            assert!(!lines.is_same_as(&other), "{other:?}");
        }
    }

    #[test]
    fn unpriced_lines_have_no_total() {
        assert_eq!(Lines::unpriced(&requested(&[("a", 1)])).total(), None);
    }
}
