//! `GET /metrics`

use adapters::exposition::{Exposition, OPEN_METRICS};
use adapters::http::{ApiRequest, Problem, Reply};
use adapters::outbound::Circuits;
use adapters::reports::ReportsTable;
use adapters::store::DynamoStore;
use adapters::system::SystemClock;
use adapters::{aws, connections, http, telemetry};
use domain::caller::Scope;
use domain::ports::{Clock, OrderStore, ReportStore};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    telemetry::init(module_path!());
    let aws = aws::config()?;
    let (store, reports) = (DynamoStore::from_env(&aws)?, ReportsTable::from_env(&aws)?);
    let circuits = Circuits::from_env(&aws)?;
    connections::made([store.connection(), reports.connection(), circuits.connection()]).await;
    let circuits = Some(circuits);
    let exposition = Exposition { version: env!("CARGO_PKG_VERSION"), store, reports, circuits, clock: SystemClock };
    http::serve(|request| handle(&exposition, request)).await
}

async fn handle<S, R, K>(exposition: &Exposition<S, R, K>, request: ApiRequest) -> Result<Reply, Problem>
where
    S: OrderStore,
    R: ReportStore,
    K: Clock,
{
    let caller = request.caller(Scope::Admin)?;
    caller.require_storefront()?;
    Ok(Reply::text(OPEN_METRICS, exposition.text(&caller.tenant).await?))
}

#[cfg(test)]
mod tests {
    use adapters::testing;
    use domain::memory::{MemoryReports, MemoryStore};

    use super::*;

    fn exposition() -> Exposition<MemoryStore, MemoryReports, SystemClock> {
        let (store, reports) = (MemoryStore::default(), MemoryReports::default());
        Exposition { version: "1.2.3", store, reports, circuits: None, clock: SystemClock }
    }

    #[tokio::test]
    async fn the_sample_event_is_answered_with_openmetrics_text() {
        let (status, headers, text) =
            testing::parts(handle(&exposition(), testing::sample_request("get-metrics")).await);
        assert_eq!((status, &headers["content-type"]), (200, &OPEN_METRICS.parse().unwrap()));
        let text = text.as_str().unwrap();
        assert!(text.starts_with("# TYPE orders_build info\n") && text.ends_with("# EOF\n"), "{text}");
    }

    #[tokio::test]
    async fn the_answer_has_the_shape_that_scrapers_know() {
        let reply = handle(&exposition(), testing::sample_request("get-metrics")).await;
        insta::assert_snapshot!("metrics", testing::shape(reply));
        let request = testing::attempt("get-metrics", "lambda", |event| {
            event["requestContext"]["authorizer"]["scope"] = "orders:read".into();
        });
        insta::assert_snapshot!("insufficient_scope", testing::shape(handle(&exposition(), request).await));
    }

    #[tokio::test]
    async fn only_an_administrator_sees_the_metrics_and_no_customer() {
        for (claim, value, code) in
            [("scope", "orders:read orders:write", "insufficient_scope"), ("customer_id", "cust-1", "confined_token")]
        {
            let request = testing::attempt("get-metrics", "lambda", |event| {
                event["requestContext"]["authorizer"][claim] = value.into();
            });
            let (status, _, body) = testing::parts(handle(&exposition(), request).await);
            assert_eq!((status, body["code"].as_str()), (403, Some(code)));
        }
    }
}
