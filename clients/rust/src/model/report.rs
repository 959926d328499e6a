//! What the orders of a period amount to.

use serde::{Deserialize, Deserializer, de};
use time::Date;
use time::format_description::well_known::Iso8601;

use super::{GroupBy, Money};

/// Which report is asked for: of the orders that were placed from the first to the last day, in UTC.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ReportQuery {
    /// The first day.
    pub from: Date,
    /// The last day, at most 366 days in all.
    pub to: Date,
    /// What the orders of a group have in common.
    pub group_by: GroupBy,
}

impl ReportQuery {
    /// These days, day by day.
    #[must_use]
    pub const fn new(from: Date, to: Date) -> Self {
        Self { from, to, group_by: GroupBy::Day }
    }

    /// Sets what the orders of a group have in common.
    #[must_use]
    pub fn group_by(self, group_by: GroupBy) -> Self {
        Self { group_by, ..self }
    }

    pub(crate) fn pairs(&self) -> Vec<(&'static str, String)> {
        let Self { from, to, group_by } = self;
        vec![("from", from.to_string()), ("to", to.to_string()), ("group_by", group_by.to_string())]
    }
}

/// What orders amount to, in groups.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[non_exhaustive]
pub struct Report {
    /// The first day.
    #[serde(deserialize_with = "date")]
    pub from: Date,
    /// The last day.
    #[serde(deserialize_with = "date")]
    pub to: Date,
    /// What the orders of a group have in common.
    pub group_by: GroupBy,
    /// The groups that hold an order, in the order of their keys; statuses in the order of an order's life.
    pub groups: Vec<ReportGroup>,
}

/// The orders of one group. Canceled orders are counted, deleted ones are not.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[non_exhaustive]
pub struct ReportGroup {
    /// The day, the status, the currency or the product id; none for the currency of orders that have no price yet.
    pub key: Option<String>,
    /// How many orders.
    pub orders: u64,
    /// How many units; of a product, its own.
    pub items: u64,
    /// What the orders are worth together, in each currency; of a product, what its lines are.
    pub value: Vec<Money>,
    /// What an order is worth on average, in each currency.
    pub average_value: Vec<Money>,
    /// How many of the orders are canceled.
    pub canceled: u64,
    /// The part of the orders that is canceled, to four decimals.
    pub cancel_rate: f64,
    /// From creation until the order was shipped.
    pub to_shipped: ReportTimes,
    /// From creation until the order was delivered.
    pub to_delivered: ReportTimes,
}

/// A time that some orders of a group took.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct ReportTimes {
    /// How many of the orders came so far.
    pub orders: u64,
    /// What it took them on average.
    pub average_seconds: Option<u64>,
}

fn date<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Date, D::Error> {
    Date::parse(&String::deserialize(deserializer)?, &Iso8601::DATE).map_err(de::Error::custom)
}
