//! Opens the two listeners of a relay: the one for clients and the one for operators.

use crate::{
    config::Config,
    listener::{Endpoint, Listener, net},
    settings::Listen,
};
use std::{io, net::SocketAddr};
use tokio::net::TcpListener;

/// The error of starting a relay.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The relay cannot listen on an address.
    #[error(
        "cannot listen on {address}: {source}; check that no other process uses it, and that an IP address is one of this \
         machine's"
    )]
    Listen {
        /// The configured address.
        address: Listen,
        /// The system's error.
        source: io::Error,
    },
    /// systemd passed a socket that other machines can reach, and the relay would serve plain text on it.
    #[error(
        "systemd passed a socket on {0}, which other machines can reach, and the relay has no certificate; set \
         tls_certificate and tls_key, or set proxy_terminates_tls = true if a proxy in front terminates TLS"
    )]
    PlainText(SocketAddr),
    /// The address of a server of the broker is not valid.
    #[error("{0}")]
    Broker(String),
    /// The system returned no random bytes.
    #[error("the system returned no random bytes: {0}")]
    Random(getrandom::Error),
}

/// Opens the listener for clients.
pub(super) async fn clients(config: &Config) -> Result<(Listener, Endpoint), StartError> {
    let settings = &config.settings;
    let failed = |source| StartError::Listen { address: settings.listen.clone(), source };
    let listener = Listener::open(&settings.listen, settings.socket_mode).await.map_err(failed)?;
    let endpoint = listener.endpoint(config.tls.is_some()).map_err(failed)?;
    // An address in the configuration was checked when it was read; the address of a socket from systemd is known only now.
    if let Endpoint::Tcp { address, tls: false } = endpoint
        && !address.ip().is_loopback()
        && !settings.proxy_terminates_tls
    {
        return Err(StartError::PlainText(address));
    }
    Ok((listener, endpoint))
}

/// Opens the listener for operators, if one is configured.
pub(super) async fn operators(config: &Config) -> Result<Option<(TcpListener, SocketAddr)>, StartError> {
    let Some(address) = config.settings.admin_listen else { return Ok(None) };
    let failed = |source| StartError::Listen { address: address.into(), source };
    let listener = TcpListener::bind(address).await.map_err(failed)?;
    net::prepare(&listener).map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    Ok(Some((listener, address)))
}
