//! How an order travels.

use crate::invalid::{Invalid, InvalidCode};
use crate::text::Text;
use crate::timestamp::Timestamp;

/// Shipping information: who carries the order and how to follow it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shipment {
    /// The carrier.
    pub carrier: Text<255>,
    /// The carrier's number for the parcel.
    pub tracking_number: Text<255>,
    /// Where the parcel can be followed.
    pub tracking_url: Option<TrackingUrl>,
    /// The carrier's product, for instance `express`.
    pub service: Option<Text<255>>,
    /// When it was handed over.
    pub shipped_at: Option<Timestamp>,
    /// When it should arrive.
    pub estimated_delivery: Option<Timestamp>,
}

/// An absolute `http` or `https` URL of at most 2,000 characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrackingUrl(String);

impl TrackingUrl {
    /// Parses a URL by its scheme, host and characters; it is shown, never fetched.
    ///
    /// # Errors
    /// [`InvalidCode::TooLong`] or [`InvalidCode::Malformed`].
    pub fn parse(url: impl Into<String>) -> Result<Self, Invalid> {
        let url = url.into();
        if url.len() > 2000 {
            return Err(Invalid::new(InvalidCode::TooLong, "must have at most 2000 characters"));
        }
        let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
        let has_host = rest.is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '['));
        if has_host && url.bytes().all(|b| b.is_ascii_graphic()) {
            Ok(Self(url))
        } else {
            Err(Invalid::new(InvalidCode::Malformed, "must be an http or https URL"))
        }
    }

    /// A URL as it was stored, whatever the rules were then.
    #[must_use]
    pub const fn restore(url: String) -> Self {
        Self(url)
    }

    /// The URL.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_web_addresses_are_tracking_urls() {
        assert!(TrackingUrl::parse("https://carrier.example/track?n=1").is_ok());
        for bad in ["javascript:alert(1)", "https://", "https:// x", "ftp://x", "/track", ""] {
            assert!(TrackingUrl::parse(bad).is_err(), "{bad:?}");
        }
    }
}
