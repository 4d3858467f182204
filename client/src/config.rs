//! What a client can be told about its own patience and memory.

/// Durations in milliseconds.
#[derive(Clone, Copy, Debug)]
pub struct Config {
    /// The time that the relay has to answer one request, and to open a connection.
    pub request_timeout_ms: u64,
    /// The whole wait of a publish, unless the call sets its own limit.
    pub publish_timeout_ms: u64,
    /// How long the connection stays open once nothing needs it.
    pub idle_close_ms: u64,
    /// How long the app may take to provide a session.
    pub session_timeout_ms: u64,
    /// Most publications that wait for the relay's acknowledgement.
    pub max_pending_publishes: usize,
    /// Most bytes of payload in them.
    pub max_pending_bytes: usize,
    /// From how many sealed bytes on a message is opened by the platform ([`crate::Event::NeedOpening`]); where it is none,
    /// all are opened here.
    pub opens_elsewhere_from: Option<usize>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            request_timeout_ms: 10_000,
            publish_timeout_ms: 120_000,
            idle_close_ms: 5_000,
            session_timeout_ms: 30_000,
            max_pending_publishes: 128,
            max_pending_bytes: 4 * 1024 * 1024,
            opens_elsewhere_from: None,
        }
    }
}
