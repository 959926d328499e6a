//! How partners are called: one HTTP client per process, short patience, few retries, and a breaker per partner.

use std::sync::Arc;
use std::time::{Duration, Instant};

use backon::{BackoffBuilder, ExponentialBuilder};
use domain::id::TenantId;
use domain::ports::{Outage, Unavailable};
use reqwest::header::{AUTHORIZATION, HeaderValue};
use reqwest::{Client, RequestBuilder, Response, StatusCode, Url};
use rustls::RootCertStore;
use serde::de::DeserializeOwned;

use super::breaker::Breaker;
use super::budget::RetryBudget;
use super::gate::Permit;
use super::patience::Patience;
use super::scope::CallScope;
use crate::config::{self, ConfigError};
use crate::connections::Connection;
use crate::{https, telemetry};

/// A call is tried at most this often again; every call of a partner may be repeated.
const RETRIES: usize = 2;

/// The largest answer that is read.
const MAX_ANSWER: usize = 1024 * 1024;

/// The HTTP client that all partners share.
#[derive(Debug, Clone)]
pub struct PartnerClient(Client);

impl PartnerClient {
    /// Builds the client. It trusts Mozilla's roots, compiled in: reading the system's costs milliseconds of start; and
    /// those of `PARTNER_CA`, PEM, for partners with a private certificate authority.
    ///
    /// # Errors
    /// [`ConfigError`] when TLS cannot be set up, or `PARTNER_CA` holds no certificates.
    pub fn new() -> Result<Self, ConfigError> {
        Self::trusting(config::optional("PARTNER_CA").as_deref())
    }

    /// As [`PartnerClient::new`], with this PEM bundle in place of `PARTNER_CA`.
    ///
    /// # Errors
    /// As [`PartnerClient::new`].
    pub fn trusting(bundle: Option<&str>) -> Result<Self, ConfigError> {
        let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
        if let Some(bundle) = bundle {
            // Where a setting cannot hold line breaks they are written as `\n`.
            let bundle = bundle.replace("\\n", "\n");
            https::trust(&mut roots, bundle.as_bytes())
                .map_err(|detail| ConfigError::Invalid { name: "PARTNER_CA", detail })?;
        }
        Ok(Self(https::client(roots)?.build().map_err(https::invalid)?))
    }

    /// One partner, called through this client.
    #[must_use]
    pub fn partner(&self, service: &'static str, url: Url, breaker: Breaker) -> Partner {
        let shared = Shared { breaker, budget: RetryBudget::default() };
        Partner {
            client: self.0.clone(),
            service,
            url,
            patience: Patience::default(),
            bearer: None,
            shared: Arc::new(shared),
        }
    }
}

/// One partner: where it is, and how it fares.
#[derive(Debug, Clone)]
pub struct Partner {
    client: Client,
    service: &'static str,
    url: Url,
    patience: Patience,
    bearer: Option<HeaderValue>,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    breaker: Breaker,
    budget: RetryBudget,
}

/// A whole answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub status: StatusCode,
    body: Vec<u8>,
}

/// Whether a status says that the partner cannot answer now. 401 and 403 say that this service is misconfigured, which
/// is no refusal of the order: an operator is told, and the order waits.
fn is_outage(status: StatusCode) -> bool {
    let is_misconfigured = matches!(status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN);
    if is_misconfigured {
        tracing::error!(status = status.as_u16(), "a partner does not accept this service's credentials");
    }
    let comes_too_early =
        matches!(status, StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_EARLY | StatusCode::TOO_MANY_REQUESTS);
    is_misconfigured || comes_too_early || status.is_server_error()
}

impl Partner {
    /// Waits for it this long.
    #[must_use]
    pub fn with_patience(self, patience: Patience) -> Self {
        Self { patience, ..self }
    }

    /// What all its calls by one request may take together.
    pub(crate) const fn whole_patience(&self) -> Duration {
        self.patience.whole
    }

    /// Makes a connection before it is needed. Any answer will do.
    pub fn connection(&self) -> Connection {
        let partner = self.clone();
        Box::pin(async move {
            let Patience { connect, attempt, whole: _ } = partner.patience;
            if let Err(error) = partner.client.head(partner.url.clone()).timeout(connect + attempt).send().await {
                tracing::warn!(partner = partner.service, cause = %error.without_url(), "not connected");
            }
        })
    }

    /// Shows this secret with every call: `Authorization: Bearer` (RFC 6750 §2.1).
    ///
    /// # Errors
    /// [`ConfigError::Invalid`] when it cannot stand in a header. The secret is not in the error.
    pub fn with_bearer(self, name: &'static str, secret: &str) -> Result<Self, ConfigError> {
        let mut bearer = HeaderValue::from_str(&format!("Bearer {secret}"))
            .map_err(|_| ConfigError::Invalid { name, detail: "it cannot stand in a header".to_owned() })?;
        bearer.set_sensitive(true);
        Ok(Self { bearer: Some(bearer), ..self })
    }

    /// The partner's URL with these segments at the end of its path, percent-encoded.
    pub(crate) fn url(&self, segments: &[&str]) -> Url {
        let mut url = self.url.clone();
        // Only a URL without a host, such as `mailto:`, has no path; it cannot be called either.
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(segments);
        }
        url
    }

    /// Calls the partner on behalf of a storefront, which is named to it (`X-Tenant-Id`): there is no other way to ask a
    /// partner about customers, products or reservations.
    ///
    /// # Errors
    /// As [`Partner::ask`].
    pub(crate) async fn call(
        &self,
        tenant: &TenantId,
        request: impl Fn(&Client) -> RequestBuilder,
    ) -> Result<Answer, Unavailable> {
        self.ask(|client| request(client).header("X-Tenant-Id", tenant.as_str())).await
    }

    /// Gets a JSON document from the partner's own URL, which belongs to no storefront: the key set of the token issuer.
    ///
    /// # Errors
    /// [`Unavailable`] for anything but a 200 with the JSON expected.
    pub async fn get<T: DeserializeOwned>(&self) -> Result<T, Unavailable> {
        let answer = self.ask(|client| client.get(self.url.clone())).await?;
        match answer.status.as_u16() {
            200 => self.read(&answer),
            _ => Err(self.unlisted(&answer)),
        }
    }

    /// Calls the partner, again after a failure while time, tries and budget last. Only calls that may be repeated
    /// can be made this way.
    ///
    /// # Errors
    /// [`Unavailable`] after a failure (no answer in time, or one that [`is_outage`]), or without a call while the circuit
    /// is open.
    async fn ask(&self, request: impl Fn(&Client) -> RequestBuilder) -> Result<Answer, Unavailable> {
        self.shared.budget.earn();
        let mut pauses = ExponentialBuilder::default()
            .with_min_delay(Duration::from_millis(20))
            .with_max_delay(Duration::from_millis(100))
            .with_jitter()
            .with_max_times(RETRIES)
            .build();
        let deadline = CallScope::deadline(self.patience.whole);
        let remaining = || deadline.saturating_duration_since(Instant::now());
        loop {
            if remaining().is_zero() {
                return Err(self.unavailable("no time is left for it"));
            }
            let Some(permit) = self.shared.breaker.permit().await else {
                let open = self.unavailable("its circuit is open");
                return Err(Unavailable { outage: Outage::CircuitOpen, ..open });
            };
            let failure = match self.attempt(&request, permit, remaining()).await {
                Ok(answer) => return Ok(answer),
                Err(failure) => failure,
            };
            let Some(pause) = pauses.next().filter(|pause| *pause < remaining()) else {
                return Err(failure);
            };
            if permit.is_probe() || !self.shared.budget.take() {
                return Err(failure);
            }
            tokio::time::sleep(pause).await;
        }
    }

    async fn attempt(
        &self,
        request: &impl Fn(&Client) -> RequestBuilder,
        permit: Permit,
        remaining: Duration,
    ) -> Result<Answer, Unavailable> {
        let mut request = request(&self.client).timeout(self.patience.whole);
        if let Some(bearer) = &self.bearer {
            request = request.header(AUTHORIZATION, bearer.clone());
        }
        if let Some(trace) = CallScope::trace() {
            request = request.header("X-Amzn-Trace-Id", trace);
        }
        if let Some(trace) = domain::trace::current() {
            request = request.header("traceparent", trace.to_string());
        }
        let began = Instant::now();
        // Boxed, or the compiler gives up on the depth of nested futures.
        let answered = Box::pin(self.patiently(request, remaining)).await;
        telemetry::partner_called(self.service, began.elapsed(), answered.is_err());
        match &answered {
            Ok(_) => self.shared.breaker.succeeded(permit).await,
            Err(failure) => {
                telemetry::failed(failure);
                // What the end of a request cut short says nothing of the partner.
                let is_cut = remaining < self.patience.attempt && began.elapsed() >= remaining;
                if !is_cut {
                    self.shared.breaker.failed(permit).await;
                }
            }
        }
        answered
    }

    /// The answer in time, which is that of a connection and an answer: whether an idle connection still stands is known
    /// only to the partner. An attempt that is given up goes on by itself, up to the whole patience: the connection that it
    /// makes is there for the next.
    async fn patiently(&self, request: RequestBuilder, remaining: Duration) -> Result<Answer, Unavailable> {
        let Patience { connect, attempt, whole: _ } = self.patience;
        let partner = self.clone();
        let call = tokio::spawn(async move { partner.whole(request.send().await).await });
        match tokio::time::timeout((connect + attempt).min(remaining), call).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(error)) => Err(self.no_answer(error)),
            Err(_) => Err(self.no_answer("no answer in time")),
        }
    }

    /// The whole answer, when it is one.
    async fn whole(&self, sent: Result<Response, reqwest::Error>) -> Result<Answer, Unavailable> {
        let mut response = sent.map_err(|error| self.no_answer(error.without_url()))?;
        let status = response.status();
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| self.no_answer(error.without_url()))? {
            if body.len() + chunk.len() > MAX_ANSWER {
                return Err(self.no_answer("the answer is too large"));
            }
            body.extend_from_slice(&chunk);
        }
        let answer = Answer { status, body };
        if is_outage(status) { Err(self.no_answer(answered(status))) } else { Ok(answer) }
    }

    /// The JSON of an answer. Why it cannot be read is told without what it says, which may be personal.
    pub(crate) fn read<T: DeserializeOwned>(&self, answer: &Answer) -> Result<T, Unavailable> {
        serde_json::from_slice(&answer.body).map_err(|error| self.unavailable(misfit(&error)))
    }

    /// An answer that the contract does not list for this call. Anything between here and the partner may have given
    /// it, so it says nothing of the request.
    pub(crate) fn unlisted(&self, answer: &Answer) -> Unavailable {
        self.unavailable(answered(answer.status))
    }

    /// The partner could not be asked, with the reason for the log.
    pub(crate) fn unavailable(&self, reason: impl std::fmt::Display) -> Unavailable {
        let unavailable = self.no_answer(reason);
        telemetry::failed(&unavailable);
        unavailable
    }

    /// The same, for those who note the reason elsewhere.
    fn no_answer(&self, reason: impl std::fmt::Display) -> Unavailable {
        Unavailable { service: self.service, outage: Outage::NoAnswer, detail: reason.to_string() }
    }
}

/// Why a document is not the one expected: a field that it lacks, or the place alone, since other messages quote values.
fn misfit(error: &serde_json::Error) -> String {
    let message = error.to_string();
    if message.starts_with("missing field") {
        return message;
    }
    let kind = if error.is_data() { "has another form" } else { "is not JSON" };
    format!("the answer {kind}, see line {} column {}", error.line(), error.column())
}

fn answered(status: StatusCode) -> String {
    format!("it answered {status}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn segments_of_a_path_are_percent_encoded() {
        let client = PartnerClient::new().unwrap();
        for base in ["https://partner.example/v1", "https://partner.example/v1/"] {
            let partner = client.partner("partner", base.parse().unwrap(), Breaker::new(None));
            let url = partner.url(&["customers", "a/b?c#d e%2e"]);
            assert_eq!(url.as_str(), "https://partner.example/v1/customers/a%2Fb%3Fc%23d%20e%252e");
        }
    }
}
