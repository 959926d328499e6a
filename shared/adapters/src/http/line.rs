//! What the log says of a request, once it is answered: never a token, a body, a query string or the path as it came.

use std::time::Instant;

use domain::id::{OrderId, TenantId};
use domain::trace::TraceParent;
use lambda_http::http::HeaderValue;
use lambda_http::{Body, Response};

use super::{ApiRequest, Reply};
use crate::problem::{self, Problem};
use crate::telemetry::{self, Line, Notes, metrics};

/// The dimension `Code` of a request that was answered as it should be.
const OK: &str = "ok";

/// What is known of a request before it is handled.
#[derive(Debug)]
pub(super) struct RequestLine {
    started: Instant,
    is_cold: bool,
    request_id: String,
    lambda_request_id: String,
    trace: Option<TraceParent>,
    tenant: Option<TenantId>,
    route: String,
    order: Option<OrderId>,
    instance: String,
}

impl RequestLine {
    pub fn start(request: &ApiRequest) -> Self {
        Self {
            started: Instant::now(),
            is_cold: telemetry::is_cold_start(),
            request_id: request.request_id(),
            lambda_request_id: request.attempt_id().to_owned(),
            trace: request.trace(),
            tenant: request.tenant(),
            route: request.route(),
            order: request.order_id().ok(),
            instance: request.path().to_owned(),
        }
    }

    /// The response and its line.
    pub fn finish(self, outcome: Result<Reply, Problem>, mut notes: Notes) -> (Response<Body>, Line) {
        let (mut response, code) = match outcome {
            Ok(reply) => (reply.into_response(), OK),
            Err(problem) => {
                if let Some(cause) = problem.cause() {
                    notes.because(cause.to_owned());
                }
                let code = problem.code().as_str();
                (problem.into_response(&self.request_id, &self.instance), code)
            }
        };
        let took = self.started.elapsed();
        if let Ok(timing) = HeaderValue::from_str(&format!("handler;dur={}", took.as_millis())) {
            response.headers_mut().insert("server-timing", timing);
        }
        let status = response.status();
        let line = if status.is_server_error() { Line::error("request failed") } else { Line::info("request served") };
        let line = line
            .with("request_id", self.request_id)
            .with("lambda_request_id", self.lambda_request_id)
            .with_some("trace_id", self.trace.map(TraceParent::trace_id))
            .with_some("tenant", self.tenant.as_ref().map(TenantId::as_str))
            .with("Route", self.route)
            .with_some("order_id", self.order.map(|id| id.to_string()))
            .with("status", status.as_u16())
            .with("Code", code)
            .with("cold_start", self.is_cold)
            .measured(&metrics::LATENCY, telemetry::millis(took));
        let is_internal = code == problem::Code::Internal.as_str();
        let line = if is_internal { line.measured(&metrics::INTERNAL_ERRORS, 1) } else { line };
        (response, notes.tell(line))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use domain::memory::sample;
    use domain::ports::StoreError;
    use domain::use_cases::Placed;
    use serde_json::{Value, json};

    use super::*;
    use crate::problem::Code;
    use crate::testing;

    const CALLER: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    /// The line of a request that is handled like this.
    async fn line_of(sample: &str, handled: impl Future<Output = Result<Reply, Problem>>) -> Value {
        let request = testing::attempt(sample, "6f1c9a52-0d4e-4c1b-9a51-000000000001", |event| {
            event["headers"]["traceparent"] = CALLER.into();
            event["multiValueHeaders"]["traceparent"] = json!([CALLER]);
        });
        let line = RequestLine::start(&request);
        let (outcome, notes) = telemetry::noting(handled).await;
        line.finish(outcome, notes).1.into_json()
    }

    #[tokio::test]
    async fn a_request_is_one_line_of_known_members_that_is_its_own_metric() {
        let mut line = line_of("get-order", async {
            telemetry::consumed(Some(1.0));
            Reply::order(&sample::order(), None)
        })
        .await;
        let mut taken = |name: &str| line.as_object_mut().unwrap().remove(name).unwrap();
        assert!(taken("timestamp").is_string() && taken("cold_start").is_boolean() && taken("Latency").is_number());
        let metric = taken("_aws")["CloudWatchMetrics"].take();
        let latency = json!([{"Name": "Latency", "Unit": "Milliseconds"}]);
        assert_eq!(metric, json!([{"Namespace": "Orders", "Dimensions": [["Route", "Code"]], "Metrics": latency}]));
        let expected = json!({
            "level": "INFO",
            "message": "request served",
            "request_id": "6f1c9a52-0d4e-4c1b-9a51-000000000002",
            "lambda_request_id": "6f1c9a52-0d4e-4c1b-9a51-000000000001",
            "trace_id": "4bf92f3577b34da6a3ce929d0e0e4736",
            "tenant": "demo",
            "Route": "GET /orders/{id}",
            "order_id": "0192f0c1-7a3e-7cc0-8000-000000000001",
            "status": 200,
            "Code": "ok",
            "units": 1.0,
        });
        assert_eq!(line, expected);
    }

    #[tokio::test]
    async fn a_create_names_its_order_its_partner_calls_and_a_replay() {
        let line = line_of("create-order", async {
            telemetry::partner_called("customer service", std::time::Duration::from_micros(2_340), false);
            telemetry::partner_called("inventory service", std::time::Duration::from_millis(5), true);
            telemetry::partner_called("inventory service", std::time::Duration::from_millis(7), false);
            telemetry::failed("inventory service is unavailable: no answer in time");
            Reply::placed(&Placed { order: sample::order(), replayed: true })
        })
        .await;
        assert_eq!(
            (&line["Route"], &line["order_id"]),
            (&json!("POST /orders"), &json!(sample::order_id(1).to_string()))
        );
        assert_eq!((&line["CustomersLatency"], &line["InventoryLatency"]), (&json!([2.3]), &json!([5, 7])));
        assert_eq!(
            (&line["InventoryFailures"], &line["ReplayedKeys"], &line["level"]),
            (&json!(1), &json!(1), &json!("WARN"))
        );
        assert_eq!(line["causes"], json!(["inventory service is unavailable: no answer in time"]));
    }

    #[tokio::test]
    async fn a_5xx_is_an_error_with_its_cause() {
        let line = line_of("get-order", async { Err(StoreError::Unavailable("no route".to_owned()).into()) }).await;
        assert_eq!((&line["level"], &line["message"]), (&json!("ERROR"), &json!("request failed")));
        assert_eq!((&line["status"], &line["Code"]), (&json!(503), &json!("unavailable")));
        assert_eq!(line["causes"], json!(["the store is unavailable: no route"]));
        assert_eq!(line.get("InternalErrors"), None, "a partner's or the table's outage is no fault of the release");
    }

    #[tokio::test]
    async fn a_fault_of_the_service_counts_against_its_release() {
        let line = line_of("get-order", async { Err(StoreError::Corrupt("no version".to_owned()).into()) }).await;
        assert_eq!((&line["Code"], &line["InternalErrors"]), (&json!("internal"), &json!(1)));
        assert_eq!(line["Release"], json!("local"));
    }

    #[test]
    fn a_line_holds_route_and_parsed_ids_and_nothing_else_that_a_client_sent() {
        let secret = "Quillfeather";
        let request = testing::attempt("get-order", "lambda", |event| {
            event["path"] = format!("/orders/{secret}").into();
            event["pathParameters"]["id"] = secret.into();
            event["requestContext"]["path"] = format!("/v1/orders/{secret}").into();
            event["requestContext"]["requestId"] = format!("{secret} {secret}").into();
            event["queryStringParameters"] = json!({"q": secret});
            event["headers"] = json!({
                "authorization": secret, "idempotency-key": secret, "if-match": secret, "traceparent": secret,
            });
            event["body"] = secret.into();
        });
        let outcome = Err(Problem::new(Code::OrderNotFound));
        let (_, line) = RequestLine::start(&request).finish(outcome, Notes::default());
        let line = line.into_json();
        assert!(!line.to_string().contains(secret), "{line}");
        assert_eq!((&line["Route"], line.get("order_id")), (&json!("GET /orders/{id}"), None));
        assert_eq!((&line["Code"], &line["request_id"]), (&json!("order_not_found"), &json!("lambda")));
    }

    /// Dollars for a gigabyte of lines, and the bytes that CloudWatch adds to each.
    const PRICE: (f64, usize) = (0.50, 26);

    #[tokio::test]
    async fn the_lines_of_a_million_orders_cost_less_than_3_dollars() {
        let millis = std::time::Duration::from_millis;
        let create = line_of("create-order", async {
            telemetry::partner_called("customer service", millis(12), false);
            telemetry::partner_called("inventory service", millis(13), false);
            telemetry::partner_called("inventory service", millis(14), false);
            telemetry::consumed(Some(4.0));
            Reply::placed(&Placed { order: sample::order(), replayed: false })
        })
        .await;
        let change = line_of("update-status", async {
            telemetry::consumed(Some(5.0));
            Reply::order(&sample::order(), None)
        })
        .await;
        let context = testing::lambda_context("6f1c9a52-0d4e-4c1b-9a51-000000000001");
        let published = telemetry::told("published", &context, async {
            telemetry::count(&metrics::CONFIRMED_TO_PROCESSING, 1);
            telemetry::measured(&metrics::BUS_LAG, 250.0);
            telemetry::measured(&metrics::FEED_LAG, 250.0);
        });
        let followed_up = telemetry::told("followed up", &context, async {
            telemetry::count(&metrics::FOLLOW_UP_ATTEMPTS, 1);
            telemetry::partner_called("inventory service", millis(15), false);
            telemetry::consumed(Some(2.0));
        });
        let [published, followed_up] = [published.await.1, followed_up.await.1].map(|line| line.unwrap().into_json());
        // A create, three changes of status, the events of each alone in its batch, and the confirmation.
        let life = [(create, 1), (change, 3), (published, 4), (followed_up, 1)];
        let bytes: usize = life.iter().map(|(line, times)| (line.to_string().len() + PRICE.1) * times).sum();
        let document = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/metrics.md")).unwrap();
        let rows = ["a create", "a change", "`published`", "`followed up`"].map(|name| {
            let row = document.lines().find(|line| line.starts_with(&format!("| {name}"))).unwrap();
            let cells: Vec<usize> = row.split('|').filter_map(|cell| cell.trim().parse().ok()).collect();
            (cells[0], cells[1])
        });
        for ((line, times), row) in life.iter().zip(rows) {
            // Times have more digits or fewer.
            let is_near = row.0.abs_diff(line.to_string().len()) <= 20 && row.1 == *times;
            assert!(is_near, "docs/metrics.md: {row:?} of {}: {} bytes", line["message"], line.to_string().len());
        }
        let dollars = bytes as f64 * 1e6 / f64::from(1 << 30) * PRICE.0;
        println!("{bytes} bytes an order, {dollars:.2} dollars a million orders");
        assert!(dollars <= 3.0, "{bytes} bytes an order cost {dollars:.2} dollars a million orders");
    }

    #[test]
    fn every_sample_of_a_route_has_the_route_of_the_template() {
        let template = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../template.yaml")).unwrap();
        let samples = [
            "create-order",
            "create-batch",
            "get-order",
            "list-orders",
            "update-order",
            "update-shipping",
            "update-status",
            "delete-order",
            "get-health",
            "get-metrics",
            "get-report",
            "create-export",
            "get-export",
        ];
        let routes: BTreeSet<String> = samples.map(|sample| testing::sample_request(sample).route()).into();
        assert_eq!(routes.len(), samples.len());
        for route in routes {
            let (method, path) = route.split_once(' ').unwrap();
            let is_served = [format!("Method: {method}, Path: \"{path}\""), format!("Method: {method}, Path: {path}")];
            assert!(is_served.iter().any(|event| template.contains(event)), "{route}");
        }
    }
}
