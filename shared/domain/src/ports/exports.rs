//! Where exports, and the files that they write, are kept.

use std::time::Duration;

use crate::export::{Export, Format, Upload};
use crate::id::{ExportId, TenantId};
use crate::order::Order;
use crate::ports::{StoreError, UpdateError};
use crate::timestamp::Timestamp;

/// Keeps exports until they expire. One that is saved while it waits for a turn has a writer called for it.
pub trait ExportStore: Send + Sync {
    /// Stores a new export, unless its id is taken by one that is not expired at its creation: then that is returned, and
    /// nothing is written. One atomic step.
    ///
    /// # Errors
    /// [`StoreError`]; when it [`StoreError::may_have_written`], the export may be stored or not.
    fn insert(&self, export: &Export) -> impl Future<Output = Result<Option<Export>, StoreError>> + Send;

    /// Reads an export, strongly consistent; it may be expired. `None`: this tenant has no export of this id.
    ///
    /// # Errors
    /// [`StoreError`] when no answer could be had.
    fn load(&self, tenant: &TenantId, id: ExportId) -> impl Future<Output = Result<Option<Export>, StoreError>> + Send;

    /// How many exports of a storefront run that were created at `since` or later; counts up to `most` of them. It may
    /// trail the last writes by a moment.
    ///
    /// # Errors
    /// [`StoreError`] when no answer could be had.
    fn running(
        &self,
        tenant: &TenantId,
        since: Timestamp,
        most: usize,
    ) -> impl Future<Output = Result<usize, StoreError>> + Send;

    /// Replaces an export, on condition that the stored one has the revision before.
    ///
    /// # Errors
    /// MUST return [`UpdateError::Conflict`] when it has another, or is gone; nothing was written.
    /// When [`StoreError::may_have_written`], it may have been replaced or not.
    fn replace(&self, export: &Export) -> impl Future<Output = Result<(), UpdateError>> + Send;

    /// Waits before a step that failed is tried again, for the first time (1), the second (2) …
    fn pause(&self, attempt: u32) -> impl Future<Output = ()> + Send;
}

/// Keeps the files of exports, each uploaded in parts.
pub trait ExportFiles: Send + Sync {
    /// The least bytes of a part that is not the last.
    const LEAST_PART: usize = 5 * 1024 * 1024;

    /// Begins an upload: what it is called. One that is not completed is forgotten in time.
    ///
    /// # Errors
    /// [`FileError::Unavailable`].
    fn begin(&self, export: &Export) -> impl Future<Output = Result<String, FileError>> + Send;

    /// Uploads the part that follows those of the upload, and returns its tag. The same part may be uploaded again; the last
    /// one counts.
    ///
    /// # Errors
    /// MUST return [`FileError::Lost`] when there is no such upload, or it is completed.
    fn put_part(
        &self,
        export: &Export,
        upload: &Upload,
        bytes: Vec<u8>,
    ) -> impl Future<Output = Result<String, FileError>> + Send;

    /// Makes the file of the parts. It may be called again.
    ///
    /// # Errors
    /// MUST return [`FileError::Lost`] when there is no such upload and no file, or when a part has another tag.
    fn complete(&self, export: &Export, upload: &Upload) -> impl Future<Output = Result<(), FileError>> + Send;

    /// A link with which anybody can download the file for so long.
    ///
    /// # Errors
    /// [`FileError::Unavailable`].
    fn link(&self, export: &Export, valid: Duration) -> impl Future<Output = Result<String, FileError>> + Send;
}

/// A link to a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// The URL, which is a secret.
    pub url: String,
    /// Until when it is valid.
    pub expires_at: Timestamp,
}

/// Writes orders in the formats of exports.
pub trait Rows: Send + Sync {
    /// Adds what stands before all orders.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] when it cannot be written.
    fn begin(&self, format: Format, into: &mut Vec<u8>) -> Result<(), StoreError>;

    /// Adds an order.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] when it cannot be written: nothing was added.
    fn add(&self, format: Format, order: &Order, into: &mut Vec<u8>) -> Result<(), StoreError>;
}

/// Why files did not do as asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FileError {
    /// The upload is not as it was left.
    #[error("the upload is lost: {0}")]
    Lost(String),
    /// No answer, or none that says what became of the call.
    #[error("the store of files is unavailable: {0}")]
    Unavailable(String),
}
