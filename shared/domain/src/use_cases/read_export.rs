//! Read how far an export has come, with a link to its file once that is there.

use std::time::Duration;

use crate::caller::{Caller, Forbidden};
use crate::export::{Export, Status};
use crate::id::ExportId;
use crate::ports::{ExportFiles, ExportStore, FileError, Link, StoreError};
use crate::timestamp::Timestamp;

/// For how long a link is valid.
const LINK: Duration = Duration::from_secs(15 * 60);

/// An export as its storefront sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShownExport {
    /// The export.
    pub export: Export,
    /// Whether it is still written.
    pub status: Status,
    /// Where its file is, once it is there.
    pub download: Option<Link>,
}

/// Why an export is not shown.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReadExportError {
    /// The caller is confined to a customer.
    #[error(transparent)]
    Forbidden(#[from] Forbidden),
    /// There is none, or none that this caller may know of.
    #[error("no such export")]
    NotFound,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// No link could be made.
    #[error(transparent)]
    File(#[from] FileError),
}

/// Reads an export of the caller's storefront.
///
/// # Errors
/// [`ReadExportError::NotFound`] also for one that is expired, or is of another storefront.
pub async fn read_export(
    exports: &impl ExportStore,
    files: &impl ExportFiles,
    caller: &Caller,
    id: ExportId,
    now: Timestamp,
) -> Result<ShownExport, ReadExportError> {
    caller.require_storefront()?;
    let export = exports.load(&caller.tenant, id).await?;
    let export = export.filter(|export| !export.is_expired(now)).ok_or(ReadExportError::NotFound)?;
    let status = export.status(now);
    let download = match status {
        Status::Succeeded => Some(link(files, &export, now).await?),
        Status::Running | Status::Failed => None,
    };
    Ok(ShownExport { export, status, download })
}

/// A link that is not valid for longer than the file is kept.
async fn link(files: &impl ExportFiles, export: &Export, now: Timestamp) -> Result<Link, FileError> {
    let expires_at = now.plus(LINK).min(export.expires_at());
    let seconds = u64::try_from(expires_at.as_secs() - now.as_secs()).unwrap_or_default();
    let url = files.link(export, Duration::from_secs(seconds.max(1))).await?;
    Ok(Link { url, expires_at })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::export::Format;
    use crate::id::{CustomerId, TenantId};
    use crate::memory::{MemoryExports, MemoryFiles, sample};

    async fn shown(caller: &Caller, at: Timestamp, finish: bool) -> Result<ShownExport, ReadExportError> {
        let (exports, files) = (MemoryExports::default(), MemoryFiles::default());
        let export = sample::export(Format::Csv);
        exports.insert(&export).await.unwrap();
        if finish {
            exports.replace(&export.succeeded(export.created_at)).await.unwrap();
        }
        read_export(&exports, &files, caller, export.id, at).await
    }

    #[tokio::test]
    async fn a_file_that_is_there_has_a_link_of_15_minutes_that_never_outlives_it() {
        let export = sample::export(Format::Csv);
        let shown_at =
            |at| async move { shown(&sample::caller(), at, true).await.unwrap().download.unwrap().expires_at };
        let soon = export.created_at.plus(Duration::from_secs(60));
        assert_eq!(shown_at(soon).await, soon.plus(Duration::from_secs(900)));
        let late = export.expires_at().minus(Duration::from_secs(60));
        assert_eq!(shown_at(late).await, export.expires_at());
    }

    #[tokio::test]
    async fn an_export_that_nobody_writes_any_more_has_failed() {
        let export = sample::export(Format::Csv);
        let at = |later| shown_status(export.created_at.plus(later));
        assert_eq!(at(Export::STALLED_AFTER - Duration::from_millis(1)).await, Status::Running);
        assert_eq!(at(Export::STALLED_AFTER).await, Status::Failed);
    }

    async fn shown_status(at: Timestamp) -> Status {
        shown(&sample::caller(), at, false).await.unwrap().status
    }

    #[tokio::test]
    async fn an_export_of_another_storefront_or_an_expired_one_does_not_exist() {
        let export = sample::export(Format::Csv);
        let stranger = Caller { tenant: TenantId::parse("other").unwrap(), ..sample::caller() };
        assert_eq!(shown(&stranger, export.created_at, true).await, Err(ReadExportError::NotFound));
        assert_eq!(shown(&sample::caller(), export.expires_at(), true).await, Err(ReadExportError::NotFound));
        let confined = Caller { customer: Some(CustomerId::parse("cust-1").unwrap()), ..sample::caller() };
        assert_eq!(shown(&confined, export.created_at, true).await, Err(Forbidden::Confined.into()));
    }
}
