//! Where an order is sent.

use crate::invalid::{Invalid, InvalidCode};
use crate::text::Text;

/// A postal address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// Who receives it.
    pub name: Option<Text<255>>,
    /// Street and number.
    pub line1: Text<255>,
    /// Apartment, suite, floor.
    pub line2: Option<Text<255>>,
    /// City, town or village.
    pub city: Text<255>,
    /// State, county or province.
    pub state: Option<Text<255>>,
    /// Postal code.
    pub postal_code: Option<Text<32>>,
    /// Country.
    pub country: Country,
    /// Telephone number of the receiver.
    pub phone: Option<Text<32>>,
}

/// A country code of the form of ISO 3166-1 alpha-2: two upper-case letters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Country(String);

impl Country {
    /// Parses two upper-case letters.
    ///
    /// # Errors
    /// [`InvalidCode::Malformed`] for anything else.
    pub fn parse(code: impl Into<String>) -> Result<Self, Invalid> {
        let code = code.into();
        if code.len() == 2 && code.bytes().all(|b| b.is_ascii_uppercase()) {
            Ok(Self(code))
        } else {
            Err(Invalid::new(InvalidCode::Malformed, "must be a two-letter ISO 3166-1 country code"))
        }
    }

    /// A code as it was stored, whatever the rules were then.
    #[must_use]
    pub const fn restore(code: String) -> Self {
        Self(code)
    }

    /// The two letters.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_country_is_two_upper_case_letters() {
        assert!(Country::parse("DE").is_ok());
        for bad in ["", "D", "de", "DEU", "Ä"] {
            assert!(Country::parse(bad).is_err(), "{bad:?}");
        }
    }
}
