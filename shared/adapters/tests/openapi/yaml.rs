//! YAML for people: members in the order in which one reads them.

use serde::ser::{Serialize, SerializeMap, SerializeSeq, Serializer};
use serde_json::Value;

/// Members that come first, in this order; all others follow by name.
const FIRST: [&str; 62] = [
    "openapi",
    "info",
    "servers",
    "tags",
    "security",
    "paths",
    "components",
    "get",
    "post",
    "put",
    "delete",
    "operationId",
    "name",
    "in",
    "summary",
    "title",
    "description",
    "identifier",
    "version",
    "parameters",
    "required",
    "requestBody",
    "$ref",
    "type",
    "format",
    "const",
    "enum",
    "headers",
    "content",
    "schema",
    "id",
    "line_id",
    "customer_id",
    "customer",
    "product_id",
    "quantity",
    "lines",
    "unit_price",
    "total",
    "amount",
    "currency",
    "status",
    "inventory",
    "shipping_address",
    "shipping",
    "line1",
    "line2",
    "city",
    "state",
    "postal_code",
    "country",
    "carrier",
    "tracking_number",
    "metadata",
    "external_reference",
    "notes",
    "detail",
    "instance",
    "code",
    "request_id",
    "data",
    "page",
];

/// The document as YAML.
pub fn write(document: &Value) -> String {
    let head =
        "# Written by `make schemas` from the types in shared/adapters and the operations in its tests/openapi.\n";
    format!("{head}{}", serde_saphyr::to_string(&Ordered(document)).unwrap())
}

/// A document in YAML.
pub fn read(text: &str) -> Value {
    serde_saphyr::from_str(text).unwrap()
}

struct Ordered<'a>(&'a Value);

impl Serialize for Ordered<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Value::Object(members) => {
                let rank = |name: &str| FIRST.iter().position(|first| *first == name).unwrap_or(FIRST.len());
                let mut names: Vec<&String> = members.keys().collect();
                names.sort_by_key(|name| (rank(name), *name));
                let mut map = serializer.serialize_map(Some(names.len()))?;
                for name in names {
                    map.serialize_entry(name, &Ordered(&members[name]))?;
                }
                map.end()
            }
            Value::Array(items) => {
                let mut list = serializer.serialize_seq(Some(items.len()))?;
                for item in items {
                    list.serialize_element(&Ordered(item))?;
                }
                list.end()
            }
            value => value.serialize(serializer),
        }
    }
}
