//! Exports are asked for under a key, and asked after until their file is there.

use std::time::Duration;

use order_service_client::{ExportFormat, ExportStatus, Filter, Status};
use serde_json::{Value, json};

use crate::script::{ID, Service, Step, answer, problem};

fn export(status: &str, download: Value) -> Step {
    let filters = json!({"status": "shipped", "customer_id": null, "created_after": null, "created_before": null});
    let export = json!({"id": ID, "status": status, "format": "csv", "filters": filters, "orders": 2, "bytes": 90,
        "unreadable": 0, "created_at": "2026-11-25T12:00:00Z", "updated_at": "2026-11-25T12:00:00Z",
        "expires_at": "2026-12-02T12:00:00Z", "download": download});
    answer(200, &export)
}

#[tokio::test]
async fn an_export_is_asked_after_until_its_file_is_there() {
    let link = json!({"url": "https://files.example/secret", "expires_at": "2026-11-25T12:15:00Z"});
    let running = || export("running", Value::Null);
    let service = Service::start([Step::Lose, running(), running(), export("succeeded", link)]).await;
    let client = service.client();
    let created = client.create_export(ExportFormat::Csv, Filter::Status(Status::Shipped)).await.unwrap();
    let finished = client.finished_export(created.id, Duration::from_secs(10)).await.unwrap();
    let link = finished.download.unwrap();
    assert_eq!((finished.status, link.url.as_str()), (ExportStatus::Succeeded, "https://files.example/secret"));
    assert!(!format!("{link:?}").contains("secret"));
    let requests = service.requests();
    assert_eq!(requests[0].headers["idempotency-key"], requests[1].headers["idempotency-key"]);
    assert_eq!(requests[1].body, json!({"format": "csv", "filters": {"status": "shipped"}}));
    assert_eq!(requests[2].path, format!("/v1/exports/{ID}"));
}

#[tokio::test]
async fn an_export_that_is_still_written_when_the_time_is_up_is_returned_as_it_is() {
    let service = Service::start([export("running", Value::Null)]).await;
    let export = service.client().finished_export(ID.parse().unwrap(), Duration::ZERO).await.unwrap();
    assert_eq!((export.status, service.requests().len()), (ExportStatus::Running, 1));
}

#[tokio::test]
async fn an_export_is_asked_for_again_under_the_key_of_the_error() {
    let service = Service::start([problem(422, "validation_failed"), export("running", Value::Null)]).await;
    let client = service.client();
    let error = client.create_export_as("exports-of-today", ExportFormat::Csv, Filter::All).await.unwrap_err();
    let key = error.idempotency_key().unwrap().clone();
    let created = client.create_export_as(key, ExportFormat::Csv, Filter::All).await.unwrap();
    assert_eq!(created.id.to_string(), ID);
    assert!(service.requests().iter().all(|request| request.headers["idempotency-key"] == "exports-of-today"));
}
