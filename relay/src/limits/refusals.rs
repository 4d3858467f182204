//! Which limit refused something, and how often each did.

use crate::access::Refused;
use sealwire_protocol::Code;
use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

/// When somebody may come back who found no place.
const COME_BACK: Duration = Duration::from_secs(5);

/// A limit that something can run into.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Limit {
    /// Connections in all.
    Connections,
    /// Connections of a client address.
    ConnectionsPerAddress,
    /// Sessions of an app.
    SessionsPerApp,
    /// Sessions of an installation.
    SessionsPerInstallation,
    /// Sessions of an account.
    SessionsPerAccount,
    /// Messages a second of an installation.
    Publishes,
    /// Frames a second of a connection.
    Frames,
    /// Bytes a second of a connection.
    Bytes,
    /// Memory for another connection, session or subscription.
    Memory,
}

impl Limit {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::Connections,
        Self::ConnectionsPerAddress,
        Self::SessionsPerApp,
        Self::SessionsPerInstallation,
        Self::SessionsPerAccount,
        Self::Publishes,
        Self::Frames,
        Self::Bytes,
        Self::Memory,
    ];

    /// For metrics: the setting that it is.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Connections => "max_connections",
            Self::ConnectionsPerAddress => "max_connections_per_address",
            Self::SessionsPerApp => "max_sessions_per_app",
            Self::SessionsPerInstallation => "max_sessions_per_installation",
            Self::SessionsPerAccount => "max_sessions_per_account",
            Self::Publishes => "publish_rate",
            Self::Frames => "frame_rate",
            Self::Bytes => "byte_rate",
            Self::Memory => "memory_bytes",
        }
    }

    /// The error returned to a client that exceeded this limit.
    pub(super) fn refused(self, wait: Option<Duration>) -> Refused {
        let (code, message) = match self {
            Self::Connections => (Code::Overloaded, "the relay has as many connections as it may"),
            Self::ConnectionsPerAddress => {
                (Code::TooManyConnections, "the client's address has as many connections as it may")
            }
            Self::SessionsPerApp => (Code::TooManyConnections, "the app has as many sessions as it may"),
            Self::SessionsPerInstallation => {
                (Code::TooManyConnections, "the installation has as many sessions as it may")
            }
            Self::SessionsPerAccount => {
                (Code::TooManyConnections, "the account has as many sessions as it may; close some pages")
            }
            Self::Publishes => {
                (Code::RateLimited, "the installation publishes more messages a second than it may")
            }
            Self::Frames => (Code::RateLimited, "the connection sends more frames a second than it may"),
            Self::Bytes => (Code::RateLimited, "the connection sends more bytes a second than it may"),
            Self::Memory => {
                (Code::Overloaded, "the relay has no memory to spare at the moment; try again later")
            }
        };
        Refused::new(code, message).retry_after(wait.unwrap_or(COME_BACK))
    }
}

/// How often each limit refused something.
#[derive(Debug, Default)]
pub(super) struct Refusals([AtomicU64; Limit::ALL.len()]);

impl Refusals {
    pub(super) fn count(&self, limit: Limit) {
        self.0[limit as usize].fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn of(&self, limit: Limit) -> u64 {
        self.0[limit as usize].load(Ordering::Relaxed)
    }
}
