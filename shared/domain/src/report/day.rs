//! Days in UTC.

use std::fmt;

use crate::invalid::{Invalid, InvalidCode};
use crate::timestamp::Timestamp;

const MILLIS: i64 = 24 * 60 * 60 * 1_000;

/// A day in UTC, from 1970 on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Day(i64);

impl Day {
    /// The day of this instant.
    #[must_use]
    pub const fn of(at: Timestamp) -> Self {
        Self(at.as_millis() / MILLIS)
    }

    /// Parses `2026-01-31`.
    ///
    /// # Errors
    /// [`InvalidCode::Malformed`] for anything else, and for days before 1970.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let midnight =
            Some(text).filter(|text| text.len() == 10).map(|day| Timestamp::parse(&format!("{day}T00:00:00Z")));
        let malformed = || Invalid::new(InvalidCode::Malformed, "must be a date such as 2026-01-31, from 1970 on");
        midnight.and_then(Result::ok).map(Self::of).ok_or_else(malformed)
    }

    /// How many days lie between this one and a later one.
    #[must_use]
    pub const fn until(self, later: Self) -> i64 {
        later.0 - self.0
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let midnight = Timestamp::from_millis(self.0 * MILLIS).to_string();
        f.write_str(midnight.split('T').next().unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_written_as_it_is_read_and_begins_at_midnight() {
        for text in ["1970-01-01", "2024-02-29", "2026-12-31", "9999-12-31"] {
            assert_eq!(Day::parse(text).unwrap().to_string(), text);
        }
        let at = |text| Day::of(Timestamp::parse(text).unwrap());
        assert_eq!(at("2026-01-31T23:59:59.999Z"), Day::parse("2026-01-31").unwrap());
        assert_eq!(at("2026-02-01T00:59:00+01:00"), Day::parse("2026-01-31").unwrap());
        assert_eq!(at("2026-01-31T00:00:00Z").until(at("2026-02-01T00:00:00Z")), 1);
    }

    #[test]
    fn what_is_no_day_is_refused() {
        for text in ["", "today", "2026-1-31", "2026-02-30", "1969-12-31", "2026-01-31T", "2026-01-31 "] {
            assert!(Day::parse(text).is_err(), "{text}");
        }
    }
}
