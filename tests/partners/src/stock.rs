//! Stock and reservations: units are free, held, or held for good; a hold that is not confirmed expires.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Everything the inventory service counts.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Warehouse {
    products: BTreeMap<String, Product>,
    reservations: BTreeMap<String, Reservation>,
    #[serde(skip)]
    hold_for: Duration,
}

/// A product and its units.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Product {
    pub name: String,
    pub unit_price: Money,
    pub available: u64,
    #[serde(default)]
    pub reserved: u64,
    #[serde(default)]
    pub confirmed: u64,
}

/// Minor units of a currency.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Money {
    pub amount: i64,
    pub currency: String,
}

/// One line of a reservation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    pub product_id: String,
    pub quantity: u64,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Reservation {
    lines: Vec<Line>,
    expires_at: u64,
    is_confirmed: bool,
}

/// A line that cannot be held.
#[derive(Debug, Serialize)]
pub struct Shortage {
    product_id: String,
    requested: u64,
    available: u64,
}

/// What became of a request to hold lines.
pub enum Hold {
    /// They are held until this time, in milliseconds since 1970.
    Held(u64),
    /// Nothing is held.
    Short(Vec<Shortage>),
    /// The reservation exists with other lines.
    Mismatch,
}

impl Warehouse {
    /// `sku-1` to `sku-20`, 1,000 units each.
    pub fn first() -> Self {
        let product = |n: i64| Product {
            name: format!("Product {n}"),
            unit_price: Money { amount: n * 100 - 1, currency: "EUR".to_owned() },
            available: 1_000,
            reserved: 0,
            confirmed: 0,
        };
        Self { products: (1..=20).map(|n| (format!("sku-{n}"), product(n))).collect(), ..Self::default() }
    }

    /// Sets how long an unconfirmed hold lives.
    pub fn hold_for(&mut self, hold_for: Duration) {
        self.hold_for = hold_for;
    }

    /// A product, after holds that ran out were given back.
    pub fn product(&mut self, id: &str, now: u64) -> Option<Product> {
        self.expire(now);
        self.products.get(id).cloned()
    }

    /// Adds a product, or sets its name, price and free units.
    pub fn set(&mut self, id: String, name: String, unit_price: Money, available: u64) {
        let (reserved, confirmed) = self.products.get(&id).map_or((0, 0), |old| (old.reserved, old.confirmed));
        self.products.insert(id, Product { name, unit_price, available, reserved, confirmed });
    }

    /// Holds all lines or none; repeating a reservation changes nothing.
    pub fn reserve(&mut self, id: String, lines: Vec<Line>, now: u64) -> Hold {
        self.expire(now);
        let lines = summed(lines);
        if let Some(known) = self.reservations.get(&id) {
            return if known.lines == lines { Hold::Held(known.expires_at) } else { Hold::Mismatch };
        }
        let shortages: Vec<Shortage> = lines.iter().filter_map(|line| self.shortage(line)).collect();
        if !shortages.is_empty() {
            return Hold::Short(shortages);
        }
        for line in &lines {
            self.move_units(line, |product, units| {
                product.available -= units;
                product.reserved += units;
            });
        }
        let expires_at = now + u64::try_from(self.hold_for.as_millis()).unwrap_or(u64::MAX);
        self.reservations.insert(id, Reservation { lines, expires_at, is_confirmed: false });
        Hold::Held(expires_at)
    }

    /// Keeps a hold for good. `false`: there is none, or no longer.
    pub fn confirm(&mut self, id: &str, now: u64) -> bool {
        self.expire(now);
        let Some(reservation) = self.reservations.get_mut(id) else { return false };
        if reservation.is_confirmed {
            return true;
        }
        reservation.is_confirmed = true;
        for line in reservation.lines.clone() {
            self.move_units(&line, |product, units| {
                product.reserved -= units;
                product.confirmed += units;
            });
        }
        true
    }

    /// Gives a hold back, if there is one.
    pub fn release(&mut self, id: &str, now: u64) {
        self.expire(now);
        self.remove(id);
    }

    fn expire(&mut self, now: u64) {
        let is_over = |hold: &Reservation| !hold.is_confirmed && hold.expires_at <= now;
        let over: Vec<String> =
            self.reservations.iter().filter(|(_, hold)| is_over(hold)).map(|(id, _)| id.clone()).collect();
        for id in over {
            self.remove(&id);
        }
    }

    fn remove(&mut self, id: &str) {
        let Some(reservation) = self.reservations.remove(id) else { return };
        for line in &reservation.lines {
            self.move_units(line, |product, units| {
                let held = if reservation.is_confirmed { &mut product.confirmed } else { &mut product.reserved };
                *held -= units;
                product.available += units;
            });
        }
    }

    fn shortage(&self, line: &Line) -> Option<Shortage> {
        let available = self.products.get(&line.product_id).map_or(0, |product| product.available);
        let (product_id, requested) = (line.product_id.clone(), line.quantity);
        (available < requested).then_some(Shortage { product_id, requested, available })
    }

    fn move_units(&mut self, line: &Line, change: impl FnOnce(&mut Product, u64)) {
        if let Some(product) = self.products.get_mut(&line.product_id) {
            change(product, line.quantity);
        }
    }
}

fn summed(lines: Vec<Line>) -> Vec<Line> {
    let mut units = BTreeMap::<String, u64>::new();
    for line in lines {
        *units.entry(line.product_id).or_default() += line.quantity;
    }
    units.into_iter().map(|(product_id, quantity)| Line { product_id, quantity }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn warehouse() -> Warehouse {
        let mut warehouse = Warehouse::first();
        warehouse.hold_for(Duration::from_secs(10));
        warehouse
    }

    fn line(product: &str, quantity: u64) -> Line {
        Line { product_id: product.to_owned(), quantity }
    }

    fn counts(warehouse: &mut Warehouse, id: &str, now: u64) -> (u64, u64, u64) {
        let product = warehouse.product(id, now).unwrap();
        (product.available, product.reserved, product.confirmed)
    }

    #[test]
    fn a_hold_is_taken_once_confirmed_once_and_released_once() {
        let mut warehouse = warehouse();
        for _ in 0..2 {
            assert!(matches!(warehouse.reserve("r".to_owned(), vec![line("sku-1", 3)], 0), Hold::Held(10_000)));
        }
        assert_eq!(counts(&mut warehouse, "sku-1", 0), (997, 3, 0));
        assert!(warehouse.confirm("r", 0) && warehouse.confirm("r", 0));
        assert_eq!(counts(&mut warehouse, "sku-1", 0), (997, 0, 3));
        warehouse.release("r", 0);
        warehouse.release("r", 0);
        assert_eq!(counts(&mut warehouse, "sku-1", 0), (1_000, 0, 0));
    }

    #[test]
    fn an_unconfirmed_hold_expires_and_can_no_longer_be_confirmed() {
        let mut warehouse = warehouse();
        warehouse.reserve("r".to_owned(), vec![line("sku-1", 3)], 0);
        assert_eq!(counts(&mut warehouse, "sku-1", 10_000), (1_000, 0, 0));
        assert!(!warehouse.confirm("r", 10_000));
    }

    #[test]
    fn a_confirmed_hold_never_expires() {
        let mut warehouse = warehouse();
        warehouse.reserve("r".to_owned(), vec![line("sku-1", 3)], 0);
        warehouse.confirm("r", 0);
        assert_eq!(counts(&mut warehouse, "sku-1", u64::MAX), (997, 0, 3));
    }

    #[test]
    fn all_lines_are_held_or_none() {
        let mut warehouse = warehouse();
        let lines = vec![line("sku-1", 1), line("sku-2", 600), line("sku-2", 600)];
        assert!(matches!(warehouse.reserve("r".to_owned(), lines, 0), Hold::Short(short) if short.len() == 1));
        assert_eq!(counts(&mut warehouse, "sku-1", 0), (1_000, 0, 0));
    }

    #[test]
    fn a_reservation_cannot_change_its_lines() {
        let mut warehouse = warehouse();
        warehouse.reserve("r".to_owned(), vec![line("sku-1", 3)], 0);
        assert!(matches!(warehouse.reserve("r".to_owned(), vec![line("sku-1", 4)], 0), Hold::Mismatch));
    }
}
