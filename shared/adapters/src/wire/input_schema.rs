//! The JSON Schemas of the values in requests: the rules of the domain, as far as JSON Schema can tell them.

use std::borrow::Cow;

use domain::quantity::Quantity;
use domain::status::Status;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

/// What text may not hold: control characters but for line breaks and tabs, and noncharacters. Those beyond the basic
/// plane cannot be written in a way that every dialect of regular expressions reads.
const FORBIDDEN: &str = r"\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\ufdd0-\ufdef\ufffe\uffff";

fn characters() -> String {
    format!("^[^{FORBIDDEN}]*$")
}

/// Declares a type that stands for a value in a schema and is written in place.
macro_rules! value {
    ($name:ident, $schema:expr) => {
        pub(super) struct $name;

        impl JsonSchema for $name {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                $schema
            }
        }
    };
}

value!(
    IdentifierText,
    json_schema!({
        "type": "string", "minLength": 1, "maxLength": 64,
        "pattern": "^[A-Za-z0-9._-]*[A-Za-z0-9_-][A-Za-z0-9._-]*$",
    })
);
value!(CountryText, json_schema!({ "type": "string", "pattern": "^[A-Z]{2}$" }));
value!(
    TrackingUrlText,
    json_schema!({ "type": "string", "format": "uri", "maxLength": 2000, "pattern": "^[Hh][Tt][Tt][Pp][Ss]?://[^/?#]" })
);
value!(QuantityNumber, json_schema!({ "type": "integer", "minimum": 1, "maximum": Quantity::MAX }));
value!(
    DateOrTime,
    json_schema!({
        "type": "string",
        "anyOf": [{ "format": "date-time" }, { "format": "date" }],
        "pattern": super::schema::SINCE_1970,
    })
);
value!(InstantText, json_schema!({ "type": "string", "format": "date-time", "pattern": super::schema::SINCE_1970 }));
value!(StatusText, {
    let names: Vec<String> = Status::ALL.iter().map(|status| status.as_str().to_owned()).collect();
    // Read as `canceled`.
    let names: Vec<String> = names.into_iter().chain(["cancelled".to_owned()]).collect();
    json_schema!({ "type": "string", "enum": names })
});
value!(
    MetadataPairs,
    json_schema!({
        "type": "object",
        "maxProperties": 50,
        "propertyNames": { "minLength": 1, "maxLength": 40, "pattern": characters() },
        "additionalProperties": { "type": "string", "maxLength": 500, "pattern": characters() },
    })
);

/// Text of 1 to `MAX` characters, not blank.
pub(super) struct Text<const MAX: usize>;

impl<const MAX: usize> JsonSchema for Text<MAX> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        format!("Text{MAX}").into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let pattern = format!(r"^[^{FORBIDDEN}]*[^\s{FORBIDDEN}][^{FORBIDDEN}]*$");
        json_schema!({ "type": "string", "minLength": 1, "maxLength": MAX, "pattern": pattern })
    }
}
