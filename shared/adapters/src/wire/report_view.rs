//! A report as clients see it.

use domain::money::{Currency, Money};
use domain::report::{Group, GroupKey, Report, Sums, Times};
use domain::use_cases::ReportRequest;
use serde::Serialize;

use super::money_view::MoneyView;

/// What the orders that were created on some days amount to.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schemas", derive(schemars::JsonSchema), schemars(rename = "OrderReport"))]
pub struct ReportView {
    /// The first day, in UTC.
    #[cfg_attr(feature = "schemas", schemars(extend("format" = "date")))]
    from: String,
    /// The last day, in UTC.
    #[cfg_attr(feature = "schemas", schemars(extend("format" = "date")))]
    to: String,
    /// What the orders of a group have in common.
    #[cfg_attr(feature = "schemas", schemars(extend("enum" = ["day", "status", "currency", "product"])))]
    group_by: &'static str,
    /// The groups that hold an order, in the order of their keys; statuses in the order of an order's life.
    groups: Vec<GroupView>,
}

/// The orders of one group. Deleted orders are in none, canceled ones are.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schemas", derive(schemars::JsonSchema), schemars(rename = "ReportGroup"))]
struct GroupView {
    /// The day, the status, the currency or the product id; `null` for the currency of orders that have no price yet.
    key: Option<String>,
    /// How many orders.
    #[cfg_attr(feature = "schemas", schemars(range(min = 0)))]
    orders: i64,
    /// How many units; of a product, its own.
    #[cfg_attr(feature = "schemas", schemars(range(min = 0)))]
    items: i64,
    /// What the orders are worth together, in each currency; of a product, what its lines are.
    value: Vec<MoneyView>,
    /// What an order is worth on average, in each currency, in whole minor units.
    average_value: Vec<MoneyView>,
    /// How many of the orders are canceled.
    #[cfg_attr(feature = "schemas", schemars(range(min = 0)))]
    canceled: i64,
    /// The part of the orders that is canceled, to four decimals.
    #[cfg_attr(feature = "schemas", schemars(range(min = 0, max = 1)))]
    cancel_rate: f64,
    /// From creation until the order was shipped.
    to_shipped: TimesView,
    /// From creation until the order was delivered.
    to_delivered: TimesView,
}

/// A time that some of the orders took.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schemas", derive(schemars::JsonSchema), schemars(rename = "ReportTimes"))]
struct TimesView {
    /// How many of the orders came so far.
    #[cfg_attr(feature = "schemas", schemars(range(min = 0)))]
    orders: i64,
    /// What it took them on average; `null` of none.
    #[cfg_attr(feature = "schemas", schemars(range(min = 0)))]
    average_seconds: Option<i64>,
}

impl ReportView {
    /// The report that was asked for.
    #[must_use]
    pub fn new(request: &ReportRequest, report: &Report) -> Self {
        Self {
            from: request.from.to_string(),
            to: request.to.to_string(),
            group_by: request.group_by.as_str(),
            groups: report.groups.iter().map(|(key, group)| GroupView::new(key, group)).collect(),
        }
    }
}

impl GroupView {
    fn new(key: &GroupKey, group: &Group) -> Self {
        let Sums { orders, items, value: _, canceled, shipped, delivered } = group.total();
        let in_each = |amount: fn(&Sums) -> i128| {
            let priced = group.by_currency.iter().filter_map(|(currency, sums)| Some(((*currency)?, amount(sums))));
            priced.map(|(currency, amount)| money(amount, currency)).collect()
        };
        Self {
            key: name(key),
            orders,
            items,
            value: in_each(|sums| sums.value),
            average_value: in_each(|sums| sums.value / i128::from(sums.orders.max(1))),
            canceled,
            cancel_rate: rate(canceled, orders),
            to_shipped: shipped.into(),
            to_delivered: delivered.into(),
        }
    }
}

impl From<Times> for TimesView {
    fn from(times: Times) -> Self {
        Self { orders: times.orders, average_seconds: times.average_seconds() }
    }
}

fn name(key: &GroupKey) -> Option<String> {
    match key {
        GroupKey::Day(day) => Some(day.to_string()),
        GroupKey::Status(status) => Some(status.to_string()),
        GroupKey::Currency(currency) => currency.as_ref().map(|code| code.as_str().to_owned()),
        GroupKey::Product(product) => Some(product.to_string()),
    }
}

/// The amount of all orders together, held to what one amount can be.
fn money(amount: i128, currency: Currency) -> MoneyView {
    Money::new(i64::try_from(amount).unwrap_or(i64::MAX), currency).into()
}

#[expect(clippy::cast_precision_loss, reason = "a rate, to four decimals")]
fn rate(part: i64, of: i64) -> f64 {
    (part as f64 / of.max(1) as f64 * 10_000.0).round() / 10_000.0
}
