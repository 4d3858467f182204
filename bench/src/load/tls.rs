//! The client's side of TLS for the load generator, which trusts the authority of the measured relay alone.

use anyhow::{Context as _, Result};
use rustls::{
    ClientConfig, ClientConnection, RootCertStore,
    crypto::ring,
    pki_types::{CertificateDer, ServerName, pem::PemObject as _},
};
use sealwire_tests::Certificates;
use std::{net::Ipv4Addr, sync::Arc};

/// Returns the configuration of all connections. They do not resume sessions.
pub(crate) fn client_config(certificates: &Certificates) -> Result<Arc<ClientConfig>> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(&certificates.authority)?)?;
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots);
    let mut config = config.with_no_client_auth();
    config.resumption = rustls::client::Resumption::disabled();
    Ok(Arc::new(config))
}

/// Returns a session whose handshake has not begun.
pub(super) fn session(config: &Arc<ClientConfig>) -> Result<ClientConnection> {
    let name = ServerName::from(std::net::IpAddr::from(Ipv4Addr::LOCALHOST));
    ClientConnection::new(config.clone(), name).context("cannot begin a TLS session")
}
