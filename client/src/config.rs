//! The timeouts and limits of a client, set by the shell that creates it.

/// Timeouts and limits of a client. Durations are in milliseconds.
#[derive(Clone, Copy, Debug)]
pub struct Config {
    /// The time that the relay has to answer a request, and to accept a connection. Default: 10,000.
    pub request_timeout_ms: u64,
    /// The time after which a publish fails, unless the call sets its own limit. Default: 120,000.
    pub publish_timeout_ms: u64,
    /// The time that an unused connection stays open. Default: 5,000.
    pub idle_close_ms: u64,
    /// The time that the app has to provide a session or a channel token. Default: 30,000.
    pub session_timeout_ms: u64,
    /// The maximum number of publications that wait for the relay's acknowledgement. Default: 128.
    pub max_pending_publishes: usize,
    /// The maximum number of payload bytes in those publications. Default: 4 MiB.
    pub max_pending_bytes: usize,
    /// The size in sealed bytes from which the host decrypts a message ([`crate::Event::DecryptRequested`]). The client
    /// decrypts smaller messages itself, and all messages if this is `None`, the default.
    pub host_decrypt_threshold: Option<usize>,
    /// True if the host verifies signatures ([`crate::Event::VerifyRequested`]). Otherwise no message has a verified author.
    /// Default: false.
    pub verifies_signatures: bool,
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
            host_decrypt_threshold: None,
            verifies_signatures: false,
        }
    }
}
