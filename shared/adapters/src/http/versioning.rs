//! The version of the contract, and which routes will be removed when: docs/versioning.md is the policy.

use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;
use lambda_http::http::header::LINK;
use lambda_http::http::{HeaderMap, HeaderName, HeaderValue};

/// The version of the contract, which every answer names: the `version` of docs/openapi.yaml.
pub const API_VERSION: &str = "1.1.0";

/// Every route that will be removed.
pub const DEPRECATED: &[Deprecated] = &[];

/// A route that will be removed, and what its answers say of that. Times are seconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deprecated {
    /// Method and path, such as `GET /orders/{id}`.
    pub route: &'static str,
    /// From when on clients should no longer use it (RFC 9745).
    pub since: i64,
    /// When it is removed (RFC 8594), once that is known.
    pub sunset: Option<i64>,
    /// A page that says what to use instead.
    pub instead: &'static str,
}

/// What every answer says of the version; one of a deprecated route also says until when the route is there.
pub(super) fn say(answer: &mut HeaderMap, deprecated: Option<Deprecated>) {
    answer.insert(HeaderName::from_static("api-version"), HeaderValue::from_static(API_VERSION));
    let Some(Deprecated { since, sunset, instead, .. }) = deprecated else { return };
    insert(answer, HeaderName::from_static("deprecation"), &format!("@{since}"));
    link(answer, instead, "deprecation");
    if let Some(Ok(sunset)) = sunset.map(|sunset| DateTime::from_secs(sunset).fmt(Format::HttpDate)) {
        insert(answer, HeaderName::from_static("sunset"), &sunset);
        link(answer, instead, "sunset");
    }
}

fn link(answer: &mut HeaderMap, page: &str, relation: &str) {
    if let Ok(link) = HeaderValue::from_str(&format!("<{page}>; rel=\"{relation}\"; type=\"text/html\"")) {
        answer.append(LINK, link);
    }
}

fn insert(answer: &mut HeaderMap, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        answer.insert(name, value);
    }
}

/// The entry of a route in a table. `HEAD` is deprecated with its `GET`.
pub(super) fn find(table: &[Deprecated], route: &str) -> Option<Deprecated> {
    let path_of_head = route.strip_prefix("HEAD ");
    let is_of = |known: &str| {
        path_of_head.map_or(known == route, |path| known.strip_prefix("GET ").is_some_and(|of| of == path))
    };
    table.iter().find(|deprecated| is_of(deprecated.route)).copied()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::ROUTES;

    const YEAR: i64 = 365 * 24 * 3_600;

    const TABLE: &[Deprecated] = &[Deprecated {
        route: "GET /orders/{id}",
        since: 1_767_225_600,
        sunset: Some(1_798_761_599),
        instead: "https://orders.example/docs/versioning.html",
    }];

    /// What an answer of the route says: every header with its values.
    fn said(table: &[Deprecated], route: &str) -> Vec<(String, String)> {
        let mut answer = HeaderMap::new();
        answer.insert(LINK, HeaderValue::from_static("</v1/orders?cursor=x>; rel=\"next\""));
        say(&mut answer, find(table, route));
        let pair = |(name, value): (&HeaderName, &HeaderValue)| (name.to_string(), value.to_str().unwrap().to_owned());
        answer.iter().map(pair).collect()
    }

    fn own(name: &str, value: &str) -> (String, String) {
        (name.to_owned(), value.to_owned())
    }

    #[test]
    fn an_answer_of_a_deprecated_route_says_since_when_until_when_and_what_to_use_instead() {
        let page = "<https://orders.example/docs/versioning.html>";
        let expected = [
            own("link", "</v1/orders?cursor=x>; rel=\"next\""),
            own("link", &format!("{page}; rel=\"deprecation\"; type=\"text/html\"")),
            own("link", &format!("{page}; rel=\"sunset\"; type=\"text/html\"")),
            own("api-version", "1.1.0"),
            own("deprecation", "@1767225600"),
            own("sunset", "Thu, 31 Dec 2026 23:59:59 GMT"),
        ];
        for route in ["GET /orders/{id}", "HEAD /orders/{id}"] {
            assert_eq!(said(TABLE, route), expected, "{route}");
        }
    }

    #[test]
    fn nothing_is_said_of_an_end_that_is_not_known() {
        let table = [Deprecated { sunset: None, ..TABLE[0] }];
        let names: Vec<_> = said(&table, "GET /orders/{id}").into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["link", "link", "api-version", "deprecation"]);
    }

    #[test]
    fn every_other_answer_names_the_version_alone() {
        let expected = [own("link", "</v1/orders?cursor=x>; rel=\"next\""), own("api-version", "1.1.0")];
        for route in ["PUT /orders/{id}", "DELETE /orders/{id}", "GET /orders", "HEAD /orders", "unknown", ""] {
            assert_eq!(said(TABLE, route), expected, "{route}");
        }
        assert_eq!(said(&[], "GET /orders/{id}"), expected);
    }

    /// Why the policy does not allow this entry.
    fn fault(entry: &Deprecated) -> Option<&'static str> {
        let is_route = ROUTES.iter().any(|(path, methods)| {
            methods.split(", ").any(|method| method != "HEAD" && entry.route == format!("{method} {path}"))
        });
        match entry {
            _ if !is_route => Some("it is no route"),
            Deprecated { since, sunset: Some(sunset), .. } if sunset - since < YEAR - 1 => {
                Some("clients have less than a year")
            }
            Deprecated { instead, .. } if !instead.starts_with("https://") => Some("no page says what to use instead"),
            _ => None,
        }
    }

    #[test]
    fn clients_have_a_year_and_a_page_that_says_what_to_use_instead() {
        let [entry] = TABLE else { panic!("one entry") };
        assert_eq!(fault(entry), None);
        assert_eq!(fault(&Deprecated { route: "HEAD /orders/{id}", ..*entry }), Some("it is no route"));
        assert_eq!(
            fault(&Deprecated { sunset: Some(entry.since + 1), ..*entry }),
            Some("clients have less than a year")
        );
        assert_eq!(fault(&Deprecated { instead: "", ..*entry }), Some("no page says what to use instead"));
        for entry in DEPRECATED {
            assert_eq!(fault(entry), None, "{}", entry.route);
        }
    }
}
