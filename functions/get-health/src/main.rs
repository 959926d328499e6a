//! `GET /health`

use adapters::health::HealthCheck;
use adapters::http::{ApiRequest, Problem, Reply};
use adapters::outbound::Circuits;
use adapters::{aws, connections, http, telemetry};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    telemetry::init(module_path!());
    let circuits = Circuits::from_env(&aws::config()?)?;
    connections::made([circuits.connection()]).await;
    let check = HealthCheck::from_env(env!("CARGO_PKG_VERSION"), Some(circuits))?;
    http::serve(|request| handle(&check, request)).await
}

async fn handle(check: &HealthCheck, _request: ApiRequest) -> Result<Reply, Problem> {
    Reply::ok(&check.run().await)
}

#[cfg(test)]
mod tests {
    use adapters::testing;

    use super::*;

    #[tokio::test]
    async fn the_sample_event_is_answered_without_a_token() {
        let check = HealthCheck::new("1.2.3", "eu-central-1".to_owned(), vec!["broker"]);
        let (status, _, body) = testing::parts(handle(&check, testing::sample_request("get-health")).await);
        assert_eq!((status, body["status"].as_str(), body["region"].as_str()), (200, Some("ok"), Some("eu-central-1")));
        assert_eq!(body["fakes"][0], "broker");
    }

    #[tokio::test]
    async fn the_answer_has_the_shape_that_clients_know() {
        let check = HealthCheck::new("1.2.3", "eu-central-1".to_owned(), vec!["broker"]);
        insta::assert_snapshot!("health", testing::shape(handle(&check, testing::sample_request("get-health")).await));
    }
}
