//! Whole numbers of a request, however they are written: to JSON Schema `5.0` is an integer as `5` is.

use std::fmt;

use serde::de::{Deserializer, Error, Unexpected, Visitor};

/// A whole number without a sign, of 32 bits.
pub(super) fn number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    deserializer.deserialize_any(Whole)
}

struct Whole;

impl Visitor<'_> for Whole {
    type Value = u32;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a whole number")
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<u32, E> {
        u32::try_from(value).map_err(|_| E::invalid_value(Unexpected::Unsigned(value), &self))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<u32, E> {
        u32::try_from(value).map_err(|_| E::invalid_value(Unexpected::Signed(value), &self))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<u32, E> {
        let is_whole = value.fract() == 0.0 && (0.0..=f64::from(u32::MAX)).contains(&value);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "whole and within 32 bits")]
        let whole = value as u32;
        if is_whole { Ok(whole) } else { Err(E::invalid_value(Unexpected::Float(value), &self)) }
    }
}

#[cfg(test)]
mod tests {
    fn parse(json: &str) -> Option<u32> {
        super::number(&mut serde_json::Deserializer::from_str(json)).ok()
    }

    #[test]
    fn a_whole_number_is_read_however_it_is_written() {
        for (json, number) in [("5", 5), ("5.0", 5), ("5e0", 5), ("0.0", 0), ("4294967295", u32::MAX)] {
            assert_eq!(parse(json), Some(number), "{json}");
        }
        for bad in ["0.5", "-1", "-1.0", "4294967296", "4294967296.0", "1e300", "\"5\"", "null", "true", "[5]"] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }
}
