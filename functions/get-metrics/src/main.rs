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
        let reply = handle(&exposition(), testing::sample_request("get-metrics")).await.unwrap().into_response();
        assert_eq!((reply.status().as_u16(), &reply.headers()["content-type"]), (200, &OPEN_METRICS.parse().unwrap()));
        let lambda_http::Body::Text(text) = reply.into_body() else { panic!("text") };
        assert!(text.starts_with("# TYPE orders_build info\n") && text.ends_with("# EOF\n"), "{text}");
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
