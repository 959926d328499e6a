//! Stock: units are available, reserved or confirmed. What is reserved and never confirmed expires, what was released
//! once stays released.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::reservation::{Family, Order, Reservation, Units};

/// Everything the inventory service counts.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Warehouse {
    products: BTreeMap<String, Product>,
    families: BTreeMap<u64, Family>,
    family_of: BTreeMap<String, u64>,
    next_family: u64,
    /// Ids that were released: they are never reserved again.
    released: BTreeSet<String>,
    /// When which reservation expires unless it is confirmed.
    expiries: BTreeSet<(u64, String)>,
    #[serde(skip)]
    reserved_for: Duration,
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

/// What is asked for under the id of a reservation.
#[derive(Debug, Clone)]
pub struct Request {
    pub order: Order,
    pub units: Units,
    pub replaces: Option<String>,
}

/// A product of which too few units are available.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Shortage {
    pub product_id: String,
    pub requested: u64,
    pub available: u64,
}

/// The answer to a request.
#[derive(Debug, PartialEq, Eq)]
pub enum Answer {
    /// The units are reserved until this time, in milliseconds since 1970, or for ever.
    Reserved(u64),
    /// Nothing is reserved.
    Unavailable(Vec<Shortage>),
    /// The reservation exists with other lines, or replaces one of another order.
    Mismatch,
    /// The reservation was released, which is final.
    Released,
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

    /// Sets how long an unconfirmed reservation lives.
    pub fn reserve_for(&mut self, reserved_for: Duration) {
        self.reserved_for = reserved_for;
    }

    /// A product, after reservations expired.
    pub fn product(&mut self, id: &str, now: u64) -> Option<Product> {
        self.expire(now);
        self.products.get(id).cloned()
    }

    /// Adds a product, or sets its name, price and available units.
    pub fn set(&mut self, id: String, name: String, unit_price: Money, available: u64) {
        let (reserved, confirmed) = self.products.get(&id).map_or((0, 0), |old| (old.reserved, old.confirmed));
        self.products.insert(id, Product { name, unit_price, available, reserved, confirmed });
    }

    /// Reserves all lines or none; repeating a reservation changes nothing.
    pub fn reserve(&mut self, id: String, request: Request, now: u64) -> Answer {
        self.expire(now);
        if self.released.contains(&id) {
            return Answer::Released;
        }
        if let Some((_, family)) = self.family(&id) {
            let known = family.get(&id).filter(|known| known.units == request.units);
            return known.map_or(Answer::Mismatch, |known| Answer::Reserved(known.expires_at));
        }
        let Request { order, units, replaces } = request;
        let replaced = replaces.and_then(|old| Some((self.family(&old)?, old)));
        let ((name, mut family), replaces) = match replaced {
            Some(((_, family), old)) if family.get(&old).is_some_and(|old| old.order != order) => {
                return Answer::Mismatch;
            }
            Some((replaced, old)) => (replaced, Some(old)),
            None => (self.new_family(), None),
        };
        let shortages = self.shortages(&units, &family.held());
        if !shortages.is_empty() {
            return Answer::Unavailable(shortages);
        }
        let expires_at = now.saturating_add(u64::try_from(self.reserved_for.as_millis()).unwrap_or(u64::MAX));
        self.expiries.insert((expires_at, id.clone()));
        family.add(id, Reservation { order, units, replaces, expires_at, is_confirmed: false });
        self.put(name, family);
        Answer::Reserved(expires_at)
    }

    /// Makes a reservation permanent. `false`: there is none, or no longer.
    pub fn confirm(&mut self, id: &str, now: u64) -> bool {
        self.expire(now);
        let Some((name, mut family)) = self.family(id) else { return false };
        self.released.extend(family.confirm(id));
        self.put(name, family);
        true
    }

    /// Releases a reservation for ever, also one that was never made.
    pub fn release(&mut self, id: &str, now: u64) {
        self.expire(now);
        self.released.insert(id.to_owned());
        self.remove(id);
    }

    /// Lets a reservation expire before its time, unless it is confirmed.
    pub fn expire_one(&mut self, id: &str) {
        let family = self.family(id);
        if family.is_some_and(|(_, family)| family.get(id).is_some_and(|known| !known.is_confirmed)) {
            self.remove(id);
        }
    }

    fn expire(&mut self, now: u64) {
        while self.expiries.first().is_some_and(|(at, _)| *at <= now) {
            let Some((_, id)) = self.expiries.pop_first() else { return };
            self.expire_one(&id);
        }
    }

    fn remove(&mut self, id: &str) {
        let Some((name, mut family)) = self.family(id) else { return };
        family.remove(id);
        self.put(name, family);
    }

    /// The family of a reservation, and the name that the warehouse has for it.
    fn family(&self, id: &str) -> Option<(u64, Family)> {
        let name = *self.family_of.get(id)?;
        Some((name, self.families.get(&name)?.clone()))
    }

    fn new_family(&mut self) -> (u64, Family) {
        self.next_family += 1;
        (self.next_family, Family::default())
    }

    /// What is missing, with these units counting as available.
    fn shortages(&self, wanted: &Units, own: &Units) -> Vec<Shortage> {
        let shortage = |(id, requested): (&String, &u64)| {
            let available = self.products.get(id).map_or(0, |product| product.available) + own.get(id).unwrap_or(&0);
            (available < *requested).then(|| Shortage { product_id: id.clone(), requested: *requested, available })
        };
        wanted.iter().filter_map(shortage).collect()
    }

    /// Puts a family in the place of what it was, and moves the units.
    fn put(&mut self, name: u64, family: Family) {
        let before = self.families.remove(&name).unwrap_or_default();
        for id in before.ids() {
            self.family_of.remove(id);
        }
        self.move_units(&before, |product, held, confirmed| {
            product.available += held;
            product.reserved -= held - confirmed;
            product.confirmed -= confirmed;
        });
        self.move_units(&family, |product, held, confirmed| {
            product.available -= held;
            product.reserved += held - confirmed;
            product.confirmed += confirmed;
        });
        self.family_of.extend(family.ids().map(|id| (id.clone(), name)));
        if !family.is_empty() {
            self.families.insert(name, family);
        }
    }

    fn move_units(&mut self, family: &Family, change: impl Fn(&mut Product, u64, u64)) {
        let confirmed = family.confirmed();
        for (id, held) in family.held() {
            if let Some(product) = self.products.get_mut(&id) {
                change(product, held, confirmed.get(&id).copied().unwrap_or_default());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::hash::{DefaultHasher, Hash, Hasher};

    use super::*;

    /// 10 units of `tea`, reserved for 10 seconds at a time.
    fn warehouse() -> Warehouse {
        let mut warehouse = Warehouse::default();
        warehouse.reserve_for(Duration::from_secs(10));
        let price = Money { amount: 100, currency: "EUR".to_owned() };
        warehouse.set("tea".to_owned(), "Tea".to_owned(), price, 10);
        warehouse
    }

    fn request(units: &[(&str, u64)], replaces: Option<&str>) -> Request {
        Request {
            order: Order { tenant: "demo".to_owned(), order_id: "order".to_owned() },
            units: units.iter().map(|(product, units)| ((*product).to_owned(), *units)).collect(),
            replaces: replaces.map(ToOwned::to_owned),
        }
    }

    impl Warehouse {
        fn tea(&mut self, id: &str, units: u64, now: u64) -> Answer {
            self.reserve(id.to_owned(), request(&[("tea", units)], None), now)
        }

        fn replace(&mut self, old: &str, new: &str, units: u64, now: u64) -> Answer {
            self.reserve(new.to_owned(), request(&[("tea", units)], Some(old)), now)
        }

        /// Units available, reserved and confirmed.
        fn units(&mut self, now: u64) -> (u64, u64, u64) {
            let product = self.product("tea", now).unwrap();
            (product.available, product.reserved, product.confirmed)
        }
    }

    #[test]
    fn units_are_available_reserved_or_confirmed() {
        let mut warehouse = warehouse();
        warehouse.tea("old", 6, 0);
        assert_eq!(warehouse.units(0), (4, 6, 0));
        warehouse.confirm("old", 0);
        warehouse.replace("old", "new", 10, 0);
        assert_eq!(warehouse.units(0), (0, 4, 6));
        warehouse.confirm("new", 0);
        assert_eq!(warehouse.units(0), (0, 0, 10));
    }

    #[test]
    fn an_expired_reservation_cannot_be_confirmed_but_reserved_again() {
        let mut warehouse = warehouse();
        warehouse.tea("r", 3, 0);
        assert_eq!(warehouse.units(10_000), (10, 0, 0));
        assert!(!warehouse.confirm("r", 10_000));
        assert_eq!(warehouse.tea("r", 3, 10_000), Answer::Reserved(20_000));
        assert!(warehouse.confirm("r", 19_999));
    }

    #[test]
    fn a_confirmed_reservation_never_expires() {
        let mut warehouse = warehouse();
        warehouse.tea("r", 3, 0);
        warehouse.confirm("r", 0);
        assert_eq!(warehouse.units(u64::MAX), (7, 0, 3));
    }

    #[test]
    fn what_was_released_after_it_expired_stays_released() {
        let mut warehouse = warehouse();
        warehouse.tea("r", 3, 0);
        warehouse.release("r", 10_000);
        assert_eq!(warehouse.tea("r", 3, 10_000), Answer::Released);
    }

    #[test]
    fn the_expiry_of_the_new_leaves_the_old_as_it_was() {
        let mut warehouse = warehouse();
        warehouse.tea("old", 6, 0);
        warehouse.confirm("old", 0);
        warehouse.replace("old", "new", 10, 0);
        assert_eq!(warehouse.units(10_000), (4, 0, 6));
    }

    #[test]
    fn when_the_old_ends_the_new_keeps_what_it_needs() {
        for new in [4, 10] {
            let mut expired = warehouse();
            expired.tea("old", 6, 0);
            expired.replace("old", "new", new, 5_000);
            assert_eq!(expired.units(10_000), (10 - new, new, 0), "expired");
            assert!(expired.confirm("new", 10_000));
            let mut released = warehouse();
            released.tea("old", 6, 0);
            released.replace("old", "new", new, 0);
            released.release("old", 0);
            assert_eq!(released.units(0), (10 - new, new, 0), "released");
            assert!(released.confirm("new", 0));
        }
    }

    #[test]
    fn no_unit_is_lost_or_promised_twice_whatever_happens() {
        let mut warehouse = warehouse();
        let mut made = 0;
        for step in 0..50_000_u64 {
            let chance = |what: u64, of: u64| {
                let mut hasher = DefaultHasher::new();
                (step, what).hash(&mut hasher);
                hasher.finish() % of
            };
            let now = step * 300;
            // Eight ids at a time: the oldest is released, and another takes its place.
            let (id, old) = ((step / 10 + chance(0, 8)).to_string(), (step / 10 + chance(1, 8)).to_string());
            match chance(2, 8) {
                0 => warehouse.release(&id, now),
                1 | 2 => {
                    warehouse.confirm(&id, now);
                }
                _ => {
                    let replaces = Some(old.as_str()).filter(|_| chance(3, 2) == 0);
                    let answer = warehouse.reserve(id, request(&[("tea", 1 + chance(4, 5))], replaces), now);
                    made += u64::from(matches!(answer, Answer::Reserved(_)));
                }
            }
            warehouse.release(&(step / 10).saturating_sub(1).to_string(), now);
            let (available, reserved, confirmed) = warehouse.units(now);
            assert_eq!(available + reserved + confirmed, 10, "step {step}");
            let held: u64 = warehouse.families.values().map(|family| family.held()["tea"]).sum();
            assert_eq!(held, reserved + confirmed, "step {step}");
        }
        assert!(made > 5_000, "only {made} reservations were made");
    }
}
