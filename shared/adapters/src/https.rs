//! The client that makes every HTTP call of a function.

use std::sync::Arc;
use std::time::Duration;

use reqwest::ClientBuilder;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};

use crate::config::ConfigError;

/// Connections die while a function is frozen, so idle ones are not kept for long.
const POOL_IDLE: Duration = Duration::from_secs(20);

/// A client that trusts these roots and follows no redirects.
///
/// # Errors
/// [`ConfigError::Invalid`] when TLS cannot be set up.
pub(crate) fn client(roots: RootCertStore) -> Result<ClientBuilder, ConfigError> {
    let tls = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(invalid)?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(reqwest::Client::builder()
        .tls_backend_preconfigured(tls)
        .pool_idle_timeout(POOL_IDLE)
        .redirect(reqwest::redirect::Policy::none()))
}

/// TLS cannot be set up.
pub(crate) fn invalid(error: impl ToString) -> ConfigError {
    ConfigError::Invalid { name: "TLS", detail: error.to_string() }
}

/// Adds the certificates of a PEM bundle.
///
/// # Errors
/// Why they cannot be read, or that there are none.
pub(crate) fn trust(roots: &mut RootCertStore, bundle: &[u8]) -> Result<(), String> {
    let certificates: Vec<CertificateDer<'_>> =
        CertificateDer::pem_slice_iter(bundle).collect::<Result<_, _>>().map_err(|error| error.to_string())?;
    if certificates.is_empty() {
        return Err("it holds no certificate".to_owned());
    }
    certificates.into_iter().try_for_each(|one| roots.add(one)).map_err(|error| error.to_string())
}
