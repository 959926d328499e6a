//! The OpenAPI document, put together from operations, schemas, problems and examples.

use std::collections::BTreeMap;

use adapters::exposition::OPEN_METRICS;
use adapters::http::{API_VERSION, DEPRECATED};
use domain::caller::Scope;
use domain::status::Status;
use serde_json::{Map, Value, json};

use crate::operations::{ALL, Answer, EVERYWHERE, Operation, WITH_BODY, WITH_TOKEN};
use crate::problems::{Case, Problems};
use crate::template::firewall;
use crate::{components, examples, schemas};

/// The document as the code has it.
pub async fn document() -> Value {
    let problems = Problems::all();
    let answers = examples::answers().await;
    let (of_operations, of_paths): (Vec<_>, Vec<_>) = problems.iter().partition(|case| is_of_an_operation(&case.code));
    let example = |case: &Case| json!({ "summary": case.title.trim_end_matches('.'), "value": case.body });
    let of_operations = of_operations.into_iter().map(|case| (case.example(&problems), example(case)));
    let mut schemas = schemas::components(&problems);
    schemas["Problem"]["examples"] = of_paths.into_iter().map(|case| case.body.clone()).collect();
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Orders",
            "version": API_VERSION,
            "description": description(),
            "license": { "name": "MIT", "identifier": "MIT" },
            "contact": { "name": "The order service's maintainers" },
        },
        "servers": [{
            "url": "https://{api}.execute-api.{region}.amazonaws.com/v1",
            "description": "The stage `v1` of the deployed REST API, see the output `ApiUrl` of the stack.",
            "variables": {
                "api": { "default": "a1b2c3d4e5", "description": "The id of the REST API, see the output `ApiId`." },
                "region": { "default": "eu-central-1", "description": "The region of the stack." },
            },
        }],
        "tags": [
            { "name": "orders", "description": "Place, read, change and delete orders." },
            { "name": "reports", "description": "What orders amount to." },
            { "name": "exports", "description": "Orders in files." },
            { "name": "operation", "description": "The state of the service." },
        ],
        "security": [],
        "paths": paths(&problems),
        "components": {
            "securitySchemes": { "bearer": bearer() },
            "schemas": schemas,
            "parameters": components::parameters(),
            "headers": components::headers(),
            "links": components::links(),
            "examples": answers.into_iter().chain(of_operations).chain([firewall_example()]).collect::<Map<_, _>>(),
        },
    })
}

/// Not so: what an unknown path or method is answered with.
fn is_of_an_operation(code: &str) -> bool {
    ALL.iter().flat_map(codes).any(|known| known == code)
}

fn description() -> String {
    let moves = Status::ALL.iter().filter(|from| !from.allowed().is_empty()).map(|from| {
        let allowed: Vec<_> = from.allowed().iter().map(|to| format!("`{to}`")).collect();
        format!("- `{from}` to {}", allowed.join(" or "))
    });
    let moves: Vec<_> = moves.collect();
    format!(
        "Orders of an online storefront.\n\n\
        **Statuses.** An order moves from\n\n{}\n\n\
        **Concurrency.** Every change makes one version, which is also the `ETag`. Send it as `If-Match` to change only what you have read.\n\n\
        **Errors** are [problem details](https://www.rfc-editor.org/rfc/rfc9457) with a stable `code`. \
        Ignore members and codes that you do not know.\n\n\
        **Compatibility.** New optional fields, members, codes, statuses and routes may come at any time. \
        Nothing else changes within `v1`. Every answer names the version of this document (`API-Version`). \
        A route that will be removed says so in its answers a year before, with `Deprecation`, `Sunset` and `Link`.\n\n\
        `HEAD` is answered wherever `GET` is. Any other method that a route does not have is answered with 405 and `Allow`, \
        an unknown route with 404 `route_not_found`.",
        moves.join("\n")
    )
}

fn bearer() -> Value {
    let scopes: Vec<_> = Scope::ALL.iter().map(|scope| format!("`{}`", scope.as_str())).collect();
    json!({
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT",
        "description": format!(
            "A JWT (RS256, ES256 or EdDSA) of the configured issuer with `tenant`, `sub` and `scope`. The scopes are {}; \
            the last includes the others. With `customer_id` the token is confined to that customer's orders.",
            scopes.join(", ")
        ),
    })
}

fn paths(problems: &Problems) -> Map<String, Value> {
    let mut paths = Map::new();
    for operation in &ALL {
        let path = paths.entry(operation.path).or_insert_with(|| json!({}));
        path[operation.method] = self::operation(operation, problems);
    }
    paths
}

fn operation(operation: &Operation, problems: &Problems) -> Value {
    let mut value = json!({
        "operationId": operation.id,
        "tags": [tag(operation.path)],
        "summary": operation.summary,
        "description": described(operation),
        "security": operation.scope.map_or(json!([]), |scope| json!([{ "bearer": [scope] }])),
        "responses": responses(operation, problems),
    });
    let route = format!("{} {}", operation.method.to_uppercase(), operation.path);
    if DEPRECATED.iter().any(|deprecated| deprecated.route == route) {
        value["deprecated"] = true.into();
    }
    if !operation.parameters.is_empty() {
        let reference = |name: &&str| json!({ "$ref": format!("#/components/parameters/{name}") });
        value["parameters"] = operation.parameters.iter().map(reference).collect();
    }
    if let Some(schema) = operation.body {
        value["requestBody"] = json!({
            "required": true,
            "content": {
                "application/json": {
                    "schema": { "$ref": format!("#/components/schemas/{schema}") },
                    "examples": examples::requests(operation.id),
                },
            },
        });
    }
    value
}

fn tag(path: &str) -> &'static str {
    if path.starts_with("/orders") {
        "orders"
    } else if path.starts_with("/reports") {
        "reports"
    } else if path.starts_with("/exports") {
        "exports"
    } else {
        "operation"
    }
}

fn described(operation: &Operation) -> String {
    if operation.id != "update_status" {
        return operation.description.to_owned();
    }
    "Moves the order along, or cancels it. Moving it to the status that it has changes nothing. \
     Only the service itself confirms a pending order. An order can be shipped once its reservation is confirmed, \
     which the service does by itself within moments."
        .to_owned()
}

fn responses(operation: &Operation, problems: &Problems) -> Map<String, Value> {
    let answers = operation.answers.iter().map(|answer| (answer.status.to_string(), self::answer(answer)));
    let mut by_status: BTreeMap<u16, Vec<&Case>> = BTreeMap::new();
    for case in codes(operation).into_iter().flat_map(|code| problems.of(code)) {
        by_status.entry(case.status).or_default().push(case);
    }
    let refusals = by_status.into_iter().map(|(status, cases)| (status.to_string(), refusal(status, &cases, problems)));
    answers.chain(refusals).collect()
}

/// The codes of all problems that an operation answers with.
pub fn codes(operation: &Operation) -> Vec<&'static str> {
    let with_token = operation.scope.map_or(&[][..], |_| WITH_TOKEN);
    let with_body = operation.body.map_or(&[][..], |_| WITH_BODY);
    [operation.codes, EVERYWHERE, with_token, with_body].concat()
}

fn answer(answer: &Answer) -> Value {
    let mut value = json!({ "description": answer.description, "headers": headers(answer.headers) });
    if let Some(schema) = answer.schema {
        value["content"] = json!({
            media_type(schema): {
                "schema": { "$ref": format!("#/components/schemas/{schema}") },
                "examples": references(answer.examples),
            },
        });
    }
    if !answer.links.is_empty() {
        let link = |name: &&str| ((*name).to_owned(), json!({ "$ref": format!("#/components/links/{name}") }));
        value["links"] = answer.links.iter().map(link).collect::<Map<_, _>>().into();
    }
    value
}

/// The media type of a schema, without parameters.
fn media_type(schema: &str) -> &'static str {
    if schema == "Metrics" { OPEN_METRICS.split(';').next().unwrap() } else { "application/json" }
}

fn refusal(status: u16, cases: &[&Case], problems: &Problems) -> Value {
    let line = |Case { code, title, cure, .. }: &Case| {
        let cure = if cure.is_empty() { String::new() } else { format!(" {}.", capitalized(cure)) };
        format!("- `{code}`: {title}{cure}")
    };
    let mut more = Vec::new();
    if cases.iter().any(|case| case.retry_after) {
        more.push("Retry-After");
    }
    if status == 401 {
        more.push("WWW-Authenticate");
    }
    let codes: Vec<&str> = cases.iter().map(|case| case.code.as_str()).collect();
    let names: Vec<String> = cases.iter().map(|case| case.example(problems)).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let mut value = json!({
        "description": cases.iter().map(|case| line(case)).collect::<Vec<_>>().join("\n"),
        "headers": headers(&more),
        "content": {
            "application/problem+json": {
                "schema": {
                    "allOf": [
                        { "$ref": "#/components/schemas/Problem" },
                        { "type": "object", "required": ["code"], "properties": { "code": { "enum": codes } } },
                    ],
                },
                "examples": references(&names),
            },
        },
    });
    if status == 429 {
        value["content"]["application/json"] = of_the_firewall();
    }
    value
}

/// What the firewall answers stands beside the problem that the gateway would have answered with.
fn of_the_firewall() -> Value {
    json!({
        "schema": { "$ref": "#/components/schemas/FirewallProblem" },
        "examples": references(&[FIREWALL_EXAMPLE]),
    })
}

const FIREWALL_EXAMPLE: &str = "throttled_by_the_firewall";

fn firewall_example() -> (String, Value) {
    let example = json!({ "summary": "Too many requests of one IP address", "value": firewall().body });
    (FIREWALL_EXAMPLE.to_owned(), example)
}

fn capitalized(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| format!("{}{}", first.to_uppercase(), letters.as_str()))
}

fn headers(names: &[&str]) -> Map<String, Value> {
    let named = |name: &str| (name.to_owned(), json!({ "$ref": format!("#/components/headers/{name}") }));
    names.iter().copied().chain(["API-Version", "x-amzn-RequestId"]).map(named).collect()
}

fn references(names: &[&str]) -> Map<String, Value> {
    let named = |name: &&str| ((*name).to_owned(), json!({ "$ref": format!("#/components/examples/{name}") }));
    names.iter().map(named).collect()
}
