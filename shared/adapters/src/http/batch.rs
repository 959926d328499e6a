//! Several orders in one request: each is read by itself, and answered with a status of its own.

use std::collections::BTreeMap;

use domain::use_cases::Placed;
use lambda_http::http::StatusCode;
use serde_json::Value;

use super::{ApiRequest, Reply, body, reply};
use crate::problem::Problem;
use crate::telemetry::{self, metrics};
use crate::wire::{BatchView, CreateBatch, CreateOrder, ResultView};

impl ApiRequest {
    /// The orders of a batch; of one that cannot be read, why.
    ///
    /// # Errors
    /// As [`ApiRequest::json`], where no order can be told from the next; [`crate::problem::Code::ValidationFailed`] for
    /// none and for too many.
    pub fn batch(&self) -> Result<Vec<Result<CreateOrder, Problem>>, Problem> {
        let items = self.json::<CreateBatch>()?.into_items()?;
        Ok(items.iter().map(|item| body::read(item.get())).collect())
    }
}

impl Reply {
    /// 207 with what became of each order of the request.
    ///
    /// # Errors
    /// As [`Reply::ok`].
    pub fn batch(outcomes: &[Result<Placed, Problem>], request: &ApiRequest) -> Result<Self, Problem> {
        let request_id = request.request_id();
        let mut by_status = BTreeMap::<u16, u16>::new();
        let results = outcomes.iter().enumerate().map(|(index, outcome)| {
            let status = status(outcome);
            *by_status.entry(status).or_default() += 1;
            match outcome {
                Ok(placed) => ResultView::placed(index, status, placed),
                Err(problem) => ResultView::refused(index, status, problem.body(&request_id, request.path())),
            }
        });
        let view = BatchView { results: results.collect() };
        note(outcomes, &by_status);
        Self::json(StatusCode::MULTI_STATUS, &view)
    }
}

fn status(outcome: &Result<Placed, Problem>) -> u16 {
    match outcome {
        Ok(placed) => reply::status_of(placed).as_u16(),
        Err(problem) => problem.code().status().as_u16(),
    }
}

/// Tells the line of the request how many orders had which status, and why those failed that the client is told nothing of.
fn note(outcomes: &[Result<Placed, Problem>], by_status: &BTreeMap<u16, u16>) {
    let replayed = outcomes.iter().flatten().filter(|placed| placed.replayed).count();
    let failed = by_status.iter().filter(|(status, _)| **status >= 500).map(|(_, count)| usize::from(*count)).sum();
    for (metric, count) in [(&metrics::REPLAYED_KEYS, replayed), (&metrics::BATCH_ORDERS_FAILED, failed)] {
        if count > 0 {
            telemetry::count(metric, count);
        }
    }
    let by_status = by_status.iter().map(|(status, count)| (status.to_string(), Value::from(*count)));
    telemetry::member("batch", Value::Object(by_status.collect()));
    for cause in outcomes.iter().filter_map(|outcome| outcome.as_ref().err()?.cause()) {
        telemetry::failed(cause);
    }
}

#[cfg(test)]
mod tests {
    use domain::memory::sample;
    use domain::ports::StoreError;
    use serde_json::json;

    use super::*;
    use crate::problem::Code;
    use crate::telemetry::Line;
    use crate::testing;

    fn with_body(body: &str) -> ApiRequest {
        testing::attempt("create-batch", "lambda", |event| event["body"] = body.into())
    }

    /// Code and pointers of what is wrong.
    fn wrong(problem: &Problem) -> (Code, Vec<&str>) {
        let pointers = problem.field_errors().iter().map(|error| error.pointer.as_str());
        (problem.code(), pointers.collect())
    }

    const GOOD: &str = r#"{"customer_id":"c","lines":[{"product_id":"p","quantity":1}]}"#;

    #[test]
    fn an_order_that_cannot_be_read_spoils_no_other() {
        let items = [
            GOOD,
            "7",
            "null",
            "[]",
            r#"{"customer_id":"c","lines":[["p",1]]}"#,
            r#"{"customer_id":"c","lines":[],"surprise":1}"#,
            r#"{"customer_id":"c","customer_id":"d","lines":[]}"#,
            r#"{"lines":[]}"#,
            GOOD,
        ];
        let orders = with_body(&format!(r#"{{"orders":[{}]}}"#, items.join(","))).batch().unwrap();
        assert_eq!(orders.len(), items.len());
        let refused: Vec<_> = orders.iter().map(|order| order.as_ref().err().map(wrong)).collect();
        let because = |pointer| Some((Code::ValidationFailed, vec![pointer]));
        assert_eq!(refused[1..4], [because(""), because(""), because("")]);
        assert_eq!(refused[4..7], [because("/lines/0"), because("/surprise"), because("")]);
        assert_eq!((&refused[0], &refused[7], &refused[8]), (&None, &because(""), &None));
    }

    #[test]
    fn an_order_within_a_bomb_is_refused_alone() {
        let bomb = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
        let orders = with_body(&format!(r#"{{"orders":[{bomb},{GOOD}]}}"#)).batch().unwrap();
        assert!(orders[0].is_err() && orders[1].is_ok());
    }

    #[test]
    fn a_batch_that_cannot_be_taken_apart_is_refused_whole() {
        let refusal = |body: &str| {
            let problem = with_body(body).batch().unwrap_err();
            (problem.code(), problem.field_errors().first().map(|error| (error.pointer.clone(), error.code)))
        };
        let field = |pointer: &str, code| (Code::ValidationFailed, Some((pointer.to_owned(), code)));
        let of = |count: usize| format!(r#"{{"orders":[{}]}}"#, vec![GOOD; count].join(","));
        assert_eq!(with_body(&of(50)).batch().unwrap().len(), 50);
        assert_eq!(refusal(&of(51)), field("/orders", "too_many"));
        assert_eq!(refusal(&of(0)), field("/orders", "empty"));
        assert_eq!(refusal("{}").1.unwrap().1, "required");
        assert_eq!(refusal("[[]]"), field("", "invalid_type"));
        assert_eq!(refusal(r#"{"orders":{}}"#), field("/orders", "invalid_type"));
        assert_eq!(refusal(r#"{"orders":[],"more":1}"#), field("/more", "unknown_field"));
        assert_eq!(refusal(r#"{"orders":[],"orders":[]}"#), field("", "duplicate_field"));
        assert_eq!(refusal(&format!(r#"{{"orders":[{GOOD},]}}"#)).0, Code::InvalidJson);
        assert_eq!(refusal(&of(50).repeat(100)).0, Code::BodyTooLarge);
    }

    #[tokio::test]
    async fn the_line_counts_the_results_and_says_why_one_failed() {
        let placed = |replayed| Ok(Placed { order: sample::order(), replayed });
        let failed = Problem::from(StoreError::Unavailable("no route".to_owned()));
        let outcomes = [placed(false), Err(failed), placed(true), Err(Problem::new(Code::OutOfStock))];
        let replying = async { Reply::batch(&outcomes, &testing::sample_request("create-batch")) };
        let (reply, notes) = telemetry::noting(replying).await;
        let line = notes.tell(Line::info("request served")).into_json();
        assert_eq!(line["batch"], json!({"201": 2, "409": 1, "503": 1}));
        assert_eq!((&line["ReplayedKeys"], &line["BatchOrdersFailed"]), (&json!(1), &json!(1)));
        assert_eq!(line["level"], "WARN");
        assert_eq!(line["causes"], json!(["the store is unavailable: no route"]));
        let (status, _, body) = testing::parts(reply);
        assert_eq!(status, 207);
        let statuses: Vec<_> = body["results"].as_array().unwrap().iter().map(|result| &result["status"]).collect();
        assert_eq!(statuses, [201, 503, 201, 409]);
        assert!(!body.to_string().contains("no route"), "{body}");
    }
}
