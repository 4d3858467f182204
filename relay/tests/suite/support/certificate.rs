//! Self-signed certificates, and clients that trust one of them.

use rcgen::{CertificateParams, KeyPair, date_time_ymd};
use rustls::{
    ClientConfig, RootCertStore, SupportedProtocolVersion,
    crypto::ring,
    pki_types::{CertificateDer, ServerName},
};
use std::{fs, io, net::SocketAddr, path::Path, sync::Arc};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
};
use tokio_rustls::{TlsConnector, client::TlsStream};

pub use rustls::version::{TLS12, TLS13};

/// A certificate for 127.0.0.1.
pub struct Certificate {
    pub chain: String,
    pub key: String,
    der: CertificateDer<'static>,
}

impl Certificate {
    pub fn new() -> Self {
        Self::between(2000, 4000)
    }

    /// Creates a certificate that is valid from the beginning of one year to the beginning of another.
    pub fn between(from: i32, to: i32) -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
        (params.not_before, params.not_after) = (date_time_ymd(from, 1, 1), date_time_ymd(to, 1, 1));
        let certificate = params.self_signed(&key).unwrap();
        Self { chain: certificate.pem(), key: key.serialize_pem(), der: certificate.der().clone() }
    }

    /// Writes `chain.pem` and `key.pem`.
    pub fn write(&self, directory: &Path) {
        fs::write(directory.join("chain.pem"), &self.chain).unwrap();
        fs::write(directory.join("key.pem"), &self.key).unwrap();
    }

    pub fn der(&self) -> CertificateDer<'static> {
        self.der.clone()
    }

    /// Connects over TLS. The handshake succeeds only with this certificate.
    pub async fn connect(
        &self,
        address: SocketAddr,
        version: &'static SupportedProtocolVersion,
    ) -> io::Result<TlsStream<TcpStream>> {
        self.connect_over(TcpStream::connect(address).await?, version).await
    }

    pub async fn connect_over<S: AsyncRead + AsyncWrite + Unpin>(
        &self,
        stream: S,
        version: &'static SupportedProtocolVersion,
    ) -> io::Result<TlsStream<S>> {
        let mut roots = RootCertStore::empty();
        roots.add(self.der.clone()).unwrap();
        let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_protocol_versions(&[version])
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        let name = ServerName::try_from("127.0.0.1").unwrap();
        TlsConnector::from(Arc::new(config)).connect(name, stream).await
    }
}
