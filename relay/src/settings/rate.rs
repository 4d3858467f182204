//! A number of events a second, and at once.

/// The rate of a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// The number in every second.
    pub per_second: u64,
    /// The number at once, after a quiet while.
    pub burst: u64,
}
