//! The caller's own key-value pairs.

use std::collections::BTreeMap;

use crate::invalid::{Invalid, InvalidCode};
use crate::text::check_characters;

/// Up to 50 pairs of strings; keys of 1 to 40 characters, values of at most 500.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Metadata(BTreeMap<String, String>);

impl Metadata {
    /// Parses pairs.
    ///
    /// # Errors
    /// [`InvalidCode::TooMany`], [`InvalidCode::Empty`] for an empty key, [`InvalidCode::TooLong`].
    pub fn parse(pairs: BTreeMap<String, String>) -> Result<Self, Invalid> {
        if pairs.len() > 50 {
            return Err(Invalid::new(InvalidCode::TooMany, "must have at most 50 pairs"));
        }
        for (key, value) in &pairs {
            if key.is_empty() {
                return Err(Invalid::new(InvalidCode::Empty, "keys must not be empty"));
            }
            if key.chars().count() > 40 {
                return Err(Invalid::new(InvalidCode::TooLong, "keys must have at most 40 characters"));
            }
            if value.chars().count() > 500 {
                return Err(Invalid::new(InvalidCode::TooLong, "values must have at most 500 characters"));
            }
            check_characters(key)?;
            check_characters(value)?;
        }
        Ok(Self(pairs))
    }

    /// Pairs as they were stored, whatever the rules were then.
    #[must_use]
    pub const fn restore(pairs: BTreeMap<String, String>) -> Self {
        Self(pairs)
    }

    /// The pairs, by key.
    #[must_use]
    pub const fn as_map(&self) -> &BTreeMap<String, String> {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(n: usize, key: &str, value: &str) -> BTreeMap<String, String> {
        (0..n).map(|i| (format!("{key}{i}"), value.to_owned())).collect()
    }

    #[test]
    fn metadata_is_bounded_in_pairs_keys_and_values() {
        assert!(Metadata::parse(pairs(50, "k", &"ä".repeat(500))).is_ok());
        assert_eq!(Metadata::parse(pairs(51, "k", "v")).unwrap_err().code, InvalidCode::TooMany);
        assert_eq!(Metadata::parse(pairs(1, &"k".repeat(40), "v")).unwrap_err().code, InvalidCode::TooLong);
        assert_eq!(Metadata::parse(pairs(1, "k", &"v".repeat(501))).unwrap_err().code, InvalidCode::TooLong);
    }

    #[test]
    fn control_characters_and_noncharacters_are_refused() {
        for bad in ["\u{0}", "\u{ffff}"] {
            assert_eq!(Metadata::parse(pairs(1, bad, "v")).unwrap_err().code, InvalidCode::Malformed);
            assert_eq!(Metadata::parse(pairs(1, "k", bad)).unwrap_err().code, InvalidCode::Malformed);
        }
        assert!(Metadata::parse(pairs(1, "k", "two\nlines")).is_ok());
    }

    #[test]
    fn an_empty_key_is_refused() {
        let map = BTreeMap::from([(String::new(), "v".to_owned())]);
        assert_eq!(Metadata::parse(map).unwrap_err().code, InvalidCode::Empty);
    }
}
