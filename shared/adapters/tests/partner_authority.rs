//! Partners over TLS are believed when somebody vouches for them that this service trusts.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::sync::Arc;

use adapters::outbound::{Breaker, PartnerClient};
use domain::ports::Unavailable;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring::default_provider;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

/// A certificate authority, in PEM, and what a server of this machine needs that it vouches for.
fn authority() -> (String, TlsAcceptor) {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let certificate =
        CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap().signed_by(&key, &authority).unwrap();
    let private = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], private)
        .unwrap();
    (authority.pem(), TlsAcceptor::from(Arc::new(config)))
}

/// A partner that answers `{}`; where it is.
async fn partner(acceptor: TlsAcceptor) -> String {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let url = format!("https://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            // A client that does not believe is no failure of the server.
            tokio::spawn(async move { drop(serve(stream, acceptor).await) });
        }
    });
    url
}

async fn serve(stream: TcpStream, acceptor: TlsAcceptor) -> std::io::Result<()> {
    let mut stream = acceptor.accept(stream).await?;
    let mut request = Vec::new();
    while stream.read_buf(&mut request).await? > 0 {
        if request.ends_with(b"\r\n\r\n") {
            request.clear();
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}").await?;
        }
    }
    Ok(())
}

/// What a partner with this certificate answers to a client that trusts this authority.
async fn answer(acceptor: TlsAcceptor, trusted: Option<&str>) -> Result<Value, Unavailable> {
    let client = PartnerClient::trusting(trusted).unwrap();
    let url = partner(acceptor).await.parse().unwrap();
    client.partner("partner", url, Breaker::new(None)).get().await
}

#[tokio::test]
async fn a_partner_is_believed_when_its_own_authority_is_trusted() {
    let (ca, acceptor) = authority();
    assert_eq!(answer(acceptor, Some(&ca)).await.unwrap(), json!({}));
    let (ca, acceptor) = authority();
    let in_one_line = ca.trim().replace('\n', "\\n");
    assert_eq!(answer(acceptor, Some(&in_one_line)).await.unwrap(), json!({}));
}

#[tokio::test]
async fn a_partner_of_another_authority_is_not_believed() {
    let (_, acceptor) = authority();
    let (other, _) = authority();
    answer(acceptor.clone(), Some(&other)).await.unwrap_err();
    answer(acceptor, None).await.unwrap_err();
}
