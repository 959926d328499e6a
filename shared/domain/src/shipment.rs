//! How an order travels.

use fluent_uri::Uri;

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
    /// Parses a URL (RFC 3986) with a host; it is shown, never fetched.
    ///
    /// # Errors
    /// [`InvalidCode::TooLong`] or [`InvalidCode::Malformed`].
    pub fn parse(url: impl Into<String>) -> Result<Self, Invalid> {
        let url = url.into();
        if url.len() > 2000 {
            return Err(Invalid::new(InvalidCode::TooLong, "must have at most 2000 characters"));
        }
        let is_web = Uri::parse(url.as_str()).is_ok_and(|uri| {
            let scheme = uri.scheme().as_str();
            let has_scheme = ["http", "https"].iter().any(|known| scheme.eq_ignore_ascii_case(known));
            has_scheme && uri.authority().is_some_and(|authority| !authority.host().is_empty())
        });
        if is_web { Ok(Self(url)) } else { Err(Invalid::new(InvalidCode::Malformed, "must be an http or https URL")) }
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
        for good in ["https://carrier.example/track?n=1", "HTTPS://A.B/", "http://[::1]:8080/"] {
            assert_eq!(TrackingUrl::parse(good).unwrap().as_str(), good);
        }
        for bad in [
            "javascript:alert(1)",
            "https://",
            "https:// x",
            "ftp://x",
            "/track",
            "",
            "https:a.b",
            "https:///track",
            "https://:80/",
            "https://[javascript]",
            "https://[::1",
            "https://a.b/%zz",
            "https://a.b/<x>",
            "https://a.b:port/",
            "https://ä.example/",
        ] {
            assert!(TrackingUrl::parse(bad).is_err(), "{bad:?}");
        }
    }
}
