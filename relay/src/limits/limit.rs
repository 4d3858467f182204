//! Which limit refused something, and how often each did.

use crate::refused::Refused;
use sealwire_protocol::Code;
use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

/// When somebody may come back who found no place.
const RETRY_AFTER: Duration = Duration::from_secs(5);

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
    /// Subscriptions of an app.
    SubscriptionsPerApp,
    /// Messages a second of an installation.
    Publishes,
    /// Bytes of messages a second of an installation.
    PublishBytes,
    /// Messages a second of an app.
    PublishesPerApp,
    /// Replayed bytes a second of a session.
    ReplaysPerSession,
    /// Replayed bytes a second of an installation.
    Replays,
    /// Requests a second to end sessions, of an app.
    Disconnects,
    /// Frames a second of a connection.
    Frames,
    /// Bytes a second of a connection.
    Bytes,
    /// Memory for another connection, session or subscription.
    Memory,
}

impl Limit {
    /// All of them.
    pub const ALL: [Self; 15] = [
        Self::Connections,
        Self::ConnectionsPerAddress,
        Self::SessionsPerApp,
        Self::SessionsPerInstallation,
        Self::SessionsPerAccount,
        Self::SubscriptionsPerApp,
        Self::Publishes,
        Self::PublishBytes,
        Self::PublishesPerApp,
        Self::ReplaysPerSession,
        Self::Replays,
        Self::Disconnects,
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
            Self::SubscriptionsPerApp => "max_subscriptions_per_app",
            Self::Publishes => "publish_rate",
            Self::PublishBytes => "publish_byte_rate",
            Self::PublishesPerApp => "publish_rate_per_app",
            Self::ReplaysPerSession => "replay_rate_per_session",
            Self::Replays => "replay_rate",
            Self::Disconnects => "disconnect_rate",
            Self::Frames => "frame_rate",
            Self::Bytes => "byte_rate",
            Self::Memory => "memory_bytes",
        }
    }

    /// The error returned to a client or a backend that exceeds the limit.
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
            Self::SubscriptionsPerApp => (
                Code::TooManySubscriptions,
                "the app has as many subscriptions as it may; leave channels first",
            ),
            Self::Publishes => {
                (Code::RateLimited, "the installation publishes more messages a second than it may")
            }
            Self::PublishBytes => {
                (Code::RateLimited, "the installation publishes more bytes a second than it may")
            }
            Self::PublishesPerApp => {
                (Code::RateLimited, "the app publishes more messages a second than it may")
            }
            Self::ReplaysPerSession => {
                (Code::RateLimited, "the session asks for more replayed bytes a second than it may")
            }
            Self::Replays => {
                (Code::RateLimited, "the installation asks for more replayed bytes a second than it may")
            }
            Self::Disconnects => (Code::RateLimited, "the app ends sessions more often than it may"),
            Self::Frames => (Code::RateLimited, "the connection sends more frames a second than it may"),
            Self::Bytes => (Code::RateLimited, "the connection sends more bytes a second than it may"),
            Self::Memory => {
                (Code::Overloaded, "the relay has no memory to spare at the moment; try again later")
            }
        };
        Refused::new(code, message).retry_after(wait.unwrap_or(RETRY_AFTER))
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
