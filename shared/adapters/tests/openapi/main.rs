//! docs/openapi.yaml says what the code does, and breaks no release.
//!
//! `make schemas` writes it anew from the types and the operations.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

mod compatibility;
mod components;
mod document;
mod examples;
mod gateway;
mod operations;
mod problems;
mod schemas;
mod template;
mod yaml;

use std::collections::BTreeSet;

use adapters::http::API_VERSION;
use adapters::problem::{Code, Problem};
use adapters::testing;
use adapters::wire::{CreateBatch, CreateExport, CreateOrder, UpdateOrder, UpdateShipping, UpdateStatus};
use serde_json::{Value, json};

const FILE: &str = "docs/openapi.yaml";
const RELEASES: &str = "docs/releases";

/// The text of a file of the repository.
fn text_of(file: &str) -> String {
    std::fs::read_to_string(path(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
}

fn path(file: &str) -> String {
    format!("{}/../../{file}", env!("CARGO_MANIFEST_DIR"))
}

#[tokio::test]
async fn the_document_is_what_the_code_does() {
    let document = document::document().await;
    if std::env::var("UPDATE_SCHEMAS").is_ok() {
        std::fs::write(path(FILE), yaml::write(&document)).unwrap();
    }
    assert!(yaml::read(&text_of(FILE)) == document, "{FILE} is not what the code does: run `make schemas`");
}

#[tokio::test]
async fn no_release_is_broken() {
    let document = document::document().await;
    let releases: Vec<_> = std::fs::read_dir(path(RELEASES)).unwrap().map(|file| file.unwrap().path()).collect();
    assert!(!releases.is_empty());
    for release in releases {
        let released = yaml::read(&std::fs::read_to_string(&release).unwrap());
        let breaks = compatibility::breaks(&released, &document);
        assert!(breaks.is_empty(), "clients of {} break:\n{}", release.display(), breaks.join("\n"));
    }
}

#[tokio::test]
async fn a_document_that_differs_from_the_release_of_its_version_has_a_version_of_its_own() {
    let released = format!("{RELEASES}/openapi-{API_VERSION}.yaml");
    if std::fs::exists(path(&released)).unwrap() {
        assert!(yaml::read(&text_of(&released)) == document::document().await, "raise API_VERSION: {released} is out");
    }
}

#[tokio::test]
async fn a_member_that_an_answer_loses_is_a_break() {
    let document = document::document().await;
    for (schema, members) in [("Order", 16), ("OrderSummary", 9), ("Shortage", 3)] {
        let pointer = format!("/components/schemas/{schema}/properties");
        let names: Vec<String> = document.pointer(&pointer).unwrap().as_object().unwrap().keys().cloned().collect();
        assert!(names.len() >= members, "{schema}");
        for name in names {
            let mut changed = document.clone();
            changed.pointer_mut(&pointer).unwrap().as_object_mut().unwrap().remove(&name);
            let breaks = compatibility::breaks(&document, &changed);
            let expected = format!("/{name}: is gone");
            assert!(breaks.iter().any(|found| found.ends_with(&expected)), "{schema} without {name}");
        }
    }
}

/// An example of a body, and where it stands: operation, status (empty for a request), name.
struct Example {
    operation: String,
    status: String,
    name: String,
    schema: Value,
    value: Value,
}

fn examples_of(document: &Value) -> Vec<Example> {
    let mut found = Vec::new();
    let mut look = |operation: &str, status: &str, content: &Value| {
        for body in content.as_object().into_iter().flat_map(|content| content.values()) {
            for (name, example) in body["examples"].as_object().unwrap() {
                let reference = example["$ref"].as_str().map(|reference| reference.trim_start_matches('#'));
                let example = reference.map_or(example, |pointer| document.pointer(pointer).unwrap());
                found.push(Example {
                    operation: operation.to_owned(),
                    status: status.to_owned(),
                    name: name.clone(),
                    schema: body["schema"].clone(),
                    value: example["value"].clone(),
                });
            }
        }
    };
    let paths = document["paths"].as_object().unwrap().values();
    for operation in paths.flat_map(|path| path.as_object().unwrap().values()) {
        let id = operation["operationId"].as_str().unwrap();
        look(id, "", &operation["requestBody"]["content"]);
        for (status, answer) in operation["responses"].as_object().unwrap() {
            look(id, status, &answer["content"]);
        }
    }
    found
}

#[tokio::test]
async fn every_example_fits_its_schema_and_has_no_member_that_the_schema_lacks() {
    let document = document::document().await;
    for Example { operation, status, name, schema, value } in examples_of(&document) {
        let schema = json!({ "allOf": [schema], "unevaluatedProperties": false, "components": document["components"] });
        let validator = jsonschema::options().should_validate_formats(true).build(&schema).unwrap();
        let errors: Vec<String> = validator.iter_errors(&value).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{operation} {status} {name}: {errors:?}");
    }
}

#[tokio::test]
async fn every_operation_has_an_example_of_every_answer_and_every_problem() {
    let examples = examples_of(&document::document().await);
    for operation in &operations::ALL {
        let of = |test: &dyn Fn(&Example) -> bool| examples.iter().any(|at| at.operation == operation.id && test(at));
        assert_eq!(of(&|at| at.status.is_empty()), operation.body.is_some(), "{}", operation.id);
        for answer in operation.answers.iter().filter(|answer| answer.schema.is_some()) {
            assert!(of(&|at| at.status == answer.status.to_string()), "{} {}", operation.id, answer.status);
        }
        for code in document::codes(operation) {
            assert!(of(&|at| at.name == code && at.value["code"] == code), "{} {code}", operation.id);
        }
    }
}

#[tokio::test]
async fn every_example_of_a_request_is_accepted() {
    let examples = examples_of(&document::document().await);
    for Example { operation, name, value, .. } in examples.into_iter().filter(|example| example.status.is_empty()) {
        let body = value.to_string();
        let refusal = match operation.as_str() {
            "create_order" => serde_json::from_str::<CreateOrder>(&body).unwrap().into_draft().err(),
            "create_batch" => batch_refusal(&body),
            "create_export" => serde_json::from_str::<CreateExport>(&body).unwrap().into_request().err(),
            "update_order" => serde_json::from_str::<UpdateOrder>(&body).unwrap().into_edit().err(),
            "update_shipping" => serde_json::from_str::<UpdateShipping>(&body).unwrap().into_shipment().err(),
            "update_status" => serde_json::from_str::<UpdateStatus>(&body).unwrap().into_move().err(),
            other => panic!("{other} has no body"),
        };
        assert!(refusal.is_none(), "{operation} {name}: {refusal:?}");
    }
}

fn batch_refusal(body: &str) -> Option<Problem> {
    let items = match serde_json::from_str::<CreateBatch>(body).unwrap().into_items() {
        Ok(items) => items,
        Err(problem) => return Some(problem),
    };
    let orders = items.iter().map(|item| serde_json::from_str::<CreateOrder>(item.get()).unwrap());
    orders.into_iter().find_map(|order| order.into_draft().err())
}

/// What CONTRIBUTING.md says of a new field: where it is forgotten, this or the compiler says so.
#[tokio::test]
async fn what_can_be_ordered_can_be_edited_and_is_shown_with_its_history() {
    let document = document::document().await;
    let members = |schema: &str| -> BTreeSet<String> {
        let properties = &document["components"]["schemas"][schema]["properties"];
        properties.as_object().unwrap().keys().cloned().collect()
    };
    let ordered: BTreeSet<String> = members("CreateOrder").into_iter().filter(|name| name != "customer_id").collect();
    assert_eq!(members("UpdateOrder"), ordered, "PUT /orders/{{id}}");
    for schema in ["Order", "ChangesView"] {
        let missing: Vec<_> = ordered.difference(&members(schema)).cloned().collect();
        assert!(missing.is_empty(), "{schema} lacks {missing:?}");
    }
}

#[test]
fn every_code_belongs_to_an_operation_to_every_path_or_to_live_updates() {
    let documented: BTreeSet<&str> = operations::ALL.iter().flat_map(document::codes).collect();
    let problems = problems::Problems::all();
    let known: BTreeSet<&str> = problems.codes().into_iter().collect();
    let elsewhere: Vec<_> = known.difference(&documented).copied().collect();
    let over_sockets = ["too_many_connections", "too_many_replays", "too_many_subscriptions"];
    assert_eq!(elsewhere, [&["method_not_allowed", "route_not_found"], &over_sockets[..]].concat());
}

#[test]
fn a_problem_tells_nothing_of_the_inside() {
    for case in problems::Problems::all().iter() {
        assert!(!case.body.to_string().contains(problems::INSIDE), "{}", case.code);
    }
}

#[test]
fn every_problem_has_the_shape_that_clients_know() {
    let shape = |code: Code| testing::shape(Err(problems::problem(code)));
    insta::assert_snapshot!("problems", Code::ALL.map(shape).join("\n\n"));
    let answers = template::gateway().into_iter().chain([template::firewall()]);
    insta::assert_snapshot!("gateway", answers.map(|answer| answer.shape()).collect::<Vec<_>>().join("\n\n"));
}
