//! Write an export: orders page by page into the parts of one file, in constant memory, from wherever the last writer was.
//!
//! A part is uploaded and then noted, together with the order that it ends with. So a writer who dies in between leaves the
//! part unnoted, and the next one uploads it again under the same number: no order twice, and none left out.

use futures_util::stream::{self, StreamExt};

use crate::export::{Export, MOST_PARTS, Progress, Upload, Written};
use crate::id::{ExportId, TenantId};
use crate::listing::{Limit, OrderSummary, Position};
use crate::order::Order;
use crate::ports::{Clock, ExportFiles, ExportRows, ExportStore, FileError, OrderStore, StoreError, UpdateError};
use crate::timestamp::Timestamp;

/// So many orders are read at a time.
const READ_AT_ONCE: usize = 16;

/// A part is uploaded once it has so many bytes: what a writer holds in memory.
pub const PART: usize = 8 * 1024 * 1024;

/// The use case and the ports it needs.
#[derive(Debug, Clone)]
pub struct WriteExport<S, E, F, R, K> {
    /// Where orders are kept.
    pub store: S,
    /// Where exports are kept.
    pub exports: E,
    /// Where their files are.
    pub files: F,
    /// How orders are written.
    pub rows: R,
    /// When a turn is over.
    pub clock: K,
    /// How many bytes a part has, but for the last: [`PART`].
    pub part: usize,
}

/// What came of a turn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Turn {
    /// There is no such export, or it was over before.
    Idle,
    /// Another writer is at work on it.
    Overtaken,
    /// It waits for its next turn.
    HandedOver(Export),
    /// It is over: the file is there, or never will be.
    Over(Export),
}

/// Why a turn was not finished. The next one goes on from what is saved.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WriteExportError {
    /// A store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The store of files failed.
    #[error(transparent)]
    File(#[from] FileError),
}

/// Why a step was not taken.
enum Halt {
    /// The upload is not as it was left.
    Lost,
    /// The orders cannot be listed, or there are too many: to try again is of no use.
    Hopeless,
    /// It should be tried again.
    Failed(WriteExportError),
}

/// The orders of the next part.
struct Part {
    bytes: Vec<u8>,
    after: Option<Position>,
    is_last: bool,
    written: Written,
}

impl<S, E, F, R, K> WriteExport<S, E, F, R, K>
where
    S: OrderStore,
    E: ExportStore,
    F: ExportFiles,
    R: ExportRows,
    K: Clock,
{
    /// Writes the export until it is over, or until `until`: then it waits for its next turn.
    ///
    /// # Errors
    /// [`WriteExportError`]: the turn should be taken again.
    pub async fn run(&self, tenant: &TenantId, id: ExportId, until: Timestamp) -> Result<Turn, WriteExportError> {
        let stored = self.exports.load(tenant, id).await?;
        let Some(mut export) = stored.filter(|export| !export.is_expired(self.clock.now())) else {
            return Ok(Turn::Idle);
        };
        let mut is_begun = false;
        while let Some(progress) = export.progress() {
            if is_begun && progress.is_waiting {
                return Ok(Turn::HandedOver(export));
            }
            let is_over = is_begun && !progress.is_whole && self.clock.now() >= until;
            let next =
                if is_over { export.handed_over(self.clock.now()) } else { self.next(&export, progress).await? };
            let Some(saved) = self.save(next).await? else { return Ok(Turn::Overtaken) };
            (export, is_begun) = (saved, true);
        }
        Ok(if is_begun { Turn::Over(export) } else { Turn::Idle })
    }

    /// The export after its next step, or what becomes of it when that cannot be taken.
    async fn next(&self, export: &Export, progress: &Progress) -> Result<Export, WriteExportError> {
        match self.step(export, progress).await {
            Ok(next) => Ok(next),
            Err(Halt::Lost) => Ok(export.restarted(self.clock.now())),
            Err(Halt::Hopeless) => Ok(export.failed(self.clock.now())),
            Err(Halt::Failed(error)) => Err(error),
        }
    }

    /// Writes one part more, or completes the file.
    async fn step(&self, export: &Export, progress: &Progress) -> Result<Export, Halt> {
        if let Some(upload) = progress.upload.as_ref().filter(|_| progress.is_whole) {
            self.files.complete(export, upload).await?;
            return Ok(export.succeeded(self.clock.now()));
        }
        let Part { bytes, after, is_last, written } = self.part(export, progress).await?;
        let mut upload = match &progress.upload {
            Some(upload) => upload.clone(),
            None => Upload { id: self.files.begin(export).await?, parts: Vec::new() },
        };
        // A file has a part, and none that is empty beside others.
        if upload.parts.is_empty() || !bytes.is_empty() {
            if upload.parts.len() >= MOST_PARTS {
                return Err(Halt::Hopeless);
            }
            let tag = self.files.put_part(export, &upload, bytes).await?;
            upload.parts.push(tag);
        }
        Ok(export.with_part(upload, after, is_last, written, self.clock.now()))
    }

    /// Reads orders until there are enough for a part.
    async fn part(&self, export: &Export, progress: &Progress) -> Result<Part, Halt> {
        let bytes = Vec::with_capacity(self.part);
        let mut part = Part { bytes, after: progress.after, is_last: false, written: Written::default() };
        if progress.upload.is_none() {
            self.rows.begin(export.format, &mut part.bytes)?;
        }
        while !part.is_last && part.bytes.len() < self.part {
            let page = self.store.list(&export.query(part.after, Limit::MAX)).await.map_err(of_listing)?;
            let last = page.orders.last().map(OrderSummary::position);
            self.add(export, &page.orders, &mut part).await?;
            part.is_last = page.orders.is_empty() || (!page.has_more && part.after == last);
        }
        part.written.bytes = part.bytes.len() as u64;
        Ok(part)
    }

    /// Adds the orders of a page, as many as there is room for.
    async fn add(&self, export: &Export, rows: &[OrderSummary], part: &mut Part) -> Result<(), Halt> {
        let reads =
            rows.iter().map(|row| async move { (row.position(), self.store.get(&export.tenant, row.id).await) });
        let mut reads = stream::iter(reads).buffered(READ_AT_ONCE);
        while let Some((position, read)) = reads.next().await {
            let is_written = match read {
                Ok(order) => self.add_order(export, order.as_ref(), part),
                Err(error) => Err(error),
            };
            match is_written {
                Ok(is_written) => part.written.orders += u64::from(is_written),
                Err(StoreError::Corrupt(_)) => part.written.unreadable += 1,
                Err(error) => return Err(error.into()),
            }
            part.after = Some(position);
            if part.bytes.len() >= self.part {
                break;
            }
        }
        Ok(())
    }

    /// Adds an order, unless it was deleted since it was listed, or does not match any more.
    fn add_order(&self, export: &Export, order: Option<&Order>, part: &mut Part) -> Result<bool, StoreError> {
        let matches = |order: &&Order| !order.is_deleted() && export.selection.filter.matches(order);
        let Some(order) = order.filter(matches) else { return Ok(false) };
        self.rows.add(export.format, order, &mut part.bytes)?;
        Ok(true)
    }

    /// Saves the next revision; `None`: another writer saved one. A write can succeed and its answer be lost: the client
    /// library then meets what it wrote itself.
    async fn save(&self, next: Export) -> Result<Option<Export>, WriteExportError> {
        match self.exports.replace(&next).await {
            Ok(()) => Ok(Some(next)),
            Err(UpdateError::Conflict) => {
                let stored = self.exports.load(&next.tenant, next.id).await?;
                Ok(stored.filter(|stored| *stored == next))
            }
            Err(UpdateError::Store(error)) => Err(error.into()),
        }
    }
}

/// A list that cannot be read today cannot be read tomorrow.
fn of_listing(error: StoreError) -> Halt {
    match error {
        StoreError::Corrupt(_) => Halt::Hopeless,
        error => error.into(),
    }
}

impl From<StoreError> for Halt {
    fn from(error: StoreError) -> Self {
        Self::Failed(error.into())
    }
}

impl From<FileError> for Halt {
    fn from(error: FileError) -> Self {
        match error {
            FileError::Lost(_) => Self::Lost,
            FileError::Unavailable(_) => Self::Failed(error.into()),
        }
    }
}
