//! Every example of docs/openapi.yaml is read, and every code of it is known.

use std::collections::BTreeSet;

use order_service_client::{Edit, Export, Health, NewOrder, Order, Page, ProblemKind};
use serde::Deserialize;
use serde_json::Value;

fn document() -> Value {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/openapi.yaml");
    serde_saphyr::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

#[test]
fn every_example_of_an_answer_is_read_as_what_it_is() {
    let document = document();
    let examples = document["components"]["examples"].as_object().unwrap();
    let mut read = [0; 5];
    for (name, example) in examples {
        let value = &example["value"];
        let (kind, result) = match value {
            _ if value.get("code").is_some() => (0, ProblemKind::deserialize(value).map(known)),
            _ if value.get("lines").is_some() => (1, Order::deserialize(value).map(drop)),
            _ if value.get("page").is_some() => (2, Page::deserialize(value).map(drop)),
            _ if value.get("format").is_some() => (4, Export::deserialize(value).map(drop)),
            // Of operations without a method, see WITHOUT_METHOD: metrics, a batch, a report.
            _ if value.is_string() || value.get("results").is_some() || value.get("groups").is_some() => continue,
            _ => (3, Health::deserialize(value).map(drop)),
        };
        result.unwrap_or_else(|error| panic!("{name}: {error}"));
        read[kind] += 1;
    }
    let [problems, orders, pages, healths, exports] = read;
    assert!(problems >= 36 && orders >= 6 && pages >= 2 && healths >= 1 && exports >= 2, "{read:?}");
}

fn known(kind: ProblemKind) {
    assert!(!matches!(kind, ProblemKind::Other { .. }), "{kind:?} is not known");
}

#[test]
fn every_code_of_the_document_has_an_example() {
    let document = document();
    let codes = document["components"]["schemas"]["ProblemCode"]["enum"].as_array().unwrap();
    assert!(codes.len() >= 36);
    // Those that belong to no operation are examples of the schema.
    let elsewhere = document["components"]["schemas"]["Problem"]["examples"].as_array().unwrap();
    for code in codes {
        let example = &document["components"]["examples"][code.as_str().unwrap()]["value"];
        let examples = elsewhere.iter().chain([example]);
        let kind = examples.filter(|example| &example["code"] == code).map(ProblemKind::deserialize).next();
        known(kind.unwrap_or_else(|| panic!("{code} has no example")).unwrap());
    }
}

/// Operations that have no method: `get_metrics` answers text for a scraper, not for a storefront; `create_batch` is for
/// imports, `get_report` for back offices.
const WITHOUT_METHOD: [&str; 3] = ["create_batch", "get_metrics", "get_report"];
const WITH_METHOD: [&str; 10] = [
    "create_export",
    "create_order",
    "delete_order",
    "get_export",
    "get_health",
    "get_order",
    "list_orders",
    "update_order",
    "update_shipping",
    "update_status",
];

#[test]
fn every_operation_of_the_document_has_a_method_or_is_left_out_on_purpose() {
    let document = document();
    let paths = document["paths"].as_object().unwrap().values();
    let operations = paths.flat_map(|path| path.as_object().unwrap().values());
    let mut ids: Vec<_> = operations.filter_map(|operation| operation["operationId"].as_str()).collect();
    ids.retain(|id| !WITHOUT_METHOD.contains(id));
    ids.sort_unstable();
    assert_eq!(ids, WITH_METHOD);
}

/// The members of a schema of the document.
fn members(schema: &str) -> BTreeSet<String> {
    let properties = &document()["components"]["schemas"][schema]["properties"];
    properties.as_object().unwrap().keys().cloned().collect()
}

/// The fields of a struct, which stand four spaces in.
fn fields(value: &impl std::fmt::Debug) -> BTreeSet<String> {
    let text = format!("{value:#?}");
    let lines = text.lines().filter_map(|line| line.strip_prefix("    ")?.split_once(": "));
    lines.filter(|(name, _)| !name.starts_with(' ')).map(|(name, _)| name.to_owned()).collect()
}

#[test]
fn every_member_of_an_order_and_its_requests_is_a_field() {
    let document = document();
    let order = Order::deserialize(&document["components"]["examples"]["confirmed_order"]["value"]).unwrap();
    assert_eq!(fields(&order), members("Order"));
    assert_eq!(fields(&NewOrder::new("cust-1")), members("CreateOrder"));
    assert_eq!(fields(&Edit::default()), members("UpdateOrder"));
}
