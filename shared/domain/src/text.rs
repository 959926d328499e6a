//! Free text of bounded length.

use crate::invalid::{Invalid, InvalidCode};

/// Text of 1 to `MAX` characters without control characters, but for line breaks and tabs.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Text<const MAX: usize>(String);

/// `external_reference`: at most 255 characters.
pub type ExternalReference = Text<255>;
/// `notes`: at most 2,000 characters.
pub type Notes = Text<2000>;
/// The reason of a status change: at most 255 characters.
pub type Reason = Text<255>;

impl<const MAX: usize> Text<MAX> {
    /// Parses text.
    ///
    /// # Errors
    /// [`InvalidCode::Empty`], [`InvalidCode::TooLong`], or [`InvalidCode::Malformed`] for control characters.
    pub fn parse(value: impl Into<String>) -> Result<Self, Invalid> {
        let value = value.into();
        if value.trim().is_empty() {
            return Err(Invalid::new(InvalidCode::Empty, "must not be empty"));
        }
        if value.chars().count() > MAX {
            return Err(Invalid::new(InvalidCode::TooLong, format_args!("must have at most {MAX} characters")));
        }
        if value.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t')) {
            return Err(Invalid::new(InvalidCode::Malformed, "must not contain control characters"));
        }
        Ok(Self(value))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_counted_in_characters_not_bytes() {
        assert!(Text::<3>::parse("äöü").is_ok());
        assert_eq!(Text::<3>::parse("äöüa").unwrap_err().code, InvalidCode::TooLong);
    }

    #[test]
    fn blank_text_and_control_characters_are_refused() {
        assert_eq!(Text::<9>::parse("  ").unwrap_err().code, InvalidCode::Empty);
        assert_eq!(Text::<9>::parse("a\u{0}b").unwrap_err().code, InvalidCode::Malformed);
        assert!(Text::<9>::parse("a\nb").is_ok());
    }
}
