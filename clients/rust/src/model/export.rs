//! Exports.

use serde::Deserialize;
use time::OffsetDateTime;
use time::serde::rfc3339;
use uuid::Uuid;

use super::{ExportFormat, ExportStatus, Status};

/// An export and how far it has come.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct Export {
    /// Its id.
    pub id: Uuid,
    /// Whether it is still written.
    pub status: ExportStatus,
    /// How the file is written.
    pub format: ExportFormat,
    /// Which orders.
    pub filters: ExportFilters,
    /// How many orders were written so far.
    pub orders: u64,
    /// How many bytes were written so far.
    pub bytes: u64,
    /// Orders that are missing, because the service cannot read them.
    pub unreadable: u64,
    /// When it was asked for.
    #[serde(with = "rfc3339")]
    pub created_at: OffsetDateTime,
    /// When it came further last.
    #[serde(with = "rfc3339")]
    pub updated_at: OffsetDateTime,
    /// When it is forgotten, and its file deleted.
    #[serde(with = "rfc3339")]
    pub expires_at: OffsetDateTime,
    /// Where the file is, once it is there.
    pub download: Option<Download>,
}

/// Which orders are exported.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
#[allow(missing_docs, reason = "the same as of a list")]
pub struct ExportFilters {
    pub status: Option<Status>,
    pub customer_id: Option<String>,
    #[serde(with = "rfc3339::option")]
    pub created_after: Option<OffsetDateTime>,
    #[serde(with = "rfc3339::option")]
    pub created_before: Option<OffsetDateTime>,
}

/// A link to the file. It works for whoever has it.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct Download {
    /// The link, which is a secret.
    pub url: String,
    /// Until when it works.
    #[serde(with = "rfc3339")]
    pub expires_at: OffsetDateTime,
}

impl std::fmt::Debug for Download {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Download").field("expires_at", &self.expires_at).finish_non_exhaustive()
    }
}
