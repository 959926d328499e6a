//! An export as its storefront sees it.

use domain::export::{Export, Selection};
use domain::listing::Filter;
use domain::ports::Link;
use domain::use_cases::ShownExport;
use serde::Serialize;

/// An export and how far it has come.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schemas", derive(schemars::JsonSchema), schemars(rename = "Export"))]
pub struct ExportView<'a> {
    #[cfg_attr(feature = "schemas", schemars(extend("format" = "uuid")))]
    id: String,
    /// `running` until there is a file (`succeeded`), or there will be none (`failed`).
    #[cfg_attr(feature = "schemas", schemars(extend("enum" = super::schema::export_statuses())))]
    status: &'static str,
    /// How the file is written.
    #[cfg_attr(feature = "schemas", schemars(extend("enum" = super::schema::export_formats())))]
    format: &'static str,
    filters: FiltersView<'a>,
    /// How many orders were written so far.
    #[cfg_attr(feature = "schemas", schemars(range(min = 0)))]
    orders: u64,
    /// How many bytes were written so far.
    #[cfg_attr(feature = "schemas", schemars(range(min = 0)))]
    bytes: u64,
    /// Orders that are not in the file, because the service cannot read them.
    #[cfg_attr(feature = "schemas", schemars(range(min = 0)))]
    unreadable: u64,
    #[cfg_attr(feature = "schemas", schemars(extend("format" = "date-time")))]
    created_at: String,
    #[cfg_attr(feature = "schemas", schemars(extend("format" = "date-time")))]
    updated_at: String,
    /// When the export is forgotten and its file deleted.
    #[cfg_attr(feature = "schemas", schemars(extend("format" = "date-time")))]
    expires_at: String,
    /// Where the file is; `null` until it is there. Each answer has a new link.
    download: Option<LinkView<'a>>,
}

/// Which orders are exported. A filter that is `null` filters nothing.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schemas", derive(schemars::JsonSchema), schemars(rename = "ExportFilters"))]
struct FiltersView<'a> {
    #[cfg_attr(feature = "schemas", schemars(with = "Option<super::schema::StatusName>"))]
    status: Option<&'a str>,
    customer_id: Option<&'a str>,
    #[cfg_attr(feature = "schemas", schemars(extend("format" = "date-time")))]
    created_after: Option<String>,
    #[cfg_attr(feature = "schemas", schemars(extend("format" = "date-time")))]
    created_before: Option<String>,
}

/// A link to the file. It works for whoever has it: treat it as a secret.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schemas", derive(schemars::JsonSchema), schemars(rename = "Download"))]
struct LinkView<'a> {
    #[cfg_attr(feature = "schemas", schemars(extend("format" = "uri")))]
    url: &'a str,
    /// Until when the link works.
    #[cfg_attr(feature = "schemas", schemars(extend("format" = "date-time")))]
    expires_at: String,
}

impl<'a> From<&'a ShownExport> for ExportView<'a> {
    fn from(shown: &'a ShownExport) -> Self {
        let ShownExport { export, status, download } = shown;
        let Export { id, format, selection, written, created_at, updated_at, .. } = export;
        Self {
            id: id.to_string(),
            status: status.as_str(),
            format: format.as_str(),
            filters: selection.into(),
            orders: written.orders,
            bytes: written.bytes,
            unreadable: written.unreadable,
            created_at: created_at.to_string(),
            updated_at: updated_at.to_string(),
            expires_at: export.expires_at().to_string(),
            download: download.as_ref().map(Into::into),
        }
    }
}

impl<'a> From<&'a Selection> for FiltersView<'a> {
    fn from(selection: &'a Selection) -> Self {
        let Selection { filter, created_after, created_before } = selection;
        let (status, customer_id) = match filter {
            Filter::All => (None, None),
            Filter::Status(status) => (Some(status.as_str()), None),
            Filter::Customer(customer) => (None, Some(customer.as_str())),
        };
        let created_after = created_after.map(|at| at.to_string());
        Self { status, customer_id, created_after, created_before: created_before.map(|at| at.to_string()) }
    }
}

impl<'a> From<&'a Link> for LinkView<'a> {
    fn from(link: &'a Link) -> Self {
        Self { url: &link.url, expires_at: link.expires_at.to_string() }
    }
}
