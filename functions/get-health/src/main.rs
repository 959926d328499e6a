//! `GET /health`

use adapters::http::{ApiRequest, Problem, Reply};
use adapters::{config, http, telemetry};
use serde_json::json;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    telemetry::init();
    let region = config::required("AWS_REGION")?;
    http::serve(|request| handle(&region, request)).await
}

async fn handle(region: &str, _request: ApiRequest) -> Result<Reply, Problem> {
    Reply::ok(&json!({"status": "ok", "version": env!("CARGO_PKG_VERSION"), "region": region}))
}

#[cfg(test)]
mod tests {
    use adapters::testing;

    use super::*;

    #[tokio::test]
    async fn the_sample_event_is_answered_without_a_token() {
        let (status, _, body) = testing::parts(handle("eu-central-1", testing::sample_request("get-health")).await);
        assert_eq!((status, body["status"].as_str(), body["region"].as_str()), (200, Some("ok"), Some("eu-central-1")));
    }
}
