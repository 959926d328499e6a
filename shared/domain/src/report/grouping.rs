//! Rows put together as somebody asked for them.

use std::collections::BTreeMap;

use super::{Day, Row, Subject, Sums};
use crate::id::ProductId;
use crate::invalid::{Invalid, InvalidCode};
use crate::money::Currency;
use crate::status::Status;

/// What the orders of a group have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GroupBy {
    /// The day of creation.
    Day,
    /// The status.
    Status,
    /// The currency.
    Currency,
    /// A product.
    Product,
}

impl GroupBy {
    /// Every one.
    pub const ALL: [Self; 4] = [Self::Day, Self::Status, Self::Currency, Self::Product];

    /// The name in requests.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Status => "status",
            Self::Currency => "currency",
            Self::Product => "product",
        }
    }

    /// Parses the name.
    ///
    /// # Errors
    /// [`InvalidCode::Unknown`] for anything else.
    pub fn parse(name: &str) -> Result<Self, Invalid> {
        let unknown = || Invalid::new(InvalidCode::Unknown, "must be one of day, status, currency, product");
        Self::ALL.into_iter().find(|by| by.as_str() == name).ok_or_else(unknown)
    }

    fn key(self, row: Row) -> Option<GroupKey> {
        match (self, row.subject) {
            (Self::Day, Subject::Status(_)) => Some(GroupKey::Day(row.day)),
            (Self::Status, Subject::Status(status)) => Some(GroupKey::Status(status)),
            (Self::Currency, Subject::Status(_)) => Some(GroupKey::Currency(row.currency)),
            (Self::Product, Subject::Product(product)) => Some(GroupKey::Product(product)),
            (Self::Product, Subject::Status(_)) | (_, Subject::Product(_)) => None,
        }
    }
}

/// What names a group.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum GroupKey {
    /// The day.
    Day(Day),
    /// The status.
    Status(Status),
    /// The currency; `None` of orders without a price.
    Currency(Option<Currency>),
    /// The product.
    Product(ProductId),
}

/// The orders of one group.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Group {
    /// What they add up to, by currency; `None` of orders without a price.
    pub by_currency: BTreeMap<Option<Currency>, Sums>,
}

impl Group {
    /// What they add up to but for their value, which is of several currencies.
    #[must_use]
    pub fn total(&self) -> Sums {
        self.by_currency.values().fold(Sums::default(), |total, sums| total.plus(*sums))
    }
}

/// The orders of some days in groups, in the order of their keys.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Report {
    /// The groups that hold an order.
    pub groups: BTreeMap<GroupKey, Group>,
}

impl Report {
    /// The report of these rows. A row may come in parts.
    pub fn of(group_by: GroupBy, rows: impl IntoIterator<Item = (Row, Sums)>) -> Self {
        let mut groups = BTreeMap::<GroupKey, Group>::new();
        for (row, sums) in rows {
            let currency = row.currency;
            let Some(key) = group_by.key(row) else { continue };
            let present = groups.entry(key).or_default().by_currency.entry(currency).or_default();
            *present = present.plus(sums);
        }
        for group in groups.values_mut() {
            group.by_currency.retain(|_, sums| sums.orders > 0);
        }
        groups.retain(|_, group| !group.by_currency.is_empty());
        Self { groups }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory::sample;
    use crate::report::rows_of;

    fn grouped(group_by: GroupBy) -> Vec<(GroupKey, i64, i64)> {
        let orders = [sample::order(), sample::bare_order()];
        let report = Report::of(group_by, orders.iter().flat_map(rows_of));
        let line = |(key, group): (GroupKey, Group)| (key, group.total().orders, group.total().items);
        report.groups.into_iter().map(line).collect()
    }

    #[test]
    fn each_order_is_in_one_group_but_in_one_of_each_product() {
        let day = Day::parse("2026-01-01").unwrap();
        assert_eq!(grouped(GroupBy::Day), [(GroupKey::Day(day), 2, 4)]);
        let status = |status, items| (GroupKey::Status(status), 1, items);
        assert_eq!(grouped(GroupBy::Status), [status(Status::Pending, 1), status(Status::Confirmed, 3)]);
        let euro = Some(Currency::parse("EUR").unwrap());
        assert_eq!(grouped(GroupBy::Currency), [(GroupKey::Currency(None), 1, 1), (GroupKey::Currency(euro), 1, 3)]);
        let product = |n, items| (GroupKey::Product(sample::product(n).id), 1, items);
        assert_eq!(grouped(GroupBy::Product), [product(1, 2), product(2, 1), product(3, 1)]);
    }

    #[test]
    fn parts_of_a_row_add_up_and_a_row_of_no_orders_is_left_out() {
        let rows = rows_of(&sample::order());
        let negative = rows.iter().map(|(row, sums)| (row.clone(), Sums::default().minus(*sums)));
        let both = rows.clone().into_iter().chain(negative);
        assert_eq!(Report::of(GroupBy::Day, both), Report::default());
    }

    #[test]
    fn every_name_is_read() {
        for by in GroupBy::ALL {
            assert_eq!(GroupBy::parse(by.as_str()), Ok(by));
        }
        assert!(GroupBy::parse("customer").is_err());
    }
}
