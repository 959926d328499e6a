//! Write an export: orders page by page into the parts of one file, in constant memory, from wherever the last writer was.
//!
//! A part is uploaded and then noted, together with the order that it ends with. So a writer who dies in between leaves the
//! part unnoted, and the next one uploads it again under the same number: no order twice, and none left out.

use std::time::Duration;

use futures_util::stream::{self, StreamExt};

use crate::export::{Export, Format, MOST_PARTS, Progress, Upload, Written};
use crate::id::{ExportId, OrderId, TenantId};
use crate::listing::{Limit, Position};
use crate::order::Order;
use crate::ports::{Clock, ExportFiles, ExportRows, ExportStore, FileError, OrderStore, StoreError, UpdateError};
use crate::timestamp::Timestamp;

/// So many orders are read at a time.
const READ_AT_ONCE: usize = 16;

/// A part is uploaded once it has so many bytes: what a writer holds in memory.
pub const PART: usize = 8 * 1024 * 1024;

/// For so long the orders of a part are read. The function's timeout leaves time to upload what was begun within a turn.
const PART_TIME: Duration = Duration::from_secs(180);

/// The use case and the ports it needs.
#[derive(Debug, Clone)]
pub struct WriteExport<S, E, F, R, K> {
    /// Where orders are kept. Reads may lag behind its lists.
    pub store: S,
    /// The same, whose reads do not lag: asked about orders that would be left out.
    pub latest: S,
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
    /// A step failed, for this reason: the export waits for another turn, or is given up.
    Halted(Export, WriteExportError),
    /// It is over: the file is there, or never will be.
    Over(Export),
}

/// Why a step was not taken, or not saved. The next turn goes on from what is saved.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WriteExportError {
    /// A store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The store of files failed.
    #[error(transparent)]
    File(#[from] FileError),
    /// The orders of a part were not read in time.
    #[error("a part took longer than {} s", PART_TIME.as_secs())]
    TooSlow,
    /// A file cannot hold them.
    #[error("the orders need more than {MOST_PARTS} parts")]
    TooLarge,
}

/// Why a step was not taken.
enum Halt {
    /// The upload is not as it was left.
    Lost(WriteExportError),
    /// To try again is of no use.
    Hopeless(WriteExportError),
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
    /// Writes the export until it is over, or until `until`: then it waits for its next turn, as it does when a step fails.
    ///
    /// # Errors
    /// [`WriteExportError`]: how far it has come could not be read or saved. The turn should be taken again.
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
            let is_over = is_begun && self.clock.now() >= until;
            let step =
                if is_over { Ok(export.handed_over(self.clock.now())) } else { self.step(&export, progress).await };
            let next = match step {
                Ok(next) => next,
                Err(halt) => return self.halt(&export, halt).await,
            };
            let Some(saved) = self.save(next).await? else { return Ok(Turn::Overtaken) };
            (export, is_begun) = (saved, true);
        }
        Ok(if is_begun { Turn::Over(export) } else { Turn::Idle })
    }

    /// Saves what becomes of an export whose next step was not taken.
    async fn halt(&self, export: &Export, halt: Halt) -> Result<Turn, WriteExportError> {
        let (next, error) = match halt {
            Halt::Lost(error) => (export.restarted(self.clock.now()), error),
            Halt::Hopeless(error) => (export.failed(self.clock.now()), error),
            Halt::Failed(error) => {
                let attempts = export.progress().map_or(0, |progress| progress.attempts);
                self.exports.pause(attempts + 1).await;
                (export.put_off(self.clock.now()), error)
            }
        };
        Ok(self.save(next).await?.map_or(Turn::Overtaken, |saved| Turn::Halted(saved, error)))
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
                return Err(Halt::Hopeless(WriteExportError::TooLarge));
            }
            let tag = self.files.put_part(export, &upload, bytes).await?;
            upload.parts.push(tag);
        }
        Ok(export.with_part(upload, after, is_last, written, self.clock.now()))
    }

    /// Reads orders until there are enough for a part.
    async fn part(&self, export: &Export, progress: &Progress) -> Result<Part, Halt> {
        let deadline = self.clock.now().plus(PART_TIME);
        let bytes = Vec::with_capacity(self.part);
        let mut part = Part { bytes, after: progress.after, is_last: false, written: Written::default() };
        if progress.upload.is_none() {
            self.rows.begin(export.format, &mut part.bytes)?;
        }
        while !part.is_last && part.bytes.len() < self.part {
            if self.clock.now() > deadline {
                return Err(Halt::Failed(WriteExportError::TooSlow));
            }
            let page = self.store.list(&export.query(part.after, Limit::MAX)).await?;
            let places = page.places();
            let end = places.last().copied();
            self.add(export, places, &mut part).await?;
            part.is_last = end.is_none() || (!page.has_more && part.after == end);
        }
        part.written.bytes = part.bytes.len() as u64;
        Ok(part)
    }

    /// Adds the orders of a page, as many as there is room for. Where only the row cannot be read, the order can.
    async fn add(&self, export: &Export, places: Vec<Position>, part: &mut Part) -> Result<(), Halt> {
        let reads = places.into_iter().map(|place| async move { (place, self.read(export, place.id).await) });
        let mut reads = stream::iter(reads).buffered(READ_AT_ONCE);
        while let Some((position, read)) = reads.next().await {
            let is_written = match read {
                Ok(order) => self.add_order(export.format, order.as_ref(), part),
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

    /// An order that was listed; `None`: it was deleted since, or does not match any more. A read that lags says neither.
    async fn read(&self, export: &Export, id: OrderId) -> Result<Option<Order>, StoreError> {
        let matches = |order: &Order| !order.is_deleted() && export.selection.filter.matches(order);
        match self.store.get(&export.tenant, id).await?.filter(matches) {
            Some(order) => Ok(Some(order)),
            None => Ok(self.latest.get(&export.tenant, id).await?.filter(matches)),
        }
    }

    /// Adds an order, if it is to be in the file.
    fn add_order(&self, format: Format, order: Option<&Order>, part: &mut Part) -> Result<bool, StoreError> {
        let Some(order) = order else { return Ok(false) };
        self.rows.add(format, order, &mut part.bytes)?;
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

impl From<StoreError> for Halt {
    fn from(error: StoreError) -> Self {
        match error {
            // What cannot be read today cannot be read tomorrow.
            StoreError::Corrupt(_) | StoreError::Rejected(_) => Self::Hopeless(error.into()),
            error => Self::Failed(error.into()),
        }
    }
}

impl From<FileError> for Halt {
    fn from(error: FileError) -> Self {
        match error {
            FileError::Lost(_) => Self::Lost(error.into()),
            FileError::Unavailable(_) => Self::Failed(error.into()),
        }
    }
}
