//! JSON bodies: size, encoding, syntax, then the shape, with a JSON pointer to what does not fit.

use serde::de::DeserializeOwned;
use serde_path_to_error::{Path, Segment};

use super::strict::Strict;
use crate::problem::{Code, FieldError, Problem};

/// The largest body that is read: 256 KiB.
pub const MAX_BODY: usize = 256 * 1024;

/// Why a body with U+FFFD is refused.
const REPLACED: &str =
    "the body holds U+FFFD, which stands for bytes that are not UTF-8; where it is meant, write \\ufffd";

/// Parses a body that must be `application/json` in UTF-8.
///
/// API Gateway hands bytes that are not UTF-8 on as U+FFFD, so a body that holds one may have been damaged before it
/// came here. Who means the character can write it as an escape.
pub(super) fn parse<T: DeserializeOwned>(content_type: Option<&str>, body: &[u8]) -> Result<T, Problem> {
    let media_type = content_type.and_then(|value| value.split(';').next()).unwrap_or_default().trim();
    if !media_type.eq_ignore_ascii_case("application/json") {
        return Err(Problem::new(Code::UnsupportedMediaType));
    }
    if body.len() > MAX_BODY {
        return Err(Problem::new(Code::BodyTooLarge));
    }
    let not_json = |detail: &str| Problem::new(Code::InvalidJson).detail(detail);
    let text = std::str::from_utf8(body).map_err(|_| not_json("the body is not UTF-8"))?;
    if text.contains(char::REPLACEMENT_CHARACTER) {
        return Err(not_json(REPLACED));
    }
    read(text)
}

/// Reads JSON of this shape.
pub(crate) fn read<T: DeserializeOwned>(text: &str) -> Result<T, Problem> {
    let mut json = serde_json::Deserializer::from_str(text);
    let value = serde_path_to_error::deserialize(Strict(&mut json)).map_err(|error| {
        let pointer = pointer(error.path());
        shape_problem(pointer, error.inner())
    })?;
    json.end().map_err(|error| shape_problem(String::new(), &error))?;
    Ok(value)
}

fn shape_problem(pointer: String, error: &serde_json::Error) -> Problem {
    let position = format!("line {} column {}", error.line(), error.column());
    if !error.is_data() {
        return Problem::new(Code::InvalidJson).detail(format!("the body is not JSON: it breaks off at {position}"));
    }
    let message = error.to_string();
    let (code, detail) = match message.split_once('`').map(|(start, rest)| (start, rest.split('`').next())) {
        Some(("unknown field ", _)) => ("unknown_field", "this field does not exist".to_owned()),
        Some(("missing field ", name)) => ("required", format!("the field {} is missing", name.unwrap_or_default())),
        Some(("duplicate field ", _)) => ("duplicate_field", "this field is given twice".to_owned()),
        _ => ("invalid_type", format!("the value is not of the type required, see {position}")),
    };
    Problem::new(Code::ValidationFailed).errors(vec![FieldError { pointer, code, detail }])
}

fn pointer(path: &Path) -> String {
    path.iter().fold(String::new(), |pointer, segment| match segment {
        Segment::Seq { index } => format!("{pointer}/{index}"),
        Segment::Map { key } => format!("{pointer}/{}", key.replace('~', "~0").replace('/', "~1")),
        Segment::Enum { variant } => format!("{pointer}/{variant}"),
        Segment::Unknown => pointer,
    })
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;
    use crate::wire::{CreateOrder, UpdateOrder, UpdateShipping, UpdateStatus};

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Sample {
        #[serde(rename = "items")]
        _items: Vec<Item>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Item {
        #[serde(rename = "n")]
        _n: u32,
    }

    fn refusal(body: &[u8]) -> (Code, Option<(String, &'static str)>) {
        let problem = parse::<Sample>(Some("application/json; charset=utf-8"), body).unwrap_err();
        let first = problem.field_errors().first().map(|error| (error.pointer.clone(), error.code));
        (problem.code(), first)
    }

    #[test]
    fn only_json_is_read() {
        for content_type in [None, Some("text/plain"), Some("application/jsonp"), Some("")] {
            assert_eq!(parse::<Sample>(content_type, b"{}").unwrap_err().code(), Code::UnsupportedMediaType);
        }
    }

    #[test]
    fn broken_json_and_bad_utf_8_are_invalid_json() {
        for body in [&b""[..], b"{", b"nope", b"{\"items\":[]} x", b"\xff\xfe"] {
            assert_eq!(refusal(body).0, Code::InvalidJson, "{:?}", body.get(..20));
        }
    }

    #[test]
    fn a_shape_error_points_at_its_field() {
        let expected = |pointer: &str, code| (Code::ValidationFailed, Some((pointer.to_owned(), code)));
        assert_eq!(refusal(b"{\"items\":[{\"n\":1},{\"n\":\"x\"}]}"), expected("/items/1/n", "invalid_type"));
        assert_eq!(refusal(b"{\"items\":[{\"n\":-1}]}"), expected("/items/0/n", "invalid_type"));
        assert_eq!(refusal(b"{\"items\":[],\"more\":1}"), expected("/more", "unknown_field"));
        assert_eq!(refusal(b"{}").1.unwrap().1, "required");
        assert_eq!(refusal(b"[]").1.unwrap().1, "invalid_type");
    }

    /// The pointers of what is wrong with the types within a body.
    fn wrong_types<T: DeserializeOwned>(body: &str) -> Vec<String> {
        let Err(problem) = parse::<T>(Some("application/json"), body.as_bytes()) else { return Vec::new() };
        assert_eq!(problem.code(), Code::ValidationFailed, "{body}");
        assert!(problem.field_errors().iter().all(|error| error.code == "invalid_type"), "{body}: {problem:?}");
        problem.field_errors().iter().map(|error| error.pointer.clone()).collect()
    }

    #[test]
    fn no_list_stands_for_an_object_at_any_depth_of_a_new_order() {
        let with =
            |field: &str| format!(r#"{{"customer_id":"c","lines":[{{"product_id":"p","quantity":1}}],{field}}}"#);
        let lines = |lines: &str| format!(r#"{{"customer_id":"c","lines":{lines}}}"#);
        for (body, pointer) in [
            (r#"["c",[["p",1]]]"#.to_owned(), ""),
            (lines(r#"[["p",1]]"#), "/lines/0"),
            (lines(r#"[{"product_id":"p","quantity":1},["p",1]]"#), "/lines/1"),
            (lines("[[]]"), "/lines/0"),
            (lines(r#"{"product_id":"p","quantity":1}"#), "/lines"),
            (lines(r#"[{"product_id":["p"],"quantity":1}]"#), "/lines/0/product_id"),
            (with(r#""shipping_address":["n","l","m","c","s","z","GB","p"]"#), "/shipping_address"),
            (with(r#""shipping_address":["x"]"#), "/shipping_address"),
            (with(r#""shipping_address":{"line1":["x"],"city":"y","country":"GB"}"#), "/shipping_address/line1"),
            (with(r#""metadata":[["a","b"]]"#), "/metadata"),
            (with(r#""metadata":{"a":["b"]}"#), "/metadata/a"),
            (with(r#""notes":["n"]"#), "/notes"),
        ] {
            assert_eq!(wrong_types::<CreateOrder>(&body), [pointer], "{body}");
        }
    }

    #[test]
    fn no_list_stands_for_an_object_at_any_depth_of_a_change() {
        for (body, pointer) in [
            (r#"[null,null,null,null,null]"#, ""),
            (r#"{"lines":[["p",1]]}"#, "/lines/0"),
            (r#"{"shipping_address":["n","l","m","c","s","z","GB","p"]}"#, "/shipping_address"),
            (r#"{"metadata":[]}"#, "/metadata"),
        ] {
            assert_eq!(wrong_types::<UpdateOrder>(body), [pointer], "{body}");
        }
        for (body, pointer) in [(r#"["canceled","why"]"#, ""), (r#"{"status":["canceled"]}"#, "/status")] {
            assert_eq!(wrong_types::<UpdateStatus>(body), [pointer], "{body}");
        }
        for (body, pointer) in
            [(r#"["c","n",null,null,null,null]"#, ""), (r#"{"carrier":["c"],"tracking_number":"n"}"#, "/carrier")]
        {
            assert_eq!(wrong_types::<UpdateShipping>(body), [pointer], "{body}");
        }
    }

    #[test]
    fn every_field_of_a_body_can_be_read_and_be_null() {
        let address = r#"{"name":"n","line1":"l","line2":null,"city":"c","country":"GB"}"#;
        let lines = r#"[{"product_id":"p","quantity":1}]"#;
        let optional =
            format!(r#""shipping_address":{address},"metadata":{{"a":"b"}},"external_reference":"r","notes":null"#);
        let create = format!(r#"{{"customer_id":"c","lines":{lines},{optional}}}"#);
        assert_eq!(wrong_types::<CreateOrder>(&create), [""; 0]);
        assert_eq!(wrong_types::<UpdateOrder>(&format!(r#"{{"lines":{lines},{optional}}}"#)), [""; 0]);
        assert_eq!(wrong_types::<UpdateOrder>(r#"{"shipping_address":null,"metadata":null}"#), [""; 0]);
        assert_eq!(wrong_types::<UpdateStatus>(r#"{"status":"canceled","reason":"why"}"#), [""; 0]);
        let shipping = r#"{"carrier":"c","tracking_number":"n","tracking_url":null,"shipped_at":"2026-01-31"}"#;
        assert_eq!(wrong_types::<UpdateShipping>(shipping), [""; 0]);
    }

    /// What is wrong with a body, as pointer and code.
    fn wrong_fields<T: DeserializeOwned>(body: &str) -> Vec<(String, &'static str)> {
        let Err(problem) = parse::<T>(Some("application/json"), body.as_bytes()) else { return Vec::new() };
        problem.field_errors().iter().map(|error| (error.pointer.clone(), error.code)).collect()
    }

    #[test]
    fn a_key_of_the_metadata_that_is_given_twice_is_refused() {
        let twice = r#"{"customer_id":"c","lines":[],"metadata":{"a":"1","b":"2","a":"3"}}"#;
        let expected = [("/metadata/a".to_owned(), "duplicate_field")];
        assert_eq!(wrong_fields::<CreateOrder>(twice), expected);
        assert_eq!(wrong_fields::<UpdateOrder>(r#"{"metadata":{"a":"1","a":"1"}}"#), expected);
    }

    #[test]
    fn lines_that_are_null_are_refused() {
        let expected = [("/lines".to_owned(), "invalid_type")];
        assert_eq!(wrong_fields::<UpdateOrder>(r#"{"lines":null,"notes":"n"}"#), expected);
        assert_eq!(wrong_fields::<CreateOrder>(r#"{"customer_id":"c","lines":null}"#), expected);
    }

    #[test]
    fn a_replacement_character_is_named_and_can_be_written_as_an_escape() {
        let detail = |body: &str| {
            let problem = parse::<UpdateOrder>(Some("application/json"), body.as_bytes()).unwrap_err();
            String::from_utf8(problem.into_response("r", "/").into_body().to_vec()).unwrap()
        };
        assert!(detail("{\"notes\":\"\u{fffd}\"}").contains("U+FFFD"));
        assert!(parse::<UpdateOrder>(Some("application/json"), br#"{"notes":"\ufffd"}"#).is_ok());
        let broken = parse::<UpdateOrder>(Some("application/json"), b"\"\xff\"").unwrap_err();
        assert_eq!(broken.code(), Code::InvalidJson);
    }

    #[test]
    fn a_nesting_bomb_is_refused_without_harm() {
        for open in ["[", "{\"items\":", "{\"items\":[{\"n\":"] {
            let (code, _) = refusal(open.repeat(10_000).as_bytes());
            assert!(matches!(code, Code::InvalidJson | Code::ValidationFailed), "{open}");
        }
    }

    #[test]
    fn a_body_beyond_256_kib_is_too_large() {
        let body = vec![b' '; MAX_BODY + 1];
        assert_eq!(refusal(&body).0, Code::BodyTooLarge);
    }
}
