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
use aws_smithy_runtime_api::client::http::HttpClient;
use aws_smithy_types::body::SdkBody;
use lambda_http::http::Uri;
use lambda_http::http::uri::PathAndQuery;
use rustls::RootCertStore;

use crate::config::{self, ConfigError};
use crate::connections::Connection;
use crate::https;

mod http_client;

/// The roots of AWS's own endpoints (<https://www.amazontrust.com/repository/>). Parsing these five instead of the
/// system's whole store saves milliseconds of every cold start.
const AMAZON_TRUST_SERVICES: &[u8] = include_bytes!("../../certs/amazon-trust-services.pem");

/// How long a connection may take; attempts and calls have times of their own.
const CONNECT: Duration = Duration::from_millis(500);

/// The configuration that every AWS client of the process shares. It is put together here: the chain of
/// `aws_config::load_defaults` looks for profiles, containers and instances, which a function does not have, and
/// makes a program 1.8 MB larger.
///
/// # Errors
/// [`ConfigError`] when the HTTPS client cannot be built.
pub fn config() -> Result<SdkConfig, ConfigError> {
    let timeouts = TimeoutConfig::builder()
        .operation_attempt_timeout(Duration::from_millis(1_000))
        .operation_timeout(Duration::from_millis(2_500))
        .build();
    let mut aws = SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .credentials_provider(SharedCredentialsProvider::new(EnvironmentVariableCredentialsProvider::new()))
        .region(config::optional("AWS_REGION").map(Region::new))
        .retry_config(RetryConfig::standard().with_max_attempts(3))
        .timeout_config(timeouts)
        .http_client(http_client()?);
    aws.set_endpoint_url(config::optional("AWS_ENDPOINT_URL"));
    Ok(aws.build())
}

/// The HTTPS client of [`config()`].
///
/// # Errors
/// [`ConfigError`] when it cannot be built.
pub fn http_client() -> Result<impl HttpClient + 'static, ConfigError> {
    let mut roots = RootCertStore::empty();
    https::trust(&mut roots, AMAZON_TRUST_SERVICES).map_err(https::invalid)?;
    let client = https::client(roots)?.connect_timeout(CONNECT).no_proxy().build().map_err(https::invalid)?;
    Ok(http_client::SdkHttpClient(client))
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
    let mut parts = Uri::try_from(request.uri()).unwrap_or_default().into_parts();
    parts.path_and_query = Some(PathAndQuery::from_static("/ping"));
    let changed = Uri::from_parts(parts)
        .is_ok_and(|uri| request.set_uri(uri.to_string()).is_ok() && request.set_method("GET").is_ok());
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
