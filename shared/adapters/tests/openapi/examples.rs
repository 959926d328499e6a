//! Bodies as examples: answers made by the service's own code, requests from the sample events.

use adapters::exposition::Exposition;
use adapters::health::HealthCheck;
use adapters::problem::Code;
use adapters::system::SystemClock;
use adapters::wire::{BatchView, ExportView, OrderView, PageView, ReportView, ResultView};
use domain::details::{Edit, Patch};
use domain::export::{Export, Format, Written};
use domain::listing::{Limit, OrderSummary, Page};
use domain::memory::sample::{self, stamp};
use domain::memory::{MemoryReports, MemoryStore};
use domain::order::Order;
use domain::ports::Link;
use domain::report::{Day, GroupBy, Report, rows_of};
use domain::status::Status;
use domain::text::{Notes, Reason};
use domain::use_cases::{Placed, ReportRequest, ShownExport};
use serde_json::{Map, Value, json};

use crate::problems::{BATCH, REQUEST, problem};
use crate::text_of;

/// Every example of an answer, by name.
pub async fn answers() -> Map<String, Value> {
    let placed = sample::followed_up_order();
    let edit = Edit { notes: Patch::Set(Notes::parse("Ring twice.").unwrap()), ..Edit::default() };
    let edited = placed.edit(&edit, None, stamp(2)).unwrap().unwrap();
    let processing = placed.transition(Status::Processing, None, stamp(2)).unwrap().unwrap();
    let shipped = processing.ship(sample::shipment(), stamp(3)).unwrap().unwrap();
    let reason = Reason::parse("The customer changed their mind.").unwrap();
    let canceled = placed.transition(Status::Canceled, Some(reason), stamp(2)).unwrap().unwrap();
    let mut health = serde_json::to_value(health().run().await).unwrap();
    health["circuits"] = json!({ "customers": "closed", "inventory": "closed" });
    let examples = [
        ("confirmed_order", "A new order", view(&placed)),
        ("pending_order", "An order that waits for a partner", view(&sample::bare_order())),
        ("edited_order", "An order with new notes", view(&edited)),
        ("processing_order", "An order that is being processed", view(&processing)),
        ("shipped_order", "An order that is shipped", view(&shipped)),
        ("canceled_order", "An order that is canceled", view(&canceled)),
        ("batch_results", "One order is placed, one waits for a partner, one is refused", batch()),
        ("page", "A page with a next one", page(&placed, Some(CURSOR))),
        ("last_page", "The last page", page(&placed, None)),
        ("report", "The orders of a month, by status", report(&[&placed, &shipped, &canceled])),
        ("running_export", "An export that is being written", export(&sample::export(Format::JsonLines), None)),
        ("succeeded_export", "An export whose file is there", succeeded_export()),
        ("healthy", "Everything works", health),
        ("metrics", "Nothing waits", metrics().await),
    ];
    let entry =
        |(name, summary, value): (&str, &str, Value)| (name.to_owned(), json!({ "summary": summary, "value": value }));
    examples.into_iter().map(entry).collect()
}

/// A cursor has this form; this one is signed by nobody.
pub const CURSOR: &str = "AAABm3hGFADpAZLwwXo-fMCAAAAAAAAAAJqN1q4wZcDSt3ZkJcM5Tg";

fn health() -> HealthCheck {
    HealthCheck::new("1.0.0", "eu-central-1".to_owned(), Vec::new())
}

/// The metrics of an empty store.
async fn metrics() -> Value {
    let (store, reports) = (MemoryStore::default(), MemoryReports::default());
    let exposition = Exposition { version: "1.0.0", store, reports, circuits: None, clock: SystemClock };
    exposition.text(&sample::tenant()).await.unwrap().into()
}

fn view(order: &Order) -> Value {
    serde_json::to_value(OrderView::from(order)).unwrap()
}

fn batch() -> Value {
    let placed = |order| Placed { order, replayed: false };
    let (confirmed, pending) = (placed(sample::followed_up_order()), placed(sample::bare_order()));
    let shortage = problem(Code::OutOfStock).body(REQUEST, BATCH);
    let results = vec![
        ResultView::placed(0, 201, &confirmed),
        ResultView::placed(1, 202, &pending),
        ResultView::refused(2, 409, shortage),
    ];
    serde_json::to_value(BatchView { results }).unwrap()
}

fn export(export: &Export, download: Option<Link>) -> Value {
    let (status, export) = (export.status(export.updated_at), export.clone());
    serde_json::to_value(ExportView::from(&ShownExport { export, status, download })).unwrap()
}

fn succeeded_export() -> Value {
    let written = Written { orders: 1_200, bytes: 864_000, unreadable: 0 };
    let succeeded = Export { written, ..sample::export(Format::Csv).succeeded(stamp(104).at) };
    let url = "https://exports.s3.eu-central-1.amazonaws.com/demo/0192f0c1-7a3e-7cc0-8000-0000000000e1/1767225700000?X-Amz-Signature=0f1e";
    export(&succeeded, Some(Link { url: url.to_owned(), expires_at: stamp(1_010).at }))
}

fn report(orders: &[&Order]) -> Value {
    let day = |text| Day::parse(text).unwrap();
    let request = ReportRequest { from: day("2026-01-01"), to: day("2026-01-31"), group_by: GroupBy::Status };
    let report = Report::of(request.group_by, orders.iter().flat_map(|order| rows_of(order)));
    serde_json::to_value(ReportView::new(&request, &report)).unwrap()
}

fn page(order: &Order, next: Option<&str>) -> Value {
    let page = Page { orders: vec![OrderSummary::from(order)], unreadable: Vec::new(), has_more: next.is_some() };
    serde_json::to_value(PageView::new(&page, Limit::parse("1").unwrap(), next)).unwrap()
}

/// Every example of a request, by operation: the body of the sample event, and what else is worth showing.
pub fn requests(operation: &str) -> Map<String, Value> {
    let event: Value = serde_json::from_str(&text_of(&format!("events/{}.json", operation.replace('_', "-")))).unwrap();
    let sample: Value = serde_json::from_str(event["body"].as_str().unwrap()).unwrap();
    let smallest = json!({ "customer_id": "cust-1", "lines": [{ "product_id": "sku-1", "quantity": 1 }] });
    let more = match operation {
        "create_batch" | "create_order" => vec![(
            "smallest",
            "No more than what is required",
            match operation {
                "create_order" => smallest,
                _ => json!({ "orders": [smallest] }),
            },
        )],
        "create_export" => vec![("smallest", "All orders, as a table", json!({ "format": "csv" }))],
        "update_order" => vec![("emptied", "Fields emptied", json!({ "notes": null, "metadata": null }))],
        "update_status" => {
            vec![("canceled", "Cancel", json!({ "status": "canceled", "reason": "The customer changed their mind." }))]
        }
        _ => Vec::new(),
    };
    let all = [("sample", "A request", sample)].into_iter().chain(more);
    all.map(|(name, summary, value)| (name.to_owned(), json!({ "summary": summary, "value": value }))).collect()
}
