//! Free text of bounded length.

use crate::invalid::{Invalid, InvalidCode};

/// Text of 1 to `MAX` characters without control characters, but for line breaks and tabs, and without noncharacters.
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
    /// [`InvalidCode::Empty`], [`InvalidCode::TooLong`], or [`InvalidCode::Malformed`] for control characters and noncharacters.
    pub fn parse(value: impl Into<String>) -> Result<Self, Invalid> {
        let value = value.into();
        if value.trim().is_empty() {
            return Err(Invalid::new(InvalidCode::Empty, "must not be empty"));
        }
        if value.chars().count() > MAX {
            return Err(Invalid::new(InvalidCode::TooLong, format_args!("must have at most {MAX} characters")));
        }
        check_characters(&value)?;
        Ok(Self(value))
    }

    /// Text as it was stored, whatever the rules were then.
    #[must_use]
    pub const fn restore(value: String) -> Self {
        Self(value)
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Whether text can be stored, logged and shown everywhere: it has no control characters but line breaks and tabs, and
/// none of the 66 noncharacters (Unicode §23.7), which XML and many programs refuse.
///
/// # Errors
/// [`InvalidCode::Malformed`].
pub(crate) fn check_characters(text: &str) -> Result<(), Invalid> {
    let is_control = |c: char| c.is_control() && !matches!(c, '\n' | '\r' | '\t');
    let is_noncharacter = |c: char| matches!(u32::from(c), 0xFDD0..=0xFDEF) || u32::from(c) & 0xFFFE == 0xFFFE;
    if text.chars().any(|c| is_control(c) || is_noncharacter(c)) {
        return Err(Invalid::new(InvalidCode::Malformed, "must not contain control characters or noncharacters"));
    }
    Ok(())
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
    fn blank_text_control_characters_and_noncharacters_are_refused() {
        assert_eq!(Text::<9>::parse("  ").unwrap_err().code, InvalidCode::Empty);
        for bad in ["a\u{0}b", "\u{7f}", "\u{9f}", "\u{fdd0}", "\u{fffe}", "\u{ffff}", "\u{1fffe}", "\u{10ffff}"] {
            assert_eq!(Text::<9>::parse(bad).unwrap_err().code, InvalidCode::Malformed, "{bad:?}");
        }
        assert!(Text::<9>::parse("\u{fffd}\u{fdcf}\u{10fffd}").is_ok());
        assert!(Text::<9>::parse("a\nb").is_ok());
    }
}
