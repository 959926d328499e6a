//! Parameters, headers and links.

use adapters::http::API_VERSION;
use adapters::wire::SINCE_1970;
use domain::report::GroupBy;
use domain::status::Status;
use serde_json::{Map, Value, json};

use crate::examples::CURSOR;

/// Every parameter by its name.
pub fn parameters() -> Map<String, Value> {
    let mut statuses: Vec<&str> = Status::ALL.iter().map(Status::as_str).collect();
    statuses.push("cancelled");
    let instant = json!({ "type": "string", "format": "date-time", "pattern": SINCE_1970 });
    let day = json!({ "type": "string", "format": "date", "pattern": SINCE_1970 });
    let tags = json!({
        "one": { "summary": "One version", "value": "\"3\"" },
        "any": { "summary": "Any version", "value": "*" },
    });
    let parameters = [
        with_example(
            "path",
            "id",
            "The order's id.",
            json!({ "type": "string", "format": "uuid" }),
            "0192f0c1-7a3e-7cc0-8000-000000000001",
        ),
        with_example(
            "path",
            "export_id",
            "The export's id.",
            json!({ "type": "string", "format": "uuid" }),
            "0192f0c1-7a3e-7cc0-8000-0000000000e1",
        ),
        with_example(
            "header",
            "Idempotency-Key",
            "Names this order among all orders of the tenant, for ever, or this export among all exports until it expires: \
             1 to 255 visible ASCII characters, bare or in quotes. Use a random one, for instance a UUID.",
            json!({ "type": "string", "minLength": 1, "maxLength": 257, "pattern": r#"^([!#-~][!-~]{0,254}|"[!-~]{1,255}")$"# }),
            "8e03978e-40d5-43dd-bc93-6894a57f9324",
        ),
        with_examples("If-Match", "Change the order only if its version is one of these.", &tags),
        with_examples("If-None-Match", "Send the order only if its version is none of these.", &tags),
        with_example(
            "header",
            "Prefer",
            "`consistency=eventual`: an answer that may lack what was written within the last second is good enough (RFC 7240). \
             Other preferences are passed over.",
            json!({ "type": "string" }),
            "consistency=eventual",
        ),
        with_example(
            "query",
            "status",
            "Only orders of this status.",
            json!({ "type": "string", "enum": statuses }),
            "confirmed",
        ),
        with_example(
            "query",
            "customer_id",
            "Only orders of this customer.",
            json!({ "type": "string", "minLength": 1, "maxLength": 64, "pattern": "^[A-Za-z0-9._-]*[A-Za-z0-9_-][A-Za-z0-9._-]*$" }),
            "cust-1",
        ),
        with_example(
            "query",
            "created_after",
            "Only orders created later than this.",
            instant.clone(),
            "2026-01-01T00:00:00Z",
        ),
        with_example(
            "query",
            "created_before",
            "Only orders created earlier than this.",
            instant,
            "2026-02-01T00:00:00Z",
        ),
        with_example("query", "from", "The first day, in UTC.", day.clone(), "2026-01-01"),
        with_example("query", "to", "The last day, in UTC: at most 366 days together.", day, "2026-01-31"),
        with_example(
            "query",
            "group_by",
            "What the orders of a group have in common.",
            json!({ "type": "string", "enum": GroupBy::ALL.map(GroupBy::as_str), "default": "day" }),
            "status",
        ),
        with_example(
            "query",
            "limit",
            "The most orders of a page.",
            json!({ "type": "integer", "minimum": 1, "maximum": 100, "default": 25 }),
            50,
        ),
        with_example(
            "query",
            "cursor",
            "`next_cursor` of the page before, with the same filters.",
            json!({ "type": "string", "pattern": "^[A-Za-z0-9_-]{54}$" }),
            CURSOR,
        ),
    ];
    parameters.into_iter().map(|parameter| (parameter["name"].as_str().unwrap().to_owned(), parameter)).collect()
}

fn with_example(place: &str, name: &str, description: &str, schema: Value, example: impl Into<Value>) -> Value {
    json!({
        "name": name, "in": place, "description": description, "required": place == "path" || matches!(name, "from" | "to"),
        "schema": schema, "example": example.into(),
    })
}

fn with_examples(name: &str, description: &str, examples: &Value) -> Value {
    let schema = json!({ "type": "string" });
    let description = format!("{description} Entity tags as in `ETag`, separated by commas, or `*`.");
    json!({ "name": name, "in": "header", "description": description, "required": false, "schema": schema, "examples": examples })
}

/// Every header of an answer by its name.
pub fn headers() -> Map<String, Value> {
    let headers = [
        (
            "ETag",
            true,
            "The order's version in quotes.",
            json!({ "type": "string", "pattern": "^\"[1-9][0-9]*\"$" }),
            json!("\"3\""),
        ),
        (
            "Location",
            true,
            "The path of the order, or of the export.",
            json!({ "type": "string", "format": "uri-reference" }),
            json!("/v1/orders/0192f0c1-7a3e-7cc0-8000-000000000001"),
        ),
        (
            "Link",
            false,
            "The next page, as `rel=\"next\"`. Absent on the last.",
            json!({ "type": "string" }),
            json!(format!("</v1/orders?cursor={CURSOR}&limit=1>; rel=\"next\"")),
        ),
        (
            "Preference-Applied",
            false,
            "`consistency=eventual`, when it was preferred.",
            json!({ "type": "string", "const": "consistency=eventual" }),
            json!("consistency=eventual"),
        ),
        ("Retry-After", false, "Wait this many seconds.", json!({ "type": "integer", "minimum": 1 }), json!(2)),
        (
            "Idempotent-Replayed",
            false,
            "Present when the key was used before: the order, or the export, is that of the first request.",
            json!({ "type": "string", "const": "true" }),
            json!("true"),
        ),
        (
            "WWW-Authenticate",
            false,
            "How to authenticate. API Gateway renames it to `x-amzn-Remapped-WWW-Authenticate` in the answers of functions.",
            json!({ "type": "string" }),
            json!("Bearer"),
        ),
        (
            "API-Version",
            true,
            "The version of the contract: of this document, or of a later one.",
            json!({ "type": "string", "pattern": r"^1\.[0-9]+\.[0-9]+$" }),
            json!(API_VERSION),
        ),
        (
            "x-amzn-RequestId",
            false,
            "Names the request, like `request_id` in problems.",
            json!({ "type": "string" }),
            json!("6f1c9a52-0d4e-4c1b-9a51-000000000001"),
        ),
    ];
    let entry = |(name, required, description, schema, example): (&str, bool, &str, Value, Value)| {
        let value = json!({ "description": description, "required": required, "schema": schema, "example": example });
        (name.to_owned(), value)
    };
    headers.into_iter().map(entry).collect()
}

/// What a client may do next, by name.
pub fn links() -> Map<String, Value> {
    let on_order = |operation: &str, description: &str| {
        let value = json!({
            "operationId": operation, "description": description, "parameters": { "id": "$response.body#/id" },
        });
        (operation.to_owned(), value)
    };
    let first = json!({
        "operationId": "get_order", "description": "Read the first order of the page.",
        "parameters": { "id": "$response.body#/data/0/id" },
    });
    let next = json!({
        "operationId": "list_orders", "description": "Read the next page.",
        "parameters": { "cursor": "$response.body#/page/next_cursor" },
    });
    let export = json!({
        "operationId": "get_export", "description": "Read how far the export has come.",
        "parameters": { "export_id": "$response.body#/id" },
    });
    [
        ("get_export".to_owned(), export),
        on_order("get_order", "Read the order."),
        on_order("update_order", "Edit the order."),
        on_order("update_shipping", "Set the shipping information of the order."),
        on_order("update_status", "Move the order to another status."),
        on_order("delete_order", "Delete the order."),
        ("get_first_order".to_owned(), first),
        ("next_page".to_owned(), next),
    ]
    .into_iter()
    .collect()
}
