//! The rate and burst of a limit.

/// The parameters of a token bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// The number of events or bytes per second.
    pub per_second: u64,
    /// The number of events or bytes at once, after an idle time.
    pub burst: u64,
}
