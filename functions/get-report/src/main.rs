//! `GET /reports/orders`

use adapters::http::{ApiRequest, Problem, Reply};
use adapters::reports::ReportsTable;
use adapters::wire::ReportView;
use adapters::{aws, connections, http, telemetry};
use domain::caller::Scope;
use domain::ports::ReportStore;
use domain::use_cases::read_report;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    telemetry::init(module_path!());
    let reports = ReportsTable::from_env(&aws::config()?)?;
    connections::made([reports.connection()]).await;
    http::serve(|request| handle(&reports, request)).await
}

async fn handle(reports: &impl ReportStore, request: ApiRequest) -> Result<Reply, Problem> {
    let caller = request.caller(Scope::Read)?;
    let wanted = request.report_request()?;
    let report = read_report(reports, &caller, wanted).await?;
    Reply::ok(&ReportView::new(&wanted, &report))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use adapters::testing;
    use domain::memory::{MemoryReports, MemoryStore, sample};
    use domain::ports::{OrderKey, OrderStore};
    use domain::status::Status;
    use domain::use_cases::CountOrders;

    use super::*;

    /// The reports of one order.
    async fn reports() -> MemoryReports {
        let counting = CountOrders { store: MemoryStore::default(), reports: MemoryReports::default() };
        let order =
            sample::followed_up_order().transition(Status::Processing, None, sample::stamp(2)).unwrap().unwrap();
        let order = order.ship(sample::shipment(), sample::stamp(61)).unwrap().unwrap();
        counting.store.insert(&order).await.unwrap();
        let uncounted = counting.run(BTreeSet::from([OrderKey { tenant: order.tenant.clone(), id: order.id }])).await;
        assert!(uncounted.is_empty(), "{uncounted:?}");
        counting.reports
    }

    fn by(group_by: &str) -> ApiRequest {
        testing::attempt("get-report", "lambda", |event| {
            event["queryStringParameters"]["group_by"] = group_by.into();
            event["multiValueQueryStringParameters"]["group_by"] = serde_json::json!([group_by]);
        })
    }

    #[tokio::test]
    async fn the_answers_have_the_shape_that_clients_know() {
        let reports = reports().await;
        insta::assert_snapshot!(
            "sample",
            testing::shape(handle(&reports, testing::sample_request("get-report")).await)
        );
        insta::assert_snapshot!("by_product", testing::shape(handle(&reports, by("product")).await));
        let empty = handle(&MemoryReports::default(), by("status")).await;
        insta::assert_snapshot!("empty", testing::shape(empty));
        insta::assert_snapshot!("invalid_parameter", testing::shape(handle(&reports, by("customer")).await));
    }

    #[tokio::test]
    async fn only_who_acts_for_the_storefront_reads_a_report() {
        for (claim, value, code) in
            [("scope", "orders:write", "insufficient_scope"), ("customer_id", "cust-1", "confined_token")]
        {
            let request = testing::attempt("get-report", "lambda", |event| {
                event["requestContext"]["authorizer"][claim] = value.into();
            });
            let (status, _, body) = testing::parts(handle(&MemoryReports::default(), request).await);
            assert_eq!((status, body["code"].as_str()), (403, Some(code)));
        }
    }
}
