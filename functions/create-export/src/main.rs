//! `POST /exports`

use adapters::exports::ExportsTable;
use adapters::http::{ApiRequest, Problem, Reply};
use adapters::system::{RandomIds, SystemClock};
use adapters::{aws, connections, http, telemetry};
use domain::caller::Scope;
use domain::ports::{ExportStore, Ids};
use domain::use_cases::create_export;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    telemetry::init(module_path!());
    let exports = ExportsTable::from_env(&aws::config()?)?;
    connections::made([exports.connection()]).await;
    http::serve(|request| handle(&exports, &RandomIds, request)).await
}

async fn handle(exports: &impl ExportStore, ids: &impl Ids, request: ApiRequest) -> Result<Reply, Problem> {
    let caller = request.caller(Scope::Read)?;
    let wanted = request.export_request(caller, &SystemClock)?;
    let created = create_export(exports, ids, wanted).await?;
    Reply::created_export(created, &SystemClock)
}

#[cfg(test)]
mod tests {
    use adapters::testing;
    use domain::export::{Export, Format};
    use domain::id::ExportId;
    use domain::memory::{CountingIds, MemoryExports, sample};
    use domain::ports::Clock;
    use domain::use_cases::MOST_RUNNING;

    use super::*;

    async fn answer(exports: &MemoryExports, request: ApiRequest) -> Result<Reply, Problem> {
        handle(exports, &CountingIds::default(), request).await
    }

    fn with_body(body: &str) -> ApiRequest {
        testing::attempt("create-export", "lambda", |event| event["body"] = body.into())
    }

    #[tokio::test]
    async fn the_sample_event_makes_one_export() {
        let exports = MemoryExports::default();
        let mut ids = Vec::new();
        for replayed in [None, Some("true")] {
            let reply = answer(&exports, testing::sample_request("create-export")).await;
            let (status, headers, body) = testing::parts(reply);
            let header = headers.get("idempotent-replayed").map(|value| value.to_str().unwrap());
            assert_eq!((status, header, body["status"].as_str()), (202, replayed, Some("running")));
            assert_eq!(headers["location"].to_str().unwrap(), format!("/v1/exports/{}", body["id"].as_str().unwrap()));
            ids.push(body["id"].clone());
        }
        assert_eq!(ids[0], ids[1]);
    }

    #[tokio::test]
    async fn the_answers_have_the_shape_that_clients_know() {
        let exports = MemoryExports::default();
        let reply = answer(&exports, testing::sample_request("create-export")).await;
        insta::assert_snapshot!("sample", testing::shape(reply));
        let reused = answer(&exports, with_body(r#"{"format":"csv"}"#)).await;
        insta::assert_snapshot!("idempotency_key_reused", testing::shape(reused));
        let invalid = answer(&exports, with_body(r#"{"format":"xml","filters":{"status":"lost"}}"#)).await;
        insta::assert_snapshot!("validation_failed", testing::shape(invalid));
        let both = with_body(r#"{"format":"csv","filters":{"status":"shipped","customer_id":"cust-1"}}"#);
        insta::assert_snapshot!("unsupported_filter", testing::shape(answer(&exports, both).await));
    }

    #[tokio::test]
    async fn one_export_more_than_may_run_is_told_when_to_come_again() {
        let exports = MemoryExports::default();
        for n in (1..).take(MOST_RUNNING) {
            let id = ExportId::from_uuid(*sample::order_id(n).as_uuid());
            let running = Export { id, created_at: SystemClock.now(), ..sample::export(Format::Csv) };
            exports.insert(&running).await.unwrap();
        }
        let refused = answer(&exports, testing::sample_request("create-export")).await;
        insta::assert_snapshot!("too_many_exports", testing::shape(refused));
    }

    #[tokio::test]
    async fn only_who_acts_for_the_storefront_makes_an_export() {
        for (claim, value, code) in
            [("scope", "orders:write", "insufficient_scope"), ("customer_id", "cust-1", "confined_token")]
        {
            let request = testing::attempt("create-export", "lambda", |event| {
                event["requestContext"]["authorizer"][claim] = value.into();
            });
            let (status, _, body) = testing::parts(answer(&MemoryExports::default(), request).await);
            assert_eq!((status, body["code"].as_str()), (403, Some(code)));
        }
    }
}
