//! The memory of an HTTP connection in bytes; measured and rounded up.

/// The bytes of a connection that has sent little: its task and the buffers of HTTP.
const PLAIN: usize = 19 * 1024;
/// The bytes of such a connection with a TLS session.
const TLS: usize = 28 * 1024;
/// The number of copies of each byte of a request's head: in the buffer, in the header map, and in a copy of that map.
const COPIES: usize = 3;
/// The maximum bytes by which requests make a connection grow. Heads are bounded, and the readers of bodies account
/// them.
const MAX_GROWTH: usize = 64 * 1024;

/// The transport protection of a connection: none or TLS.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Protection {
    Plain,
    Tls,
}

impl Protection {
    pub(super) fn of(tls: bool) -> Self {
        if tls { Self::Tls } else { Self::Plain }
    }

    /// Returns the bytes of a connection on which little was read.
    pub(super) fn idle(self) -> usize {
        match self {
            Self::Plain => PLAIN,
            Self::Tls => TLS,
        }
    }

    /// Returns the bytes of a connection on which `read` bytes were read since the last response.
    pub(super) fn after(self, read: usize) -> usize {
        self.idle() + MAX_GROWTH.min(COPIES.saturating_mul(read))
    }
}
