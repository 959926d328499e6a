//! Read what a storefront's orders amount to.

use crate::caller::{Caller, Forbidden};
use crate::ports::{ReportStore, RowsError, RowsQuery, StoreError};
use crate::report::{Day, GroupBy, Report};

/// The most days that a report spans.
pub const MOST_DAYS: i64 = 366;

/// The most groups of a report.
pub const MOST_GROUPS: usize = 5_000;

/// What is asked for: orders that were created from the first to the last day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReportRequest {
    /// The first day.
    pub from: Day,
    /// The last day.
    pub to: Day,
    /// What the orders of a group have in common.
    pub group_by: GroupBy,
}

/// Why there is no report.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReportError {
    /// The caller is confined to a customer.
    #[error(transparent)]
    Forbidden(#[from] Forbidden),
    /// It would be larger than one is made.
    #[error("the report would be too large")]
    TooLarge,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Reads the report of the caller's storefront.
///
/// # Errors
/// [`ReportError`].
pub async fn read_report(
    reports: &impl ReportStore,
    caller: &Caller,
    request: ReportRequest,
) -> Result<Report, ReportError> {
    caller.require_storefront()?;
    let ReportRequest { from, to, group_by } = request;
    let query = RowsQuery { tenant: caller.tenant.clone(), of_products: group_by == GroupBy::Product, from, to };
    let rows = reports.rows(&query).await.map_err(|error| match error {
        RowsError::TooMany => ReportError::TooLarge,
        RowsError::Store(error) => error.into(),
    })?;
    let report = Report::of(group_by, rows);
    if report.groups.len() > MOST_GROUPS { Err(ReportError::TooLarge) } else { Ok(report) }
}
