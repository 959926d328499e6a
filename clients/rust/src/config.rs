//! How a client is set up.

use std::sync::Arc;
use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};
use reqwest::Url;
use rustls::{ClientConfig, RootCertStore};

use crate::client::Client;
use crate::error::Error;
use crate::token::TokenProvider;
use crate::transport::Transport;

/// How often, and after which pauses, a call is attempted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retries {
    /// Requests per call, the first included.
    pub max_attempts: u32,
    /// The pause after the first attempt; it doubles with each, and jitter adds up to as much again.
    pub first_pause: Duration,
    /// The longest pause, unless `Retry-After` asks for a longer one.
    pub longest_pause: Duration,
}

impl Default for Retries {
    /// 5 attempts, 200 ms, 5 s.
    fn default() -> Self {
        Self { max_attempts: 5, first_pause: Duration::from_millis(200), longest_pause: Duration::from_secs(5) }
    }
}

impl Retries {
    /// One attempt only.
    #[must_use]
    pub fn none() -> Self {
        Self { max_attempts: 1, ..Self::default() }
    }

    pub(crate) fn pauses(&self) -> ExponentialBackoff {
        let doubling =
            ExponentialBuilder::default().with_min_delay(self.first_pause).with_max_delay(self.longest_pause);
        doubling.with_jitter().without_max_times().build()
    }
}

/// How long is waited for what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    /// For a connection.
    pub connect: Duration,
    /// For one answer.
    pub attempt: Duration,
    /// For a call with all its attempts and pauses. No attempt begins when its pause would end later.
    pub call: Duration,
}

impl Default for Timeouts {
    /// 3 s, 10 s, 30 s.
    fn default() -> Self {
        Self { connect: Duration::from_secs(3), attempt: Duration::from_secs(10), call: Duration::from_secs(30) }
    }
}

/// Sets up a [`Client`]; see [`Client::builder`].
#[must_use]
pub struct ClientBuilder {
    base_url: String,
    #[cfg(feature = "live")]
    live_url: Option<String>,
    tokens: Option<Arc<dyn TokenProvider>>,
    retries: Retries,
    timeouts: Timeouts,
    http: Option<reqwest::Client>,
    is_plain_http_allowed: bool,
}

impl ClientBuilder {
    pub(crate) fn new(base_url: String) -> Self {
        Self {
            base_url,
            #[cfg(feature = "live")]
            live_url: None,
            tokens: None,
            retries: Retries::default(),
            timeouts: Timeouts::default(),
            http: None,
            is_plain_http_allowed: false,
        }
    }

    /// Where tokens come from: a [`crate::Token`], a closure that returns a future of one, or a [`TokenProvider`].
    pub fn token(self, tokens: impl TokenProvider) -> Self {
        Self { tokens: Some(Arc::new(tokens)), ..self }
    }

    /// Where live updates come from, stage included: `wss://live.orders.example/v1`.
    #[cfg(feature = "live")]
    pub fn live_url(self, url: impl Into<String>) -> Self {
        Self { live_url: Some(url.into()), ..self }
    }

    /// How often a call is attempted.
    pub fn retries(self, retries: Retries) -> Self {
        Self { retries, ..self }
    }

    /// How long is waited.
    pub fn timeouts(self, timeouts: Timeouts) -> Self {
        Self { timeouts, ..self }
    }

    /// Uses this HTTP client, for a proxy or a private certificate authority. It should follow no redirects.
    pub fn http_client(self, http: reqwest::Client) -> Self {
        Self { http: Some(http), ..self }
    }

    /// Sends tokens over plain HTTP also to other hosts than this machine's own.
    pub fn allow_plain_http(self) -> Self {
        Self { is_plain_http_allowed: true, ..self }
    }

    /// The client.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Invalid`] when the URL is not one of `https` (or `http` on loopback), or TLS cannot be set up.
    pub fn build(self) -> Result<Client, Error> {
        let base = parse_base(&self.base_url, self.is_plain_http_allowed)?;
        #[cfg(feature = "live")]
        let live = self.live_url.map(|url| parse_live(&url, self.is_plain_http_allowed)).transpose()?;
        let http = self.http.map_or_else(|| http_client(self.timeouts.connect), Ok)?;
        let Self { tokens, retries, timeouts, .. } = self;
        Ok(Client::new(Transport {
            http,
            base,
            #[cfg(feature = "live")]
            live,
            tokens,
            retries,
            timeouts,
        }))
    }
}

fn parse_base(text: &str, is_plain_http_allowed: bool) -> Result<Url, Error> {
    let url = Url::parse(text).map_err(|error| Error::invalid(format!("the base URL is not valid: {error}")))?;
    match url.scheme() {
        "https" => Ok(url),
        "http" if is_plain_http_allowed || is_loopback(&url) => Ok(url),
        "http" => Err(Error::invalid("the base URL must be https: a token would be readable on its way")),
        _ => Err(Error::invalid("the base URL must be https")),
    }
}

#[cfg(feature = "live")]
fn parse_live(text: &str, is_plain_allowed: bool) -> Result<Url, Error> {
    let url =
        Url::parse(text).map_err(|error| Error::invalid(format!("the URL of live updates is not valid: {error}")))?;
    match url.scheme() {
        "wss" => Ok(url),
        "ws" if is_plain_allowed || is_loopback(&url) => Ok(url),
        _ => Err(Error::invalid("the URL of live updates must be wss: a token would be readable on its way")),
    }
}

fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<std::net::IpAddr>();
    host == "localhost" || host.ends_with(".localhost") || address.is_ok_and(|address| address.is_loopback())
}

/// Trusts Mozilla's roots, compiled in. TLS is ring's, whatever provider the process has installed.
fn http_client(connect_timeout: Duration) -> Result<reqwest::Client, Error> {
    let invalid = |error: &dyn std::error::Error| Error::invalid(format!("TLS cannot be set up: {error}"));
    let roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    let tls = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| invalid(&error))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    reqwest::Client::builder()
        .tls_backend_preconfigured(tls)
        .connect_timeout(connect_timeout)
        .redirect(reqwest::redirect::Policy::none())
        .user_agent(concat!("order-service-client-rust/", env!("CARGO_PKG_VERSION")))
        .build()
        .map_err(|error| invalid(&error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_sent_in_the_clear_only_to_this_machine_or_when_allowed() {
        for url in ["https://a.example/v1", "http://127.0.0.1:4566/v1", "http://[::1]/v1", "http://x.localhost/v1"] {
            assert!(parse_base(url, false).is_ok(), "{url}");
        }
        for url in ["http://a.example/v1", "http://127.0.0.1.example/", "ftp://a.example", "orders", ""] {
            assert!(parse_base(url, false).is_err(), "{url}");
        }
        assert!(parse_base("http://emulator:4566/v1", true).is_ok());
    }

    #[test]
    fn pauses_double_with_jitter_up_to_the_longest() {
        let retries = Retries::default();
        for _ in 0..100 {
            let pauses: Vec<Duration> = retries.pauses().take(12).collect();
            for (n, pause) in pauses.iter().enumerate() {
                let least = (retries.first_pause * 2_u32.pow(n as u32)).min(retries.longest_pause);
                assert!((least..=least * 2).contains(pause), "pause {n}: {pause:?}");
            }
        }
    }
}
