//! Answers that pages of other origins may read (CORS, <https://fetch.spec.whatwg.org/#http-cors-protocol>).
//!
//! The gateway answers preflight requests by itself, see `template.yaml`.

use lambda_http::http::HeaderMap;
use lambda_http::http::header::{
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue, ORIGIN, VARY,
};

use crate::config;

/// The headers of answers that a page may read, beside those that it always may.
const EXPOSED: HeaderValue = HeaderValue::from_static(
    "API-Version,Deprecation,ETag,Idempotent-Replayed,Link,Location,Preference-Applied,Retry-After,Server-Timing,Sunset,WWW-Authenticate,\
     x-amzn-RequestId",
);

/// Whose pages may read answers.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) enum Cors {
    /// Nobody's.
    #[default]
    Off,
    /// Everybody's: `*`.
    AnyOrigin,
    /// Those of these origins.
    Origins(Vec<HeaderValue>),
}

impl Cors {
    /// Reads `ALLOWED_ORIGINS`: origins separated by commas, `*`, or nothing.
    pub fn from_env() -> Self {
        Self::allowing(&config::optional("ALLOWED_ORIGINS").unwrap_or_default())
    }

    fn allowing(origins: &str) -> Self {
        let listed: Vec<&str> = origins.split(',').map(str::trim).filter(|origin| !origin.is_empty()).collect();
        match listed.as_slice() {
            [] => Self::Off,
            ["*"] => Self::AnyOrigin,
            listed => Self::Origins(listed.iter().filter_map(|origin| HeaderValue::from_str(origin).ok()).collect()),
        }
    }

    /// The origin to name in the answer to this request.
    pub fn allowed(&self, request: &HeaderMap) -> Allowed {
        match self {
            Self::Off => Allowed::Unsaid,
            Self::AnyOrigin => Allowed::Any,
            Self::Origins(listed) => {
                let origin = request.get(ORIGIN).filter(|origin| listed.contains(origin));
                origin.map_or(Allowed::Other, |origin| Allowed::Listed(origin.clone()))
            }
        }
    }
}

/// What an answer says of the origin that asked.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Allowed {
    /// Nothing.
    Unsaid,
    /// That every origin may read it.
    Any,
    /// That this one may.
    Listed(HeaderValue),
    /// That it would have been another answer for another origin: a cache must not give it to everybody.
    Other,
}

impl Allowed {
    /// Adds the headers to an answer.
    pub fn say(self, answer: &mut HeaderMap) {
        let origin = match self {
            Self::Unsaid => return,
            Self::Any => HeaderValue::from_static("*"),
            Self::Listed(origin) => {
                answer.append(VARY, HeaderValue::from_static("Origin"));
                origin
            }
            Self::Other => {
                answer.append(VARY, HeaderValue::from_static("Origin"));
                return;
            }
        };
        answer.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        answer.insert(ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the answer to a page of this origin says: allowed origin, exposed headers, `Vary`.
    fn said(allowed: &str, origin: Option<&str>) -> [Option<String>; 3] {
        let mut request = HeaderMap::new();
        if let Some(origin) = origin {
            request.insert(ORIGIN, origin.parse().unwrap());
        }
        let mut answer = HeaderMap::new();
        Cors::allowing(allowed).allowed(&request).say(&mut answer);
        [ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, VARY]
            .map(|name| answer.get(name).map(|value| value.to_str().unwrap().to_owned()))
    }

    #[test]
    fn a_listed_origin_reads_the_answer_and_its_headers() {
        for listed in ["https://a.example", "https://b.example"] {
            let [origin, exposed, vary] = said("https://a.example, https://b.example", Some(listed));
            assert_eq!((origin.as_deref(), vary.as_deref()), (Some(listed), Some("Origin")));
            assert!(exposed.unwrap().starts_with("API-Version,Deprecation,ETag,Idempotent-Replayed"));
        }
    }

    #[test]
    fn another_origin_and_none_at_all_read_nothing_and_are_told_apart_by_caches() {
        for other in [None, Some("https://a.example.evil"), Some("null"), Some("https://a.example,https://b.example")] {
            let vary = Some("Origin".to_owned());
            assert_eq!(said("https://a.example,https://b.example", other), [None, None, vary], "{other:?}");
        }
    }

    #[test]
    fn any_origin_is_the_same_answer_for_all() {
        for origin in [None, Some("https://a.example")] {
            let [origin, exposed, vary] = said("*", origin);
            assert_eq!((origin.as_deref(), exposed.is_some(), vary), (Some("*"), true, None));
        }
    }

    #[test]
    fn without_origins_nothing_is_said() {
        for none in ["", " ", ","] {
            assert_eq!(said(none, Some("https://a.example")), [None, None, None]);
        }
    }
}
