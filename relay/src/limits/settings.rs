//! What a relay allows, and what it allows where nobody says otherwise.

use super::{AllowedOrigins, Rate};
use sealwire_protocol::limits;
use std::time::Duration;

/// Every limit that an operator can set. Swapped as a whole while the relay runs; what was let in before stays.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LimitSettings {
    /// Most connections, of any kind.
    pub max_connections: usize,
    /// Most connections of one client address; of IPv6, of one /64 network.
    pub max_connections_per_address: usize,
    /// Most sessions of one app. Several sessions may share a connection.
    pub max_sessions_per_app: usize,
    /// Most sessions of one installation of an app.
    pub max_sessions_per_installation: usize,
    /// Most sessions of one account in one installation.
    pub max_sessions_per_account: usize,
    /// Most subscriptions of one session.
    pub max_subscriptions: usize,
    /// Most subscriptions of all sessions of one app.
    pub max_subscriptions_per_app: usize,
    /// Messages that one installation publishes, over WebSocket and HTTP together.
    pub publishes: Rate,
    /// Bytes of these messages, as they are sealed, where they do not follow from the messages.
    pub publish_bytes: Given,
    /// Messages that all installations of one app publish, where they do not follow from those of one installation.
    pub app_publishes: Given,
    /// Bytes of messages that are replayed to the sessions of one installation.
    pub replays: Rate,
    /// Bytes of messages that are replayed to one session.
    pub session_replays: Rate,
    /// Requests of one app to end sessions.
    pub disconnects: Rate,
    /// WebSocket frames that one connection sends.
    pub frames: Rate,
    /// Bytes that one connection sends.
    pub bytes: Rate,
    /// Whose pages may use the relay.
    pub allowed_origins: AllowedOrigins,
    /// Most bytes that everything together takes which grows with what clients do.
    pub memory_bytes: usize,
    /// How long a session may go on without a subscription and without a request.
    pub idle_timeout: Duration,
    /// How long the head of an HTTP request may take, and how long a connection may stay without any.
    pub head_timeout: Duration,
    /// The longest time of a connection between two HTTP requests.
    pub keep_alive: Duration,
    /// Most bytes of the head of an HTTP request, its first line included.
    pub head_bytes: usize,
    /// How long the body of an HTTP request may take.
    pub body_timeout: Duration,
    /// Longest time in which a client may read nothing of an answer over HTTP that waits for it.
    pub write_timeout: Duration,
}

/// A rate as far as the operator gives it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Given {
    /// The rate in every second.
    pub per_second: Option<u64>,
    /// The rate at once.
    pub burst: Option<u64>,
}

impl LimitSettings {
    /// Bytes of messages that one installation publishes: 16 KiB for each message a second, and 64 KiB for each at once,
    /// unless the operator gives others.
    #[must_use]
    pub fn publish_bytes(&self) -> Rate {
        const KIB: u64 = 1024;
        let Rate { per_second, burst } = self.publishes;
        Rate {
            per_second: self.publish_bytes.per_second.unwrap_or(per_second.saturating_mul(16 * KIB)),
            burst: self.publish_bytes.burst.unwrap_or(burst.saturating_mul(64 * KIB)),
        }
    }

    /// Messages that one app publishes: those of ten installations, unless the operator gives others.
    #[must_use]
    pub fn app_publishes(&self) -> Rate {
        let Rate { per_second, burst } = self.publishes;
        Rate {
            per_second: self.app_publishes.per_second.unwrap_or(per_second.saturating_mul(10)),
            burst: self.app_publishes.burst.unwrap_or(burst.saturating_mul(10)),
        }
    }
}

impl Default for LimitSettings {
    fn default() -> Self {
        const MIB: u64 = 1024 * 1024;
        Self {
            max_connections: 100_000,
            // A company's users often share one.
            max_connections_per_address: 5_000,
            max_sessions_per_app: 100_000,
            max_sessions_per_installation: 50_000,
            max_sessions_per_account: 500,
            max_subscriptions: limits::MAX_SUBSCRIPTIONS,
            max_subscriptions_per_app: 1_000_000,
            publishes: Rate { per_second: 1_000, burst: 2_000 },
            publish_bytes: Given::default(),
            app_publishes: Given::default(),
            // After a network cut, a thousand pages resume from a MiB each at once.
            replays: Rate { per_second: 64 * MIB, burst: 1024 * MIB },
            session_replays: Rate { per_second: 8 * MIB, burst: 64 * MIB },
            disconnects: Rate { per_second: 20, burst: 200 },
            // At once, a page whose gadgets share a connection may subscribe anew to everything it had.
            frames: Rate { per_second: 1_000, burst: 20_000 },
            bytes: Rate { per_second: 16 * MIB, burst: 64 * MIB },
            allowed_origins: AllowedOrigins::default(),
            memory_bytes: 1024 * 1024 * 1024,
            idle_timeout: Duration::from_secs(10 * 60),
            head_timeout: Duration::from_secs(10),
            // Longer than load balancers keep an idle connection: 60 s in most of them, 120 s in Caddy.
            keep_alive: Duration::from_secs(130),
            head_bytes: 16 * 1024,
            body_timeout: Duration::from_secs(20),
            write_timeout: Duration::from_secs(20),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_that_are_not_given_follow_from_the_messages_of_an_installation() {
        let mut settings =
            LimitSettings { publishes: Rate { per_second: 10, burst: 100 }, ..Default::default() };
        assert_eq!(settings.publish_bytes(), Rate { per_second: 160 << 10, burst: 6400 << 10 });
        assert_eq!(settings.app_publishes(), Rate { per_second: 100, burst: 1000 });
        settings.publish_bytes.burst = Some(7);
        settings.app_publishes.per_second = Some(8);
        assert_eq!(settings.publish_bytes(), Rate { per_second: 160 << 10, burst: 7 });
        assert_eq!(settings.app_publishes(), Rate { per_second: 8, burst: 1000 });
        // The longest batch always fits.
        let least = LimitSettings { publishes: Rate { per_second: 1, burst: 100 }, ..Default::default() };
        assert!(least.publish_bytes().burst >= limits::MAX_BODY as u64);
    }
}
