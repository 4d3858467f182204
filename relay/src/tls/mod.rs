//! What the relay shows its clients in TLS: a certificate with its key, read from PEM files and checked before use.

mod own_client;

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

/// Why a certificate cannot be used. Names files, never what is in a key.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum TlsError {
    #[error("cannot be read: {0}")]
    Unreadable(pem::Error),
    #[error(
        "holds no certificate; give the file with the whole chain in PEM, the server's own certificate first"
    )]
    NoCertificate,
    #[error(
        "holds no private key in PEM (PKCS #8, PKCS #1 or SEC 1); a key that is encrypted with a password must be decrypted first"
    )]
    NoKey,
    #[error("the first certificate is damaged: {0}")]
    Damaged(x509_cert::der::Error),
    #[error("the certificate expired on {0}; renew it")]
    Expired(x509_cert::der::DateTime),
    #[error("the certificate is valid from {0} on; is the clock right?")]
    NotYetValid(x509_cert::der::DateTime),
    #[error("the private key is not the one of the certificate")]
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

/// Whether it is the certificate's file or the key's that an error is about.
pub(crate) enum LoadError {
    Certificate(TlsError),
    Key(TlsError),
}

impl Tls {
    /// Reads a chain of certificates and the key of the first one.
    pub(crate) fn load(certificate: &Path, key: &Path, now: UnixSeconds) -> Result<Self, LoadError> {
        let chain = read_chain(certificate).map_err(LoadError::Certificate)?;
        let own = chain.first().ok_or(LoadError::Certificate(TlsError::NoCertificate))?;
        let expires = check_validity(own, now).map_err(LoadError::Certificate)?;
        let key = read_key(key).map_err(LoadError::Key)?;
        let config = server_config(chain.clone(), key).map_err(|error| match error {
            rustls::Error::InconsistentKeys(_) => LoadError::Key(TlsError::Mismatch),
            rustls::Error::General(_) => LoadError::Key(TlsError::Unusable(error)),
            _ => LoadError::Certificate(TlsError::Unusable(error)),
        })?;
        Ok(Self { chain, expires, config: Arc::new(config) })
    }

    /// What handshakes are made with.
    pub(crate) fn config(&self) -> Arc<ServerConfig> {
        self.config.clone()
    }

    /// Whether clients could not tell them apart.
    pub(crate) fn shows_the_same_as(&self, other: &Self) -> bool {
        self.chain == other.chain
    }

    /// What a client needs that believes this certificate and no other: the relay's own health check.
    ///
    /// # Errors
    /// Where the system has no randomness.
    pub fn own_client(&self) -> Result<rustls::ClientConfig, rustls::Error> {
        let own = Arc::new(own_client::OnlyThis::new(self.chain[0].clone()));
        Ok(rustls::ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_protocol_versions(&[&TLS13, &TLS12])?
            .dangerous()
            .with_custom_certificate_verifier(own)
            .with_no_client_auth())
    }

    /// The end of its validity.
    pub(crate) fn expires(&self) -> UnixSeconds {
        self.expires
    }
}

/// Without the key.
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

/// The end of a certificate's validity, if `now` lies within it.
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
    // Sessions are resumed with what the client keeps; nothing of them is kept here.
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.ticketer = ring::Ticketer::new()?;
    Ok(config)
}
