//! The phase of the connection, and the figures of one that the relay accepted.

use crate::{ConnectionId, Instant, event::State};
use sealwire_protocol::{limits, wire::Welcome};

const HEARTBEAT_MS: core::ops::RangeInclusive<u32> = 100..=300_000;
/// The heartbeat if the relay announces one outside [`HEARTBEAT_MS`].
const DEFAULT_HEARTBEAT_MS: u32 = 25_000;

/// The phase of the connection. Each waiting phase is named after the awaited input.
pub(crate) enum Phase {
    /// Nothing needs a connection.
    Idle,
    /// The app provides a session.
    AwaitingSession,
    /// The WebSocket opens.
    AwaitingOpen(ConnectionId),
    /// The relay answers `Hello`.
    AwaitingWelcome(ConnectionId),
    /// The relay accepted the session.
    Connected(Connection),
    /// The next attempt is due at a later time.
    AwaitingRetry,
    /// The client was closed.
    Closed,
}

/// A connection that the relay accepted.
pub(crate) struct Connection {
    id: ConnectionId,
    opened_at: Instant,
    last_seen_at: Instant,
    silence_timeout_ms: u64,
    max_frame: usize,
    replay_window_ms: u64,
}

impl Phase {
    /// Returns the id of the current WebSocket, if there is one.
    pub(crate) fn connection_id(&self) -> Option<ConnectionId> {
        match self {
            Self::AwaitingOpen(id) | Self::AwaitingWelcome(id) => Some(*id),
            Self::Connected(connection) => Some(connection.id),
            Self::Idle | Self::AwaitingSession | Self::AwaitingRetry | Self::Closed => None,
        }
    }

    pub(crate) fn is_connected(&self) -> bool {
        matches!(self, Self::Connected(_))
    }

    pub(crate) fn is_closed(&self) -> bool {
        matches!(self, Self::Closed)
    }

    /// Returns the state for the app. `was_connected` says whether an earlier connection was lost.
    pub(crate) fn state(&self, was_connected: bool) -> State {
        match self {
            Self::Idle => State::Idle,
            Self::Connected(_) => State::Connected,
            Self::Closed => State::Closed,
            _ if was_connected => State::Reconnecting,
            _ => State::Connecting,
        }
    }
}

impl Connection {
    /// Creates a connection from the relay's `Welcome`. A frame limit of zero means the protocol's maximum.
    pub(crate) fn new(id: ConnectionId, now: Instant, welcome: &Welcome) -> Self {
        let heartbeat_ms = if HEARTBEAT_MS.contains(&welcome.heartbeat_ms) {
            welcome.heartbeat_ms
        } else {
            DEFAULT_HEARTBEAT_MS
        };
        let max_frame = usize::try_from(welcome.max_frame).unwrap_or(usize::MAX);
        Self {
            id,
            opened_at: now,
            last_seen_at: now,
            silence_timeout_ms: u64::from(heartbeat_ms) * 2,
            max_frame: if max_frame == 0 { limits::MAX_FRAME } else { max_frame },
            replay_window_ms: u64::from(welcome.replay_window_ms),
        }
    }

    /// Records that the relay sent something.
    pub(crate) fn see(&mut self, now: Instant) {
        self.last_seen_at = now;
    }

    pub(crate) fn last_seen_at(&self) -> Instant {
        self.last_seen_at
    }

    /// Returns the instant at which the connection counts as dead if the relay stays silent.
    pub(crate) fn silence_deadline(&self) -> Instant {
        self.last_seen_at.after(self.silence_timeout_ms)
    }

    /// Returns the time since the relay's `Welcome`.
    pub(crate) fn age_ms(&self, now: Instant) -> u64 {
        now.since(self.opened_at)
    }

    /// Returns the maximum number of bytes in a frame to the relay.
    pub(crate) fn max_frame(&self) -> usize {
        self.max_frame
    }

    /// Returns the longest replay that the relay serves.
    pub(crate) fn replay_window_ms(&self) -> u64 {
        self.replay_window_ms
    }
}
