//! Why a value was refused, in a form that can be shown to the caller.

use std::fmt;

/// A refused value: a stable code and a sentence that names the bound it broke, never the value itself.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{detail}")]
pub struct Invalid {
    /// What kind of rule was broken.
    pub code: InvalidCode,
    /// The rule, as a sentence.
    pub detail: String,
}

/// The kinds of broken rule; [`InvalidCode::as_str`] is the stable wire code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InvalidCode {
    /// A value that must not be empty is.
    Empty,
    /// More characters than allowed.
    TooLong,
    /// More entries than allowed.
    TooMany,
    /// A number outside its range.
    OutOfRange,
    /// Not of the form required.
    Malformed,
    /// Not one of the values that exist.
    Unknown,
}

impl InvalidCode {
    /// The stable code shown to callers.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::TooLong => "too_long",
            Self::TooMany => "too_many",
            Self::OutOfRange => "out_of_range",
            Self::Malformed => "malformed",
            Self::Unknown => "unknown_value",
        }
    }
}

impl Invalid {
    /// An [`Invalid`] of this code; `detail` must not repeat the refused value.
    pub fn new(code: InvalidCode, detail: impl fmt::Display) -> Self {
        Self { code, detail: detail.to_string() }
    }
}
