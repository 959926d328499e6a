//! Every operation of docs/openapi.yaml has a method, every example of it is read, and every code of it is known.

use std::collections::BTreeSet;

use order_service_client::{
    Client, Edit, Export, ExportFormat, Health, ListQuery, NewOrder, Order, Page, ProblemKind, Report, ReportQuery,
    Shipment, Status,
};
use serde::Deserialize;
use serde_json::Value;
use time::Date;
use time::format_description::well_known::Iso8601;
use uuid::Uuid;

use crate::script::{ID, Service, answer};

fn document() -> Value {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/openapi.yaml");
    serde_saphyr::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

#[tokio::test]
async fn every_example_of_an_answer_is_read_as_what_it_is() {
    let document = document();
    let examples = document["components"]["examples"].as_object().unwrap();
    let mut read = [0; 7];
    for (name, example) in examples {
        let value = &example["value"];
        let (kind, result) = match value {
            _ if value.get("code").is_some() => (0, ProblemKind::deserialize(value).map(known)),
            _ if value.get("lines").is_some() => (1, Order::deserialize(value).map(drop)),
            _ if value.get("page").is_some() => (2, Page::deserialize(value).map(drop)),
            _ if value.get("groups").is_some() => (3, Report::deserialize(value).map(drop)),
            _ if value.get("results").is_some() => (4, batch(value).await),
            // The metrics, which have no method.
            _ if value.is_string() => continue,
            _ if value.get("format").is_some() => (6, Export::deserialize(value).map(drop)),
            _ => (5, Health::deserialize(value).map(drop)),
        };
        result.unwrap_or_else(|error| panic!("{name}: {error}"));
        read[kind] += 1;
    }
    let [problems, orders, pages, reports, batches, healths, exports] = read;
    assert!(problems >= 36 && orders >= 6 && pages >= 2, "{read:?}");
    assert_eq!([reports, batches, healths], [1; 3]);
    assert!(exports >= 2, "{read:?}");
}

/// A batch is read by the client alone.
async fn batch(value: &Value) -> serde_json::Result<()> {
    let service = Service::start([answer(207, value)]).await;
    let batch = service.client().place_batch(&[]).await.unwrap();
    assert_eq!(batch.results.len(), value["results"].as_array().unwrap().len());
    batch.results.into_iter().filter_map(Result::err).for_each(|problem| known(problem.kind));
    Ok(())
}

fn january() -> ReportQuery {
    let day = |text| Date::parse(text, &Iso8601::DATE).unwrap();
    ReportQuery::new(day("2026-01-01"), day("2026-01-31"))
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

/// Calls the method of an operation; `false` where there is none on purpose.
async fn call(operation: &str, client: &Client) -> bool {
    let id: Uuid = ID.parse().unwrap();
    let order = NewOrder::new("cust-1").line("sku-1", 2);
    let refused = match operation {
        "create_batch" => client.place_batch(&[order]).await.is_err(),
        "create_export" => client.create_export(ExportFormat::Csv, ListQuery::default()).await.is_err(),
        "create_order" => client.place_order(&order).await.is_err(),
        "delete_order" => client.delete_order(id).await.is_err(),
        "get_export" => client.export(id).await.is_err(),
        "get_health" => client.health().await.is_err(),
        // It answers text for a scraper, not for a storefront.
        "get_metrics" => return false,
        "get_order" => client.order(id).await.is_err(),
        "get_report" => client.report(&january()).await.is_err(),
        "list_orders" => client.page(&ListQuery::default(), None).await.is_err(),
        "update_order" => client.update_order(id, &Edit::default()).await.is_err(),
        "update_shipping" => client.ship_order(id, &Shipment::new("Royal Mail", "RM1")).await.is_err(),
        "update_status" => client.move_order(id, Status::Canceled).await.is_err(),
        other => panic!("the client has no method for {other}"),
    };
    assert!(refused, "{operation}: the script refuses every request");
    true
}

#[tokio::test]
async fn every_operation_of_the_document_has_a_method_that_sends_its_request_or_none_on_purpose() {
    let service = Service::start([]).await;
    let client = service.client();
    for (path, item) in document()["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let sent_before = service.requests().len();
            if !call(operation["operationId"].as_str().unwrap(), &client).await {
                continue;
            }
            let requests = service.requests();
            let [request] = &requests[sent_before..] else { panic!("{method} {path}: {requests:?}") };
            let sent = request.path.split('?').next().unwrap().replace(ID, "{id}");
            assert_eq!(
                (request.method.as_str(), sent),
                (method.to_uppercase().as_str(), format!("/v1{}", path.replace("{export_id}", "{id}")))
            );
        }
    }
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

#[test]
fn every_member_of_a_report_is_a_field() {
    let report = Report::deserialize(&document()["components"]["examples"]["report"]["value"]).unwrap();
    assert_eq!(fields(&report), members("OrderReport"));
    assert_eq!(fields(&report.groups[0]), members("ReportGroup"));
    assert_eq!(fields(&report.groups[0].to_shipped), members("ReportTimes"));
}
