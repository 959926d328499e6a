//! How this service talks to AWS: one HTTPS client, credentials and region from the environment Lambda sets.

use std::time::Duration;

use aws_config::environment::EnvironmentVariableCredentialsProvider;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::http::HttpRequest;
use aws_sdk_dynamodb::config::{Builder, SharedCredentialsProvider};
use aws_sdk_dynamodb::error::SdkError;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore};
use aws_smithy_types::body::SdkBody;

use crate::config::{self, ConfigError};
use crate::connections::Connection;

/// The roots of AWS's own endpoints (<https://www.amazontrust.com/repository/>). Parsing these five instead of the
/// system's whole store saves milliseconds of every cold start.
const AMAZON_TRUST_SERVICES: &[u8] = include_bytes!("../certs/amazon-trust-services.pem");

/// Connections die while a function is frozen, so idle ones are not kept for long.
const POOL_IDLE: Duration = Duration::from_secs(20);

/// The configuration that every AWS client of the process shares. It is put together here: the chain of
/// `aws_config::load_defaults` looks for profiles, containers and instances, which a function does not have, and
/// makes a program 1.8 MB larger.
///
/// # Errors
/// [`ConfigError`] when the HTTPS client cannot be built.
pub fn config() -> Result<SdkConfig, ConfigError> {
    let invalid = |detail: String| ConfigError::Invalid { name: "AWS", detail };
    let roots = TrustStore::empty().with_pem_certificate(AMAZON_TRUST_SERVICES);
    let tls = TlsContext::builder().with_trust_store(roots).build().map_err(|error| invalid(error.to_string()))?;
    let http = aws_smithy_http_client::Builder::new()
        .pool_idle_timeout(POOL_IDLE)
        .tls_provider(Provider::Rustls(CryptoMode::Ring))
        .tls_context(tls)
        .build_https();
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(Duration::from_millis(500))
        .operation_attempt_timeout(Duration::from_millis(1_000))
        .operation_timeout(Duration::from_millis(2_500))
        .build();
    let mut aws = SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .credentials_provider(SharedCredentialsProvider::new(EnvironmentVariableCredentialsProvider::new()))
        .region(config::optional("AWS_REGION").map(Region::new))
        .retry_config(RetryConfig::standard().with_max_attempts(3))
        .timeout_config(timeouts)
        .http_client(http);
    aws.set_endpoint_url(config::optional("AWS_ENDPOINT_URL"));
    Ok(aws.build())
}

/// Makes a connection to `DynamoDB` before it is needed.
pub(crate) fn connection(client: &Client, table: &str) -> Connection {
    let once = Builder::default().retry_config(RetryConfig::disabled());
    let ping = client.get_item().table_name(table).customize().config_override(once).mutate_request(ping);
    Box::pin(async move { pinged("DynamoDB", &ping.send().await) })
}

/// Makes `GET /ping` of a request, which every endpoint answers without a permission and without a charge. A client that
/// sends it has a connection for the call that comes next.
pub(crate) fn ping(request: &mut HttpRequest) {
    let url = reqwest::Url::parse(request.uri()).and_then(|url| url.join("/ping"));
    let changed = url.is_ok_and(|url| request.set_uri(url.as_str()).is_ok() && request.set_method("GET").is_ok());
    debug_assert!(changed, "the URI of an endpoint takes a path");
    *request.body_mut() = SdkBody::empty();
    request.headers_mut().remove("content-length");
}

/// Logs that an endpoint gave no answer at all to a ping; any answer will do.
pub(crate) fn pinged<T, E, R>(service: &'static str, answer: &Result<T, SdkError<E, R>>) {
    if let Err(SdkError::ConstructionFailure(_) | SdkError::TimeoutError(_) | SdkError::DispatchFailure(_)) = answer {
        tracing::warn!(service, "not connected");
    }
}
