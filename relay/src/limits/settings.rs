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
    /// Messages that one installation publishes, over WebSocket and HTTP together.
    pub publishes: Rate,
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
    /// How long the head of an HTTP request may take, and how long a connection may stay without one.
    pub head_timeout: Duration,
    /// Most bytes of the head of an HTTP request, its first line included.
    pub head_bytes: usize,
    /// How long the body of an HTTP request may take.
    pub body_timeout: Duration,
    /// Longest time in which a client may read nothing of an answer over HTTP that waits for it.
    pub write_timeout: Duration,
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
            publishes: Rate { per_second: 1_000, burst: 2_000 },
            // At once, a page whose gadgets share a connection may subscribe anew to everything it had.
            frames: Rate { per_second: 1_000, burst: 20_000 },
            bytes: Rate { per_second: 16 * MIB, burst: 64 * MIB },
            allowed_origins: AllowedOrigins::default(),
            memory_bytes: 1024 * 1024 * 1024,
            idle_timeout: Duration::from_secs(10 * 60),
            head_timeout: Duration::from_secs(10),
            head_bytes: 16 * 1024,
            body_timeout: Duration::from_secs(20),
            write_timeout: Duration::from_secs(20),
        }
    }
}
