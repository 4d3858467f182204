//! TLS with clients: the relay's certificate with its key, read from PEM files and checked before use, and the sessions.

mod pinned_certificate;
mod session;
mod stream;

pub(crate) use session::{TlsSession, WRITE_AHEAD};
pub(crate) use stream::TlsStream;

use rustls::{
    ServerConfig,
    crypto::ring,
    pki_types::{
        CertificateDer, PrivateKeyDer,
        pem::{self, PemObject as _},
    },
    server::NoServerSessionStorage,
    version::{TLS12, TLS13},
};
use sealwire_protocol::UnixSeconds;
use std::{fmt, path::Path, sync::Arc};
use x509_cert::der::Decode as _;

/// The error of a certificate or key that cannot be used. It never contains bytes of a key.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum TlsError {
    #[error("cannot be read: {0}")]
    Unreadable(pem::Error),
    #[error("holds no certificate; name a PEM file with the whole chain, the server's own certificate first")]
    NoCertificate,
    #[error(
        "holds no private key in PEM (PKCS #8, PKCS #1 or SEC 1); decrypt a key that is encrypted with a password first"
    )]
    NoKey,
    #[error("the first certificate is damaged: {0}")]
    Damaged(x509_cert::der::Error),
    #[error("the certificate expired on {0}; renew it")]
    Expired(x509_cert::der::DateTime),
    #[error("the certificate is valid only from {0} on; check the system's clock")]
    NotYetValid(x509_cert::der::DateTime),
    #[error("the private key does not belong to the certificate")]
    Mismatch,
    #[error("cannot be used: {0}")]
    Unusable(rustls::Error),
}

/// A certificate with its key, ready for handshakes.
#[derive(Clone)]
pub struct Tls {
    chain: Vec<CertificateDer<'static>>,
    expires: UnixSeconds,
    config: Arc<ServerConfig>,
}

/// An error of the certificate's file or of the key's file.
pub(crate) enum LoadError {
    Certificate(TlsError),
    Key(TlsError),
}

impl Tls {
    /// Reads a certificate chain and the private key of its first certificate.
    pub(crate) fn load(certificate: &Path, key: &Path, now: UnixSeconds) -> Result<Self, LoadError> {
        let chain = read_chain(certificate).map_err(LoadError::Certificate)?;
        let leaf = chain.first().ok_or(LoadError::Certificate(TlsError::NoCertificate))?;
        let expires = check_validity(leaf, now).map_err(LoadError::Certificate)?;
        let key = read_key(key).map_err(LoadError::Key)?;
        let config = server_config(chain.clone(), key).map_err(|error| match error {
            rustls::Error::InconsistentKeys(_) => LoadError::Key(TlsError::Mismatch),
            rustls::Error::General(_) => LoadError::Key(TlsError::Unusable(error)),
            _ => LoadError::Certificate(TlsError::Unusable(error)),
        })?;
        Ok(Self { chain, expires, config: Arc::new(config) })
    }

    /// The configuration of TLS handshakes with clients.
    pub(crate) fn config(&self) -> Arc<ServerConfig> {
        self.config.clone()
    }

    /// True if both have the same certificate chain.
    pub(crate) fn has_same_chain(&self, other: &Self) -> bool {
        self.chain == other.chain
    }

    /// The configuration of a TLS client that accepts this certificate and no other, for the relay's own health check.
    ///
    /// # Errors
    /// The error of rustls if its provider does not support the protocol versions.
    pub fn pinned_client(&self) -> Result<rustls::ClientConfig, rustls::Error> {
        let verifier = Arc::new(pinned_certificate::PinnedCertificate::new(self.chain[0].clone()));
        Ok(rustls::ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_protocol_versions(&[&TLS13, &TLS12])?
            .dangerous()
            .with_custom_certificate_verifier(verifier)
            .with_no_client_auth())
    }

    /// The end of the certificate's validity.
    pub(crate) fn expires(&self) -> UnixSeconds {
        self.expires
    }
}

/// Does not print the key.
impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls").field("expires", &self.expires).finish_non_exhaustive()
    }
}

fn read_chain(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    CertificateDer::pem_file_iter(path)
        .and_then(|certificates| certificates.collect::<Result<Vec<_>, _>>())
        .map_err(TlsError::Unreadable)
}

fn read_key(path: &Path) -> Result<PrivateKeyDer<'static>, TlsError> {
    PrivateKeyDer::from_pem_file(path).map_err(|error| match error {
        pem::Error::NoItemsFound => TlsError::NoKey,
        error => TlsError::Unreadable(error),
    })
}

/// Returns the end of a certificate's validity if the certificate is valid `now`.
fn check_validity(certificate: &[u8], now: UnixSeconds) -> Result<UnixSeconds, TlsError> {
    let certificate = x509_cert::Certificate::from_der(certificate).map_err(TlsError::Damaged)?;
    let validity = certificate.tbs_certificate().validity();
    let (from, to) = (validity.not_before.to_date_time(), validity.not_after.to_date_time());
    if now.0 < from.unix_duration().as_secs() {
        return Err(TlsError::NotYetValid(from));
    }
    if now.0 > to.unix_duration().as_secs() {
        return Err(TlsError::Expired(to));
    }
    Ok(UnixSeconds(to.unix_duration().as_secs()))
}

fn server_config(
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
) -> Result<ServerConfig, rustls::Error> {
    let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_protocol_versions(&[&TLS13, &TLS12])?
        .with_no_client_auth()
        .with_single_cert(chain, key)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    // Sessions are resumed with tickets that the client keeps, so the relay stores none.
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.ticketer = ring::Ticketer::new()?;
    Ok(config)
}
