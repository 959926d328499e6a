//! HTTP and HTTPS on one port, with a certificate that an authority of the partners' own vouches for.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::serve::Listener;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, KeyUsagePurpose};
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring::default_provider;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};
use tokio_rustls::server::TlsStream;

use crate::Failure;
use crate::faults::ConnectionFault;
use crate::state::Partners;

/// What the partners show, in PEM. It outlives the process: whoever trusts the authority trusts it after a restart.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Identity {
    /// The authority's certificate. Its key is thrown away, so it vouches for nobody else.
    pub authority: String,
    certificate: String,
    key: String,
}

impl Identity {
    /// A new authority, and a certificate of this machine.
    pub fn new() -> Result<Self, Failure> {
        let mut params = CertificateParams::new(Vec::new())?;
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        params.distinguished_name.push(DnType::CommonName, "Partners of this machine");
        let authority = CertifiedIssuer::self_signed(params, KeyPair::generate()?)?;
        let key = KeyPair::generate()?;
        let names = vec!["127.0.0.1".to_owned(), "localhost".to_owned()];
        let mut params = CertificateParams::new(names)?;
        params.use_authority_key_identifier_extension = true;
        let certificate = params.signed_by(&key, &authority)?;
        Ok(Self { authority: authority.pem(), certificate: certificate.pem(), key: key.serialize_pem() })
    }

    fn acceptor(&self) -> Result<TlsAcceptor, Failure> {
        let certificate = CertificateDer::from_pem_slice(self.certificate.as_bytes())?;
        let key = PrivateKeyDer::from_pem_slice(self.key.as_bytes())?;
        let config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(vec![certificate], key)?;
        Ok(TlsAcceptor::from(Arc::new(config)))
    }
}

/// A connection, encrypted or not.
pub trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl Stream for TcpStream {}
impl Stream for TlsStream<TcpStream> {}

/// What a handshake over TLS begins with (RFC 8446 §5.1).
const HANDSHAKE: u8 = 22;

/// Connections of one port, over TLS where the client begins with a handshake.
pub struct EitherListener {
    address: SocketAddr,
    ready: mpsc::Receiver<(Box<dyn Stream>, SocketAddr)>,
}

impl EitherListener {
    /// Takes what is accepted there. Handshakes go on side by side, each as late as the fault of connections says.
    pub fn new(mut listener: TcpListener, partners: Partners) -> Result<Self, Failure> {
        let acceptor = partners.identity().acceptor()?;
        let address = listener.local_addr()?;
        let (sender, ready) = mpsc::channel(64);
        tokio::spawn(async move {
            loop {
                let (stream, client) = Listener::accept(&mut listener).await;
                let (acceptor, partners, sender) = (acceptor.clone(), partners.clone(), sender.clone());
                tokio::spawn(async move {
                    // A client that gives up, or does not trust the authority, is no failure of the server.
                    match begun(stream, &acceptor, &partners).await {
                        Ok(stream) => drop(sender.send((stream, client)).await),
                        Err(error) => println!("a connection came to nothing: {error}"),
                    }
                });
            }
        });
        Ok(Self { address, ready })
    }
}

async fn begun(stream: TcpStream, acceptor: &TlsAcceptor, partners: &Partners) -> std::io::Result<Box<dyn Stream>> {
    let mut first = [0];
    stream.peek(&mut first).await?;
    if first != [HANDSHAKE] {
        return Ok(Box::new(stream));
    }
    let fault = partners.world().connections;
    match fault {
        None => {}
        Some(ConnectionFault::Delay(delay)) => {
            tokio::time::sleep(delay).await;
            partners.world().delayed_handshakes += 1;
        }
        Some(ConnectionFault::Reset) => return Err(std::io::ErrorKind::ConnectionReset.into()),
        Some(ConnectionFault::Hang) => std::future::pending().await,
    }
    Ok(Box::new(acceptor.accept(stream).await?))
}

impl Listener for EitherListener {
    type Io = Box<dyn Stream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        match self.ready.recv().await {
            Some(connection) => connection,
            // The task that accepts goes on as long as the program.
            None => std::future::pending().await,
        }
    }

    fn local_addr(&self) -> std::io::Result<Self::Addr> {
        Ok(self.address)
    }
}
