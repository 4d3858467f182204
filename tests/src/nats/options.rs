//! The options of a NATS cluster.

use crate::hosts::Host;
use std::sync::Arc;

/// The options of a [`crate::NatsCluster`]. By default everybody may connect, in plain text.
#[derive(Clone, Default)]
pub struct NatsOptions {
    /// Servers require TLS of clients, with a certificate for 127.0.0.1 of an authority of their own
    /// ([`crate::NatsCluster::certificates`]).
    pub tls: bool,
    /// Servers require a certificate of the same authority of their clients. Implies [`Self::tls`].
    pub client_certificates: bool,
    /// The users. Without any, clients need no password.
    pub users: Vec<NatsUser>,
    /// The servers connect to each other directly, without the proxies that [`crate::NatsCluster::isolate`] and
    /// [`crate::NatsCluster::cut_routes`] need, and so at full speed.
    pub direct_routes: bool,
    /// The hosts of the servers; without any, all servers are on 127.0.0.1. Servers on hosts connect to each other directly.
    pub hosts: Vec<Arc<Host>>,
    /// The password that servers require of each other; without one, any server may join.
    pub route_password: Option<String>,
    /// Further lines of each server's configuration.
    pub settings: String,
}

/// A user of a NATS cluster.
#[derive(Clone, Debug, Default)]
pub struct NatsUser {
    /// The name.
    pub name: String,
    /// The password.
    pub password: String,
    /// The subjects that the user may publish to; `None` permits all.
    pub publish: Option<Vec<String>>,
    /// The subjects that the user may subscribe to; `None` permits all.
    pub subscribe: Option<Vec<String>>,
}

impl NatsUser {
    /// Creates a user who may do everything.
    #[must_use]
    pub fn new(name: &str, password: &str) -> Self {
        Self { name: name.into(), password: password.into(), ..Self::default() }
    }
}
