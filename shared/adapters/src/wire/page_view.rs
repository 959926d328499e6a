//! A page of orders as clients see it.

use domain::listing::{Limit, OrderSummary, Page};
use serde::Serialize;

use super::money_view::MoneyView;

/// A page of a list of orders.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schemas", derive(schemars::JsonSchema), schemars(rename = "OrderPage"))]
pub struct PageView<'a> {
    /// The orders, newest first.
    data: Vec<SummaryView<'a>>,
    page: Position<'a>,
}

/// Where a page stands in its list.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schemas", derive(schemars::JsonSchema), schemars(rename = "PagePosition"))]
struct Position<'a> {
    /// The most orders that the page may hold.
    limit: u16,
    /// Whether to ask for the next page, which may turn out empty.
    has_more: bool,
    /// The `cursor` of the next page.
    next_cursor: Option<&'a str>,
}

/// What a list shows of an order.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schemas", derive(schemars::JsonSchema), schemars(rename = "OrderSummary"))]
struct SummaryView<'a> {
    #[cfg_attr(feature = "schemas", schemars(extend("format" = "uuid")))]
    id: String,
    customer_id: &'a str,
    #[cfg_attr(feature = "schemas", schemars(extend("enum" = super::schema::statuses())))]
    status: &'a str,
    #[cfg_attr(feature = "schemas", schemars(extend("enum" = super::schema::inventories())))]
    inventory: &'a str,
    /// `null` until the inventory service has priced the lines.
    total: Option<MoneyView>,
    external_reference: Option<&'a str>,
    #[cfg_attr(feature = "schemas", schemars(range(min = 1)))]
    version: u64,
    #[cfg_attr(feature = "schemas", schemars(extend("format" = "date-time")))]
    created_at: String,
    #[cfg_attr(feature = "schemas", schemars(extend("format" = "date-time")))]
    updated_at: String,
}

impl<'a> PageView<'a> {
    /// The page, and the cursor of the next when there is one.
    #[must_use]
    pub fn new(page: &'a Page, limit: Limit, next_cursor: Option<&'a str>) -> Self {
        Self {
            data: page.orders.iter().map(Into::into).collect(),
            page: Position { limit: limit.get(), has_more: next_cursor.is_some(), next_cursor },
        }
    }
}

impl<'a> From<&'a OrderSummary> for SummaryView<'a> {
    fn from(order: &'a OrderSummary) -> Self {
        Self {
            id: order.id.to_string(),
            customer_id: order.customer.as_str(),
            status: order.status.as_str(),
            inventory: order.inventory.as_str(),
            total: order.total.map(Into::into),
            external_reference: order.external_reference.as_ref().map(|text| text.as_str()),
            version: order.version,
            created_at: order.created_at.to_string(),
            updated_at: order.updated_at.to_string(),
        }
    }
}
