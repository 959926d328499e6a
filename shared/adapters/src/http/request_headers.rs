//! What a request asks for by its headers: under which key, on which condition, with which preference.

use domain::id::IdempotencyKey;
use domain::use_cases::IfMatch;
use lambda_http::http::HeaderValue;

use super::ApiRequest;
use crate::problem::{Code, Problem};

impl ApiRequest {
    /// The `Idempotency-Key` header.
    ///
    /// # Errors
    /// [`Code::InvalidIdempotencyKey`].
    pub fn idempotency_key(&self) -> Result<Option<IdempotencyKey>, Problem> {
        let Some(value) = self.single("idempotency-key", Code::InvalidIdempotencyKey)? else { return Ok(None) };
        let key = IdempotencyKey::parse(value.to_str().unwrap_or("\u{fffd}"));
        key.map(Some).map_err(|invalid| Problem::new(Code::InvalidIdempotencyKey).detail(invalid.detail))
    }

    /// The versions that the `If-Match` header accepts. Entity tags that no version has never match (RFC 9110 §13.1.1).
    ///
    /// # Errors
    /// [`Code::InvalidIfMatch`] for a header that is given twice.
    pub fn if_match(&self) -> Result<IfMatch, Problem> {
        let Some(header) = self.single("if-match", Code::InvalidIfMatch)? else { return Ok(IfMatch::Any) };
        let header = header.to_str().unwrap_or_default().trim();
        if header == "*" {
            return Ok(IfMatch::Any);
        }
        let version = |tag: &str| {
            let digits = tag.trim().strip_prefix('"')?.strip_suffix('"')?;
            digits.parse().ok().filter(|version: &u64| version.to_string() == digits)
        };
        Ok(IfMatch::Versions(header.split(',').filter_map(version).collect()))
    }

    /// A header that may be given once: of two, neither is taken.
    fn single(&self, name: &str, code: Code) -> Result<Option<&HeaderValue>, Problem> {
        let mut values = self.fields(name).iter();
        match (values.next(), values.next()) {
            (value, None) => Ok(value),
            (_, Some(_)) => Err(Problem::new(code).detail("must be given once")),
        }
    }

    /// The entity tags of the `If-None-Match` header, as one list.
    #[must_use]
    pub fn if_none_match(&self) -> Option<String> {
        self.list("if-none-match")
    }

    /// A header that is a list, whose fields are one list together (RFC 9110 §5.3).
    fn list(&self, name: &str) -> Option<String> {
        let fields = self.fields(name).iter();
        let fields: Vec<&str> = fields.map(|field| field.to_str().unwrap_or_default()).collect();
        (!fields.is_empty()).then(|| fields.join(", "))
    }

    /// Whether the client prefers a cheaper read that may miss the last writes (RFC 7240): `Prefer: consistency=eventual`.
    #[must_use]
    pub fn prefers_eventual_consistency(&self) -> bool {
        let headers = self.fields("prefer").iter().filter_map(|value| value.to_str().ok());
        let mut preferences = headers.flat_map(|header| header.split(','));
        preferences.any(|preference| {
            let words = preference.split(';').next().unwrap_or_default().split_once('=');
            words.is_some_and(|(name, value)| {
                name.trim().eq_ignore_ascii_case("consistency") && value.trim().trim_matches('"') == "eventual"
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;

    /// A request with these fields of one header.
    fn with_fields(name: &str, fields: &[&str]) -> ApiRequest {
        testing::attempt("get-report", "lambda", |event| event["multiValueHeaders"][name] = fields.into())
    }

    #[test]
    fn if_match_names_versions_as_the_etag_does() {
        let versions = |header: &str| with_fields("if-match", &[header]).if_match().unwrap();
        assert_eq!(with_fields("if-match", &[]).if_match().unwrap(), IfMatch::Any);
        assert_eq!(versions("*"), IfMatch::Any);
        assert_eq!(versions("\"25\", \"7\""), IfMatch::Versions(vec![25, 7]));
        for never in ["\"+25\"", "\"025\"", "\" 25\"", "25", "W/\"25\"", "\"\"", "\"x\"", "\"99999999999999999999\""] {
            assert_eq!(versions(never), IfMatch::Versions(vec![]), "{never}");
        }
    }

    #[test]
    fn a_header_that_counts_is_given_once() {
        let key = |fields: &[&str]| with_fields("idempotency-key", fields).idempotency_key().map_err(|no| no.code());
        assert_eq!(key(&[]), Ok(None));
        assert_eq!(key(&["a"]).unwrap().unwrap().as_str(), "a");
        for several in [["a", "b"], ["a", "a"]] {
            assert_eq!(key(&several), Err(Code::InvalidIdempotencyKey), "{several:?}");
        }
        for several in [["\"1\"", "\"2\""], ["*", "*"], ["\"1\"", ""]] {
            let refused = with_fields("if-match", &several).if_match().map_err(|no| no.code());
            assert_eq!(refused, Err(Code::InvalidIfMatch), "{several:?}");
        }
    }

    #[test]
    fn fields_of_if_none_match_are_one_list() {
        let known = with_fields("if-none-match", &["\"1\"", "\"2\""]).if_none_match();
        assert_eq!(known.as_deref(), Some("\"1\", \"2\""));
        assert_eq!(with_fields("if-none-match", &[]).if_none_match(), None);
    }

    #[test]
    fn a_client_may_prefer_an_eventually_consistent_read() {
        let prefers = |fields: &[&str]| with_fields("prefer", fields).prefers_eventual_consistency();
        for preferred in [
            &["consistency=eventual"][..],
            &["Consistency = \"eventual\""],
            &["respond-async, consistency=eventual"],
            &["respond-async", "consistency=eventual; x=y"],
        ] {
            assert!(prefers(preferred), "{preferred:?}");
        }
        for other in [&[][..], &["consistency=strong"], &["consistency"], &["eventual"], &["x=consistency=eventual"]] {
            assert!(!prefers(other), "{other:?}");
        }
    }
}
