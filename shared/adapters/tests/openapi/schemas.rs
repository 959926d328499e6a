//! The schemas of bodies, derived from the types that are read and written.

use adapters::health::Health;
use adapters::problem::ProblemView;
use adapters::wire::{
    BatchView, CreateBatch, CreateExport, CreateOrder, ExportView, OrderView, PageView, ReportView, UpdateOrder,
    UpdateShipping, UpdateStatus,
};
use schemars::generate::{SchemaGenerator, SchemaSettings};
use serde_json::{Map, Value, json};

use crate::problems::Problems;

/// The components of the document.
pub fn components(problems: &Problems) -> Map<String, Value> {
    let settings = SchemaSettings::draft2020_12().with(|settings| {
        settings.definitions_path = "/components/schemas".into();
    });
    let mut read = settings.clone().for_deserialize().into_generator();
    let mut written = settings.for_serialize().into_generator();
    read.subschema_for::<CreateBatch>();
    read.subschema_for::<CreateExport>();
    read.subschema_for::<CreateOrder>();
    read.subschema_for::<UpdateOrder>();
    read.subschema_for::<UpdateShipping>();
    read.subschema_for::<UpdateStatus>();
    written.subschema_for::<BatchView<'_>>();
    written.subschema_for::<ExportView<'_>>();
    written.subschema_for::<OrderView<'_>>();
    written.subschema_for::<PageView<'_>>();
    written.subschema_for::<ReportView>();
    written.subschema_for::<Health<'_>>();
    written.subschema_for::<ProblemView>();
    let (read, mut written) = (definitions(read), definitions(written));
    let shared: Vec<_> = read.keys().filter(|name| written.contains_key(*name)).collect();
    assert!(shared.is_empty(), "one name for two schemas: {shared:?}");
    written["Problem"]["properties"]["code"] = json!({ "$ref": "#/components/schemas/ProblemCode" });
    written.insert("Metrics".to_owned(), json!({ "type": "string", "description": "OpenMetrics text." }));
    written.insert("ProblemCode".to_owned(), problem_code(problems));
    written.insert("FirewallProblem".to_owned(), firewall_problem());
    // Only an event leaves them out.
    let required = written["Order"]["required"].as_array_mut().unwrap();
    required.extend([json!("lines"), json!("history")]);
    written.into_iter().chain(read).collect()
}

fn problem_code(problems: &Problems) -> Value {
    let codes: Vec<&str> = problems.codes();
    json!({ "type": "string", "enum": codes, "description": "The stable code of a problem. Releases to come may add some." })
}

/// As `Problem`, without what only the gateway knows.
fn firewall_problem() -> Value {
    json!({
        "type": "object",
        "description": "The firewall's answer to too many requests of one IP address, where the operator has switched it on. \
            It stands before the gateway, so it names neither the path nor a request id.",
        "required": ["type", "title", "status", "code"],
        "properties": {
            "type": { "type": "string", "format": "uri" },
            "title": { "type": "string" },
            "status": { "type": "integer", "const": 429 },
            "code": { "type": "string", "const": "throttled" },
        },
    })
}

fn definitions(mut generator: SchemaGenerator) -> Map<String, Value> {
    let mut definitions = generator.take_definitions(true);
    definitions.values_mut().for_each(tidy);
    definitions
}

/// Drops what schemars says of Rust alone: the width of integers, and the default of fields that may be absent.
fn tidy(schema: &mut Value) {
    match schema {
        Value::Object(members) => {
            if members.get("default") == Some(&Value::Null) {
                members.remove("default");
            }
            if members.get("format").is_some_and(|format| format.as_str().is_some_and(|name| name.starts_with("uint")))
            {
                members.remove("format");
            }
            members.values_mut().for_each(tidy);
        }
        Value::Array(items) => items.iter_mut().for_each(tidy),
        _ => {}
    }
}
