//! Lists of orders, and the service's health.

use std::collections::BTreeMap;

use serde::Deserialize;
use time::OffsetDateTime;
use time::serde::rfc3339;
use uuid::Uuid;

use super::{Inventory, Money, Status};

/// One page of a list, newest orders first.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[non_exhaustive]
pub struct Page {
    /// The rows; there may be none although more follow.
    pub data: Vec<OrderSummary>,
    /// Where this page stands.
    pub page: PageInfo,
}

/// Where a page stands in its list.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct PageInfo {
    /// The largest number of rows of a page.
    pub limit: u32,
    /// Whether there may be another page.
    pub has_more: bool,
    /// What the next page is asked for with.
    pub next_cursor: Option<String>,
}

/// An order as a row of a list.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
#[allow(missing_docs, reason = "the same as of an order")]
pub struct OrderSummary {
    pub id: Uuid,
    pub customer_id: String,
    pub status: Status,
    pub inventory: Inventory,
    pub total: Option<Money>,
    pub external_reference: Option<String>,
    pub version: u64,
    #[serde(with = "rfc3339")]
    pub created_at: OffsetDateTime,
    #[serde(with = "rfc3339")]
    pub updated_at: OffsetDateTime,
}

/// How the service is.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct Health {
    /// `ok`, or `degraded` while a partner's circuit is open.
    pub status: String,
    /// The release that runs.
    pub version: String,
    /// Where it runs.
    pub region: String,
    /// Partners that a built-in fake replaces.
    #[serde(default)]
    pub fakes: Vec<String>,
    /// The circuit of each partner: `closed`, `open`, `half_open` or `unknown`.
    #[serde(default)]
    pub circuits: BTreeMap<String, String>,
}
