//! Exports: the orders of a storefront that match some filters, written to one file, part by part.

mod state;

use std::time::Duration;

use crate::id::{ExportId, TenantId};
use crate::invalid::{Invalid, InvalidCode};
use crate::listing::{Filter, Limit, ListQuery, Position};
use crate::timestamp::Timestamp;

pub use state::{MOST_ATTEMPTS, MOST_PARTS, MOST_RESTARTS, Progress, State, Status, Upload, Written};

/// How a file is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// One JSON document a line.
    JsonLines,
    /// A table, one row an order (RFC 4180).
    Csv,
}

impl Format {
    /// Every format.
    pub const ALL: [Self; 2] = [Self::JsonLines, Self::Csv];

    /// The name in requests, which is also how the file's name ends.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::JsonLines => "jsonl",
            Self::Csv => "csv",
        }
    }

    /// Parses the name.
    ///
    /// # Errors
    /// [`InvalidCode::Unknown`].
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let names = Self::ALL.map(Self::as_str).join(", ");
        let found = Self::ALL.into_iter().find(|format| format.as_str() == text);
        found.ok_or_else(|| Invalid::new(InvalidCode::Unknown, format_args!("must be one of {names}")))
    }
}

/// Which orders are exported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selection {
    /// Which of the storefront's.
    pub filter: Filter,
    /// Only those created later than this.
    pub created_after: Option<Timestamp>,
    /// Only those created earlier than this.
    pub created_before: Option<Timestamp>,
}

impl From<ListQuery> for Selection {
    fn from(query: ListQuery) -> Self {
        let ListQuery { filter, created_after, created_before, .. } = query;
        Self { filter, created_after, created_before }
    }
}

/// An export and how far it has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Export {
    /// Whose orders.
    pub tenant: TenantId,
    /// Its id.
    pub id: ExportId,
    /// How the file is written.
    pub format: Format,
    /// Which orders.
    pub selection: Selection,
    /// How far it has come.
    pub state: State,
    /// What was written so far.
    pub written: Written,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// When it was saved last.
    pub updated_at: Timestamp,
    /// How often it was saved: the condition of every write.
    pub revision: u64,
}

impl Export {
    /// For how long an export and its file are kept.
    pub const KEPT: Duration = Duration::from_secs(7 * 24 * 3_600);

    /// A running export that was not saved for so long has no writer any more: its turn is tried for six hours, and then
    /// given up (`MaximumRecordAgeInSeconds` of write-export).
    pub const STALLED_AFTER: Duration = Duration::from_secs(7 * 3_600);

    /// A new export, which waits for its first turn.
    #[must_use]
    pub fn new(tenant: TenantId, id: ExportId, format: Format, selection: Selection, now: Timestamp) -> Self {
        Self {
            tenant,
            id,
            format,
            selection,
            state: State::Running(Progress::waiting(0)),
            written: Written::default(),
            created_at: now,
            updated_at: now,
            revision: 1,
        }
    }

    /// Whether both ask for the same.
    #[must_use]
    pub fn asks_for_the_same(&self, other: &Self) -> bool {
        (self.format, &self.selection) == (other.format, &other.selection)
    }

    /// When it is forgotten, and its file with it.
    #[must_use]
    pub fn expires_at(&self) -> Timestamp {
        self.created_at.plus(Self::KEPT)
    }

    /// Whether it is forgotten, though it may still be stored.
    #[must_use]
    pub fn is_expired(&self, now: Timestamp) -> bool {
        self.expires_at() <= now
    }

    /// What its storefront sees of its state.
    #[must_use]
    pub fn status(&self, now: Timestamp) -> Status {
        match self.state {
            State::Running(_) if self.updated_at.plus(Self::STALLED_AFTER) <= now => Status::Failed,
            State::Running(_) => Status::Running,
            State::Succeeded => Status::Succeeded,
            State::Failed => Status::Failed,
        }
    }

    /// The query of the orders that follow this one. Orders that are placed after the export was asked for are in no page.
    #[must_use]
    pub fn query(&self, after: Option<Position>, limit: Limit) -> ListQuery {
        let Selection { filter, created_after, created_before } = self.selection.clone();
        let asked = self.created_at.plus(Duration::from_millis(1));
        let created_before = Some(created_before.map_or(asked, |before| before.min(asked)));
        ListQuery { tenant: self.tenant.clone(), filter, created_after, created_before, after, limit }
    }

    /// The next revision.
    fn saved(&self, state: State, written: Written, now: Timestamp) -> Self {
        Self { state, written, updated_at: now, revision: self.revision + 1, ..self.clone() }
    }
}
