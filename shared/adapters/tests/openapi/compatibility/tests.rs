//! Every kind of break is seen, and nothing else is.

use serde_json::{Value, json};

use super::breaks;
use super::sample::document;

/// What is found after the value at the pointer was replaced, or removed by `null`.
fn after(pointer: &str, value: Value) -> Vec<String> {
    let mut changed = document();
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    let name = name.replace("~1", "/");
    let parent = changed.pointer_mut(parent).unwrap_or_else(|| panic!("{parent} is missing"));
    match (parent, value) {
        (Value::Object(members), Value::Null) => drop(members.remove(&name).unwrap()),
        (Value::Object(members), value) => drop(members.insert(name, value)),
        (Value::Array(items), Value::Null) => drop(items.remove(name.parse().unwrap())),
        (Value::Array(items), value) if name == "-" => items.push(value),
        (parent, _) => panic!("{parent} has no members"),
    }
    breaks(&document(), &changed)
}

const PUT: &str = "/paths/~1things~1{id}/put";
const NEW: &str = "/components/schemas/NewThing";
const THING: &str = "/components/schemas/Thing";

#[test]
fn the_same_document_breaks_nothing() {
    assert_eq!(breaks(&document(), &document()), [""; 0]);
}

#[test]
fn every_break_is_seen() {
    let put = |rest: &str| format!("{PUT}{rest}");
    let new = |rest: &str| format!("{NEW}{rest}");
    let thing = |rest: &str| format!("{THING}{rest}");
    let body = "PUT /things/{id} body";
    for (pointer, value, expected) in [
        ("/paths/~1things~1{id}".to_owned(), Value::Null, "PUT /things/{id}: is gone".to_owned()),
        (put(""), Value::Null, "PUT /things/{id}: is gone".to_owned()),
        (put("/operationId"), json!("set_thing"), "PUT /things/{id}: has another operationId".to_owned()),
        (put("/security/0/bearer"), json!(["things:admin"]), "PUT /things/{id}: needs another scope".to_owned()),
        (put("/parameters/1"), Value::Null, "PUT /things/{id} query limit: is gone".to_owned()),
        (
            put("/parameters/-"),
            json!({ "name": "v", "in": "query", "required": true, "schema": {} }),
            "PUT /things/{id} query v: is required now".to_owned(),
        ),
        (put("/parameters/1/required"), json!(true), "PUT /things/{id} query limit: is required now".to_owned()),
        (
            put("/parameters/1/schema/maximum"),
            json!(50),
            "PUT /things/{id} query limit: maximum is 100 on one side and 50 on the other".to_owned(),
        ),
        (put("/requestBody/required"), json!(true), "PUT /things/{id}: needs a body now".to_owned()),
        (
            put("/requestBody/content/application~1json"),
            Value::Null,
            format!("{body} application/json: is gone"),
        ),
        (put("/responses/409"), Value::Null, "PUT /things/{id} 409: is gone".to_owned()),
        (put("/responses/200/headers/ETag"), Value::Null, "PUT /things/{id} 200 header ETag: is gone".to_owned()),
        (
            put("/responses/200/headers/ETag/required"),
            json!(false),
            "PUT /things/{id} 200 header ETag: is optional now".to_owned(),
        ),
        (
            put("/responses/200/content/application~1json"),
            Value::Null,
            "PUT /things/{id} 200 application/json: is gone".to_owned(),
        ),
        (
            put("/responses/409/content/application~1problem+json/schema/allOf/1/properties/code/enum/1"),
            Value::Null,
            "PUT /things/{id} 409/code: the value \"closed\" is gone".to_owned(),
        ),
        (new("/properties/size"), Value::Null, format!("{body}/size: is gone")),
        (new("/required/-"), json!("kind"), format!("{body}/kind: is required now")),
        (
            new("/properties/size/type"),
            json!("integer"),
            format!("{body}/size: the type is [\"number\"] on one side and [\"integer\"] on the other"),
        ),
        (
            new("/properties/notes/type"),
            json!("string"),
            format!("{body}/notes: the type is [\"string\", \"null\"] on one side and [\"string\"] on the other"),
        ),
        (new("/properties/kind/enum/0"), Value::Null, format!("{body}/kind: the value \"big\" is gone")),
        (new("/properties/size/enum"), json!([1]), format!("{body}/size: accepts only some values now")),
        (
            new("/properties/name/maxLength"),
            json!(9),
            format!("{body}/name: maxLength is 10 on one side and 9 on the other"),
        ),
        (
            new("/properties/notes/maxLength"),
            json!(9),
            format!("{body}/notes: maxLength is null on one side and 9 on the other"),
        ),
        (
            new("/properties/name/minLength"),
            json!(2),
            format!("{body}/name: minLength is 1 on one side and 2 on the other"),
        ),
        (
            new("/properties/name/pattern"),
            json!("^b"),
            format!("{body}/name: pattern is \"^a\" on one side and \"^b\" on the other"),
        ),
        (
            new("/properties/pairs/additionalProperties/maxLength"),
            json!(4),
            format!("{body}/pairs/additionalProperties: maxLength is 5 on one side and 4 on the other"),
        ),
        (
            put("/parameters/1/schema/default"),
            json!(50),
            "PUT /things/{id} query limit: default was 25 and is 50".to_owned(),
        ),
        (
            put("/parameters/1/schema/default"),
            Value::Null,
            "PUT /things/{id} query limit: default was 25 and is null".to_owned(),
        ),
        (
            new("/properties/pairs/propertyNames/maxLength"),
            json!(4),
            format!("{body}/pairs/propertyNames: maxLength is 40 on one side and 4 on the other"),
        ),
        (
            new("/properties/bag/propertyNames"),
            json!({ "maxLength": 4 }),
            format!("{body}/bag/propertyNames: maxLength is null on one side and 4 on the other"),
        ),
        (
            new("/properties/bag/additionalProperties"),
            json!({ "type": "string" }),
            format!("{body}/bag/additionalProperties: the type is [] on one side and [\"string\"] on the other"),
        ),
        (
            new("/properties/list/items"),
            json!({ "type": "string" }),
            format!("{body}/list/items: the type is [] on one side and [\"string\"] on the other"),
        ),
        (
            new("/properties/list/items"),
            json!(false),
            format!("{body}/list/items: refuses every value on one side only"),
        ),
        (
            new("/properties/list/uniqueItems"),
            json!(true),
            format!("{body}/list: uniqueItems is null on one side and true on the other"),
        ),
        (
            new("/properties/name/not"),
            json!({ "enum": ["abc"] }),
            format!("{body}/name: not is null on one side and {{\"enum\":[\"abc\"]}} on the other"),
        ),
        (
            new("/properties/size/exclusiveMinimum"),
            json!(0),
            format!("{body}/size: exclusiveMinimum is null on one side and 0 on the other"),
        ),
        (
            new("/properties/notes/contentEncoding"),
            json!("base64"),
            format!("{body}/notes: contentEncoding was null and is \"base64\""),
        ),
        (
            thing("/properties/codes/items"),
            Value::Null,
            "PUT /things/{id} 200/codes/items: the type is [] on one side and [\"string\"] on the other".to_owned(),
        ),
        (
            thing("/properties/codes/uniqueItems"),
            Value::Null,
            "PUT /things/{id} 200/codes: uniqueItems is null on one side and true on the other".to_owned(),
        ),
        (
            thing("/properties/word/not"),
            Value::Null,
            "PUT /things/{id} 200/word: not is null on one side and {\"enum\":[\"no\"]} on the other".to_owned(),
        ),
        (
            "/components/schemas/Owner/additionalProperties".to_owned(),
            json!(false),
            format!("{body}/owner: refuses other members now"),
        ),
        (thing("/properties/name"), Value::Null, "PUT /things/{id} 200/name: is gone".to_owned()),
        (thing("/required/0"), Value::Null, "PUT /things/{id} 200/name: is optional now".to_owned()),
        (thing("/properties/kind/enum/0"), Value::Null, "PUT /things/{id} 200/kind: the value \"big\" is gone".to_owned()),
        (thing("/properties/kind/enum"), Value::Null, "PUT /things/{id} 200/kind: may be any value now".to_owned()),
        (
            thing("/properties/name/type"),
            json!(["string", "null"]),
            "PUT /things/{id} 200/name: the type is [\"string\", \"null\"] on one side and [\"string\"] on the other".to_owned(),
        ),
        (
            thing("/properties/parts/items/properties/count"),
            Value::Null,
            "PUT /things/{id} 200/parts/items/count: is gone".to_owned(),
        ),
        (
            thing("/properties/parts/items/properties/count/type"),
            json!("number"),
            "PUT /things/{id} 200/parts/items/count: the type is [\"number\"] on one side and [\"integer\"] on the other".to_owned(),
        ),
    ] {
        assert_eq!(after(&pointer, value.clone()), [expected], "{pointer} = {value}");
    }
}

#[test]
fn what_is_added_breaks_nothing() {
    for (pointer, value) in [
        ("/paths/~1others".to_owned(), json!({ "get": {} })),
        (format!("{PUT}/description"), json!("More.")),
        (format!("{PUT}/parameters/-"), json!({ "name": "v", "in": "query", "schema": {} })),
        (format!("{PUT}/parameters/1/schema/maximum"), json!(200)),
        (format!("{PUT}/responses/410"), json!({})),
        (format!("{PUT}/responses/200/headers/Link"), json!({ "schema": {} })),
        (format!("{NEW}/properties/more"), json!({ "type": "string" })),
        (format!("{NEW}/required/0"), Value::Null),
        (format!("{NEW}/properties/name/maxLength"), json!(11)),
        (format!("{NEW}/properties/name/pattern"), Value::Null),
        (format!("{NEW}/properties/name/type"), json!(["string", "null"])),
        (format!("{NEW}/properties/kind/enum/-"), json!("huge")),
        (format!("{NEW}/properties/pairs/propertyNames"), Value::Null),
        (format!("{NEW}/properties/pairs/additionalProperties"), Value::Null),
        (format!("{NEW}/properties/tags/uniqueItems"), Value::Null),
        (format!("{NEW}/properties/name/title"), json!("Name")),
        (format!("{NEW}/properties/name/deprecated"), json!(true)),
        (format!("{THING}/properties/parts/uniqueItems"), json!(true)),
        (format!("{THING}/properties/name/not"), json!({ "enum": ["no"] })),
        (format!("{THING}/properties/more"), json!({ "type": "string" })),
        (format!("{THING}/properties/kind/enum/-"), json!("huge")),
        (format!("{THING}/required/-"), json!("more")),
    ] {
        assert_eq!(after(&pointer, value.clone()), [""; 0], "{pointer} = {value}");
    }
}
