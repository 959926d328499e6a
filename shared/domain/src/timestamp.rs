//! Points in time: UTC, to the millisecond.

use std::fmt;
use std::time::Duration;

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::invalid::{Invalid, InvalidCode};

/// A point in time in milliseconds since 1970-01-01T00:00:00Z, between the years 0 and 9999.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Timestamp(i64);

/// 9999-12-31T23:59:59.999Z, the last instant RFC 3339 can write.
const MAX_MILLIS: i64 = 253_402_300_799_999;

impl Timestamp {
    /// The instant `millis` milliseconds after the epoch, held to the range RFC 3339 can write.
    #[must_use]
    pub fn from_millis(millis: i64) -> Self {
        Self(millis.clamp(0, MAX_MILLIS))
    }

    /// The instant `secs` seconds after the epoch, held to the same range.
    #[must_use]
    pub fn from_secs(secs: i64) -> Self {
        Self::from_millis(secs.saturating_mul(1000))
    }

    /// Parses an RFC 3339 date and time with any offset; digits below the millisecond are dropped.
    ///
    /// # Errors
    /// [`InvalidCode::Malformed`] for anything else, and for instants before 1970.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        OffsetDateTime::parse(text, &Rfc3339)
            .ok()
            .and_then(|at| i64::try_from(at.unix_timestamp_nanos() / 1_000_000).ok())
            .filter(|millis| (0..=MAX_MILLIS).contains(millis))
            .map(Self)
            .ok_or_else(|| Invalid::new(InvalidCode::Malformed, "must be an RFC 3339 date and time"))
    }

    /// Milliseconds since the epoch.
    #[must_use]
    pub const fn as_millis(self) -> i64 {
        self.0
    }

    /// Whole seconds since the epoch, the unit of a DynamoDB TTL.
    #[must_use]
    pub const fn as_secs(self) -> i64 {
        self.0 / 1000
    }

    /// This instant, `later` further on.
    #[must_use]
    pub fn plus(self, later: Duration) -> Self {
        Self::from_millis(self.0.saturating_add(i64::try_from(later.as_millis()).unwrap_or(i64::MAX)))
    }

    /// This instant, `earlier` before.
    #[must_use]
    pub fn minus(self, earlier: Duration) -> Self {
        Self::from_millis(self.0.saturating_sub(i64::try_from(earlier.as_millis()).unwrap_or(i64::MAX)))
    }
}

/// RFC 3339, UTC, always three digits of milliseconds: `2026-01-31T09:30:00.000Z`.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = OffsetDateTime::from_unix_timestamp_nanos(i128::from(self.0) * 1_000_000).map_err(|_| fmt::Error)?;
        write!(
            f,
            "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z",
            at.year(),
            u8::from(at.month()),
            at.day(),
            at.hour(),
            at.minute(),
            at.second(),
            at.millisecond()
        )
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_offset_is_turned_into_utc() {
        let at = Timestamp::parse("2026-01-31T10:30:00.1239+01:00").unwrap();
        assert_eq!(at.to_string(), "2026-01-31T09:30:00.123Z");
    }

    #[test]
    fn dates_without_time_or_before_1970_are_refused() {
        for bad in ["2026-01-31", "1969-12-31T23:59:59Z", "yesterday", ""] {
            assert!(Timestamp::parse(bad).is_err(), "{bad:?}");
        }
    }

    proptest! {
        #[test]
        fn every_timestamp_survives_its_text_form(millis in 0..=MAX_MILLIS) {
            let at = Timestamp::from_millis(millis);
            prop_assert_eq!(Timestamp::parse(&at.to_string()), Ok(at));
        }
    }
}
