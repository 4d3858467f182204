//! The limits by name, the errors that they return, and the number of refusals of each.

use crate::refused::Refused;
use sealwire_protocol::Code;
use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

/// The retry delay of a limit that cannot tell when it will have room.
const RETRY_AFTER: Duration = Duration::from_secs(5);

/// A limit of the relay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Limit {
    /// All connections of the relay.
    Connections,
    /// The connections of a client address.
    ConnectionsPerAddress,
    /// The sessions of an app.
    SessionsPerApp,
    /// The sessions of an installation.
    SessionsPerInstallation,
    /// The sessions of an account.
    SessionsPerAccount,
    /// The subscriptions of an app.
    SubscriptionsPerApp,
    /// The messages per second of an installation.
    Publishes,
    /// The bytes of messages per second of an installation.
    PublishBytes,
    /// The messages per second of an app.
    PublishesPerApp,
    /// The replayed bytes per second of a session.
    ReplaysPerSession,
    /// The replayed bytes per second of an installation.
    Replays,
    /// The requests per second of an app to end sessions.
    Disconnects,
    /// The frames per second of a connection.
    Frames,
    /// The bytes per second of a connection.
    Bytes,
    /// The members of a channel's presence.
    PresenceMembers,
    /// The members of one account in a channel's presence.
    PresenceMembersPerAccount,
    /// The bytes of the entries of a channel's presence.
    PresenceBytes,
    /// The bytes of a sealed entry.
    PresenceEntryBytes,
    /// The channels with presence of a session.
    PresenceChannels,
    /// The requests per second of a session to enter or watch a presence.
    PresenceRate,
    /// The memory for another connection, session or subscription.
    Memory,
}

impl Limit {
    /// All limits.
    pub const ALL: [Self; 21] = [
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
        Self::PresenceMembers,
        Self::PresenceMembersPerAccount,
        Self::PresenceBytes,
        Self::PresenceEntryBytes,
        Self::PresenceChannels,
        Self::PresenceRate,
        Self::Memory,
    ];

    /// Returns the name of the setting, which is also the label in metrics.
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
            Self::PresenceMembers => "max_presence_members",
            Self::PresenceMembersPerAccount => "max_presence_members_per_account",
            Self::PresenceBytes => "max_presence_bytes",
            Self::PresenceEntryBytes => "max_presence_entry_bytes",
            Self::PresenceChannels => "max_presence_channels",
            Self::PresenceRate => "presence_rate",
            Self::Memory => "memory_bytes",
        }
    }

    /// Returns the error for a client or backend that exceeded the limit.
    pub(super) fn refused(self, wait: Option<Duration>) -> Refused {
        let (code, message) = match self {
            Self::Connections => (Code::Overloaded, "connection limit of the relay reached"),
            Self::ConnectionsPerAddress => {
                (Code::TooManyConnections, "connection limit of the client's address reached")
            }
            Self::SessionsPerApp => (Code::TooManyConnections, "session limit of the app reached"),
            Self::SessionsPerInstallation => {
                (Code::TooManyConnections, "session limit of the installation reached")
            }
            Self::SessionsPerAccount => (Code::TooManyConnections, "session limit of the account reached"),
            Self::SubscriptionsPerApp => {
                (Code::TooManySubscriptions, "subscription limit of the app reached")
            }
            Self::Publishes => (Code::RateLimited, "publish rate limit of the installation exceeded"),
            Self::PublishBytes => {
                (Code::RateLimited, "publish rate limit of the installation in bytes exceeded")
            }
            Self::PublishesPerApp => (Code::RateLimited, "publish rate limit of the app exceeded"),
            Self::ReplaysPerSession => (Code::RateLimited, "replay rate limit of the session exceeded"),
            Self::Replays => (Code::RateLimited, "replay rate limit of the installation exceeded"),
            Self::Disconnects => (Code::RateLimited, "disconnect rate limit of the app exceeded"),
            Self::Frames => (Code::RateLimited, "frame rate limit of the connection exceeded"),
            Self::Bytes => (Code::RateLimited, "byte rate limit of the connection exceeded"),
            Self::PresenceMembers => (Code::TooManyMembers, "member limit of the channel's presence reached"),
            Self::PresenceMembersPerAccount => {
                (Code::TooManyMembers, "limit of the account's members in the channel's presence reached")
            }
            Self::PresenceBytes => (Code::TooManyMembers, "byte limit of the channel's presence reached"),
            Self::PresenceEntryBytes => (Code::MessageSize, "the sealed entry is longer than the limit"),
            Self::PresenceChannels => {
                (Code::TooManyPresences, "limit of the session's channels with presence reached")
            }
            Self::PresenceRate => (Code::RateLimited, "presence rate limit of the session exceeded"),
            Self::Memory => (Code::Overloaded, "the relay's memory is nearly used up"),
        };
        let advice = match self {
            Self::SessionsPerAccount | Self::PresenceMembersPerAccount => "; close other pages",
            Self::SubscriptionsPerApp => "; unsubscribe from channels first",
            Self::PresenceEntryBytes => "; enter with less data",
            Self::PresenceChannels => "; leave and stop watching another channel first",
            Self::Memory | Self::PresenceMembers | Self::PresenceBytes => "; try again later",
            _ => "",
        };
        let message = format!("{message} (`{}`){advice}", self.name());
        let refused = Refused::new(code, message);
        match self {
            // The same request fails until the client changes it or something else.
            Self::PresenceEntryBytes | Self::PresenceChannels => refused,
            _ => refused.retry_after(wait.unwrap_or(RETRY_AFTER)),
        }
    }
}

/// The number of refusals of each limit.
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
