//! How far an export has come, and the steps that it takes. Each step is saved before the next begins, so that a writer who
//! dies leaves an export that another continues.

use super::Export;
use crate::listing::Position;
use crate::timestamp::Timestamp;

/// A file has at most so many parts, as S3 takes them.
pub const MOST_PARTS: usize = 10_000;

/// How often an export begins anew, because its upload was lost, before it is given up.
pub const MOST_RESTARTS: u32 = 3;

/// How often a step that fails is tried again before the export is given up: with the pauses in between
/// ([`crate::ports::ExportStore::pause`]) for longer than a table takes that doubles its capacity.
pub const MOST_ATTEMPTS: u32 = 150;

/// How far an export has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// It is being written.
    Running(Progress),
    /// The file is there.
    Succeeded,
    /// There will be no file.
    Failed,
}

/// What a storefront sees of a state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// It is being written.
    Running,
    /// The file is there.
    Succeeded,
    /// There will be no file.
    Failed,
}

impl Status {
    /// Every status.
    pub const ALL: [Self; 3] = [Self::Running, Self::Succeeded, Self::Failed];

    /// The wire form.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
        }
    }
}

/// Where the next writer goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Progress {
    /// Whether it waits for a turn; a saved export that does has a writer called for it.
    pub is_waiting: bool,
    /// The last order that was read; `None`: none was.
    pub after: Option<Position>,
    /// Whether every order was read: what is left is to complete the file.
    pub is_whole: bool,
    /// The upload of the file; `None` before its first part.
    pub upload: Option<Upload>,
    /// How often it began anew.
    pub restarts: u32,
    /// How often its next step failed.
    pub attempts: u32,
}

impl Progress {
    /// One that waits for its first turn, or for the first after it began anew.
    #[must_use]
    pub const fn waiting(restarts: u32) -> Self {
        Self { is_waiting: true, after: None, is_whole: false, upload: None, restarts, attempts: 0 }
    }
}

/// A file on its way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upload {
    /// What the store of files calls it.
    pub id: String,
    /// The tags of its parts, in their order.
    pub parts: Vec<String>,
}

/// What an export has written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Written {
    /// Orders in the file.
    pub orders: u64,
    /// Bytes of the file.
    pub bytes: u64,
    /// Orders that are not in it, because they cannot be read.
    pub unreadable: u64,
}

impl Written {
    /// Both together.
    #[must_use]
    pub const fn plus(self, more: Self) -> Self {
        Self {
            orders: self.orders + more.orders,
            bytes: self.bytes + more.bytes,
            unreadable: self.unreadable + more.unreadable,
        }
    }
}

impl Export {
    /// One part more was uploaded: the orders up to `after`, of which it is the last when `is_whole`.
    #[must_use]
    pub fn with_part(
        &self,
        upload: Upload,
        after: Option<Position>,
        is_whole: bool,
        more: Written,
        now: Timestamp,
    ) -> Self {
        let restarts = self.progress().map_or(0, |progress| progress.restarts);
        let progress = Progress { is_waiting: false, after, is_whole, upload: Some(upload), restarts, attempts: 0 };
        self.saved(State::Running(progress), self.written.plus(more), now)
    }

    /// It waits for its next turn.
    #[must_use]
    pub fn handed_over(&self, now: Timestamp) -> Self {
        let state = match &self.state {
            State::Running(progress) => State::Running(Progress { is_waiting: true, ..progress.clone() }),
            State::Succeeded | State::Failed => self.state.clone(),
        };
        self.saved(state, self.written, now)
    }

    /// Its next step failed, so it waits for another turn behind the others, unless it did so too often.
    #[must_use]
    pub fn put_off(&self, now: Timestamp) -> Self {
        match self.progress() {
            Some(progress) if progress.attempts < MOST_ATTEMPTS => {
                let attempts = progress.attempts + 1;
                let progress = Progress { is_waiting: true, attempts, ..progress.clone() };
                self.saved(State::Running(progress), self.written, now)
            }
            Some(_) | None => self.failed(now),
        }
    }

    /// Its upload was lost, so it begins anew, unless it did so too often.
    #[must_use]
    pub fn restarted(&self, now: Timestamp) -> Self {
        match self.progress().map_or(MOST_RESTARTS, |progress| progress.restarts) {
            MOST_RESTARTS.. => self.failed(now),
            restarts => self.saved(State::Running(Progress::waiting(restarts + 1)), Written::default(), now),
        }
    }

    /// The file is there.
    #[must_use]
    pub fn succeeded(&self, now: Timestamp) -> Self {
        self.saved(State::Succeeded, self.written, now)
    }

    /// There will be no file.
    #[must_use]
    pub fn failed(&self, now: Timestamp) -> Self {
        self.saved(State::Failed, self.written, now)
    }

    /// Where the next writer goes on; `None`: nowhere, it is over.
    #[must_use]
    pub const fn progress(&self) -> Option<&Progress> {
        match &self.state {
            State::Running(progress) => Some(progress),
            State::Succeeded | State::Failed => None,
        }
    }
}
