//! template.yaml agrees with the document: its routes, its methods, and the answers that no function gives.

use std::collections::BTreeSet;

use adapters::http::ROUTES;

use crate::operations::{ALL, Operation};
use crate::template::{GatewayAnswer, firewall, gateway};
use crate::text_of;

/// Function, method and path.
type Route = (String, String, String);

fn quoted(text: &str) -> &str {
    text.trim_matches(|c: char| c == '"' || c.is_whitespace())
}

/// The routes of template.yaml, those of `ANY` included.
fn template() -> BTreeSet<Route> {
    let (mut function, mut routes) = (String::new(), BTreeSet::new());
    let mut path_of_any = String::new();
    for line in text_of("template.yaml").lines() {
        if let Some(path) = line.trim().strip_prefix('/').and_then(|path| path.strip_suffix(':')) {
            path_of_any = format!("/{path}");
        }
        if line.trim().starts_with("x-amazon-apigateway-any-method: ") {
            let any = line.split_once("${AWS::Region}:lambda").unwrap().1.split_once("${").unwrap().1;
            routes.insert((any.split_once("Aliaslive}").unwrap().0.to_owned(), "ANY".to_owned(), path_of_any.clone()));
        }
        if let Some((_, binary)) = line.split_once("Binary: ") {
            function = binary.split(' ').next().unwrap().to_owned();
        }
        if let Some((method, rest)) = line.split_once("Method: ").and_then(|(_, rest)| rest.split_once(", Path: ")) {
            let path = if rest.starts_with('"') { rest.split('"').nth(1) } else { rest.split([',', ' ']).next() };
            routes.insert((function.clone(), method.to_owned(), path.unwrap().to_owned()));
        }
    }
    routes
}

/// The routes of `cargo lambda watch`.
fn watched() -> BTreeSet<Route> {
    let manifest = text_of("Cargo.toml");
    let table = manifest.split_once("[workspace.metadata.lambda.watch.router]\n").unwrap().1;
    let (mut path, mut routes) = (String::new(), BTreeSet::new());
    for line in table.lines() {
        if let Some((name, _)) = line.split_once(" = [") {
            path = quoted(name).to_owned();
        }
        for entry in line.split("method = ").skip(1) {
            let (method, rest) = entry.split_once(", function = ").unwrap();
            let function = rest.split('"').nth(1).unwrap();
            routes.insert((function.to_owned(), quoted(method).to_owned(), path.clone()));
        }
    }
    routes
}

fn documented() -> BTreeSet<Route> {
    let route = |operation: &Operation| {
        (operation.id.replace('_', "-"), operation.method.to_uppercase(), operation.path.to_owned())
    };
    ALL.iter().map(route).collect()
}

#[test]
fn template_watch_table_and_document_name_the_same_routes() {
    let (any, routes): (BTreeSet<_>, BTreeSet<_>) = template().into_iter().partition(|(_, method, _)| method == "ANY");
    assert_eq!(routes, documented());
    assert_eq!(watched(), documented());
    let of_any: BTreeSet<_> = any.into_iter().map(|(_, _, path)| path).collect();
    let paths: BTreeSet<_> = documented().into_iter().map(|(_, _, path)| path).collect();
    assert_eq!(of_any, paths, "a function of each path answers every other method");
}

#[test]
fn allow_names_the_methods_of_the_document_and_head_beside_get() {
    let mut expected: BTreeSet<(String, String)> =
        documented().into_iter().map(|(_, method, path)| (path, method)).collect();
    let reads: Vec<_> = expected.iter().filter(|(_, method)| method == "GET").cloned().collect();
    expected.extend(reads.into_iter().map(|(path, _)| (path, "HEAD".to_owned())));
    let of = |(path, methods): (&str, &str)| {
        methods.split(", ").map(|method| (path.to_owned(), method.to_owned())).collect::<Vec<_>>()
    };
    assert_eq!(ROUTES.into_iter().flat_map(of).collect::<BTreeSet<_>>(), expected);
}

#[test]
fn an_answer_of_the_gateway_has_every_member_of_a_problem() {
    let answers = gateway();
    assert_eq!(answers.len(), 9);
    for GatewayAnswer { kind, status, body, .. } in answers {
        for member in ["type", "title", "instance", "code", "request_id"] {
            assert!(body[member].is_string(), "{kind} lacks {member}");
        }
        assert_eq!(body["type"], format!("urn:problem-type:orders:{}", body["code"].as_str().unwrap()));
        assert_eq!(body["status"].as_u64(), status.map(u64::from), "{kind}");
    }
}

#[test]
fn the_firewalls_answer_is_the_gateways_but_for_what_it_cannot_know() {
    let (firewall, gateway) = (firewall(), gateway());
    let throttled = gateway.iter().find(|answer| answer.kind == "THROTTLED").unwrap();
    let mut expected = throttled.body.clone();
    for unknown in ["instance", "request_id"] {
        expected.as_object_mut().unwrap().remove(unknown);
    }
    assert_eq!((firewall.status, &firewall.body), (throttled.status, &expected));
}

#[test]
fn a_refusal_that_passes_says_when_to_come_again() {
    let answers = gateway().into_iter().chain([firewall()]);
    let (timed, others): (Vec<_>, Vec<_>) = answers.partition(|answer| answer.headers.contains_key("Retry-After"));
    assert!(timed.iter().all(|answer| answer.status == Some(429)), "{timed:?}");
    assert!(others.iter().all(|answer| answer.status != Some(429)), "{others:?}");
}
