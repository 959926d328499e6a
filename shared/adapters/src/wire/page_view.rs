//! A page of orders as clients see it.

use domain::listing::{Limit, OrderSummary, Page};
use serde::Serialize;

use super::money_view::MoneyView;

/// The JSON form of a page.
#[derive(Debug, Clone, Serialize)]
pub struct PageView<'a> {
    data: Vec<SummaryView<'a>>,
    page: Position<'a>,
}

#[derive(Debug, Clone, Serialize)]
struct Position<'a> {
    limit: u16,
    has_more: bool,
    next_cursor: Option<&'a str>,
}

#[derive(Debug, Clone, Serialize)]
struct SummaryView<'a> {
    id: String,
    customer_id: &'a str,
    status: &'a str,
    inventory: &'a str,
    total: Option<MoneyView>,
    external_reference: Option<&'a str>,
    version: u64,
    created_at: String,
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
