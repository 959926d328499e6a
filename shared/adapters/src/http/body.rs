//! JSON bodies: size, encoding, syntax, then the shape, with a JSON pointer to what does not fit.

use serde::de::DeserializeOwned;
use serde_path_to_error::{Path, Segment};

use crate::problem::{Code, FieldError, Problem};

/// The largest body that is read: 256 KiB.
pub const MAX_BODY: usize = 256 * 1024;

/// Parses a body that must be `application/json` in UTF-8.
///
/// API Gateway hands bytes that are not UTF-8 on as U+FFFD, so a body that holds one was damaged before it came here.
pub(super) fn parse<T: DeserializeOwned>(content_type: Option<&str>, body: &[u8]) -> Result<T, Problem> {
    let media_type = content_type.and_then(|value| value.split(';').next()).unwrap_or_default().trim();
    if !media_type.eq_ignore_ascii_case("application/json") {
        return Err(Problem::new(Code::UnsupportedMediaType));
    }
    if body.len() > MAX_BODY {
        return Err(Problem::new(Code::BodyTooLarge));
    }
    let text = std::str::from_utf8(body).ok().filter(|text| !text.contains(char::REPLACEMENT_CHARACTER));
    let text = text.ok_or_else(|| Problem::new(Code::InvalidJson).detail("the body is not UTF-8"))?;
    if text.trim_start().starts_with('[') {
        // Serde would read a list as a struct, field by field.
        let detail = "the body must be an object".to_owned();
        let error = FieldError { pointer: String::new(), code: "invalid_type", detail };
        return Err(Problem::new(Code::ValidationFailed).errors(vec![error]));
    }
    let mut json = serde_json::Deserializer::from_str(text);
    let value = serde_path_to_error::deserialize(&mut json).map_err(|error| {
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
