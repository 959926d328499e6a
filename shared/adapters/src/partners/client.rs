//! One HTTP client per process, with short patience.

use std::sync::Arc;
use std::time::Duration;

use domain::ports::Unavailable;
use reqwest::{Client, RequestBuilder, Response};
use rustls::{ClientConfig, RootCertStore};
use serde::de::DeserializeOwned;

use crate::config::ConfigError;

/// A partner that has not answered by then is not going to.
const ATTEMPT: Duration = Duration::from_millis(800);

/// Connections die while a function is frozen, so idle ones are not kept for long.
const POOL_IDLE: Duration = Duration::from_secs(5);

/// The largest answer that is read.
const MAX_ANSWER: usize = 1024 * 1024;

/// The HTTP client that all partners share.
#[derive(Debug, Clone)]
pub struct PartnerClient(Client);

impl PartnerClient {
    /// Builds the client. It trusts Mozilla's roots, compiled in: reading the system's costs milliseconds of start.
    ///
    /// # Errors
    /// [`ConfigError`] when TLS cannot be set up.
    pub fn new() -> Result<Self, ConfigError> {
        let invalid = |detail: String| ConfigError::Invalid { name: "TLS", detail };
        let roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
        let tls = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|error| invalid(error.to_string()))?
            .with_root_certificates(roots)
            .with_no_client_auth();
        let client = Client::builder()
            .tls_backend_preconfigured(tls)
            .timeout(ATTEMPT)
            .pool_idle_timeout(POOL_IDLE)
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .map_err(|error| invalid(error.to_string()))?;
        Ok(Self(client))
    }

    /// The underlying client, to build requests with.
    pub(super) const fn http(&self) -> &Client {
        &self.0
    }

    /// Gets a JSON document.
    ///
    /// # Errors
    /// [`Unavailable`] for anything but a 200 with the JSON expected.
    pub async fn get<T: DeserializeOwned>(&self, service: &'static str, url: &str) -> Result<T, Unavailable> {
        let answer = send(service, self.0.get(url)).await?;
        if answer.status() != reqwest::StatusCode::OK {
            return Err(unexpected(service, &answer));
        }
        read(service, answer).await
    }
}

/// Sends a request; a 5xx counts as no answer.
pub(super) async fn send(service: &'static str, request: RequestBuilder) -> Result<Response, Unavailable> {
    let answer = request.send().await.map_err(|error| unavailable(service, &error.without_url()))?;
    if answer.status().is_server_error() { Err(unexpected(service, &answer)) } else { Ok(answer) }
}

/// Reads a JSON answer of at most [`MAX_ANSWER`] bytes.
pub(super) async fn read<T: DeserializeOwned>(service: &'static str, mut answer: Response) -> Result<T, Unavailable> {
    let mut body = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(|error| unavailable(service, &error.without_url()))? {
        if body.len() + chunk.len() > MAX_ANSWER {
            return Err(unavailable(service, &"the answer is too large"));
        }
        body.extend_from_slice(&chunk);
    }
    serde_json::from_slice(&body).map_err(|error| unavailable(service, &error))
}

/// An answer that the contract does not know.
pub(super) fn unexpected(service: &'static str, answer: &Response) -> Unavailable {
    unavailable(service, &format_args!("it answered {}", answer.status()))
}

/// A partner that could not be asked, with the reason for the log.
pub(super) fn unavailable(service: &'static str, reason: &dyn std::fmt::Display) -> Unavailable {
    Unavailable { service, detail: reason.to_string() }
}
