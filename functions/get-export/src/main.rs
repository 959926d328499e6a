//! `GET /exports/{export_id}`

use adapters::exports::{ExportBucket, ExportsTable};
use adapters::http::{ApiRequest, Problem, Reply};
use adapters::system::SystemClock;
use adapters::{aws, connections, http, telemetry};
use domain::caller::Scope;
use domain::ports::{Clock, ExportFiles, ExportStore};
use domain::use_cases::read_export;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    telemetry::init(module_path!());
    let aws = aws::config()?;
    let (exports, files) = (ExportsTable::from_env(&aws)?, ExportBucket::from_env(&aws)?);
    // A link is made without a call.
    connections::made([exports.connection()]).await;
    http::serve(|request| handle(&exports, &files, &SystemClock, request)).await
}

async fn handle(
    exports: &impl ExportStore,
    files: &impl ExportFiles,
    clock: &impl Clock,
    request: ApiRequest,
) -> Result<Reply, Problem> {
    let caller = request.caller(Scope::Read)?;
    let id = request.export_id()?;
    let shown = read_export(exports, files, &caller, id, clock.now()).await?;
    Reply::export(&shown)
}

#[cfg(test)]
mod tests {
    use adapters::testing;
    use domain::export::{Export, Format, Written};
    use domain::memory::{FixedClock, MemoryExports, MemoryFiles, sample};

    use super::*;

    async fn shown(export: &Export, request: ApiRequest) -> Result<Reply, Problem> {
        let exports = MemoryExports::default();
        exports.insert(export).await.unwrap();
        handle(&exports, &MemoryFiles::default(), &FixedClock(sample::stamp(200).at), request).await
    }

    fn request() -> ApiRequest {
        testing::sample_request("get-export")
    }

    #[tokio::test]
    async fn the_answers_have_the_shape_that_clients_know() {
        let running = sample::export(Format::JsonLines);
        insta::assert_snapshot!("running", testing::shape(shown(&running, request()).await));
        let written = Written { orders: 3, bytes: 2_048, unreadable: 0 };
        let succeeded = Export { written, ..sample::export(Format::Csv).succeeded(sample::stamp(120).at) };
        insta::assert_snapshot!("succeeded", testing::shape(shown(&succeeded, request()).await));
        let failed = sample::export(Format::Csv).failed(sample::stamp(120).at);
        insta::assert_snapshot!("failed", testing::shape(shown(&failed, request()).await));
        let other = testing::attempt("get-export", "lambda", |event| {
            event["pathParameters"]["export_id"] = "nonsense".into();
        });
        insta::assert_snapshot!("export_not_found", testing::shape(shown(&running, other).await));
    }

    #[tokio::test]
    async fn only_who_acts_for_the_storefront_sees_an_export() {
        for (claim, value, status, code) in [
            ("scope", "orders:write", 403, "insufficient_scope"),
            ("customer_id", "cust-1", 403, "confined_token"),
            ("tenant", "demo-2", 404, "export_not_found"),
        ] {
            let request = testing::attempt("get-export", "lambda", |event| {
                event["requestContext"]["authorizer"][claim] = value.into();
            });
            let (answered, _, body) = testing::parts(shown(&sample::export(Format::Csv), request).await);
            assert_eq!((answered, body["code"].as_str()), (status, Some(code)));
        }
    }
}
