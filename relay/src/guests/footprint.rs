//! The bytes that a connection takes while it speaks HTTP; measured, and rounded up.

/// A connection that has sent nothing or little: its task and the buffers of HTTP.
const PLAIN: usize = 19 * 1024;
/// The same with a session of TLS.
const TLS: usize = 31 * 1024;
/// Copies of each byte of a request's head: in the buffer, in the table of headers, and in a copy of that table.
const COPIES: usize = 3;
/// The most that a connection grows by its requests: heads are bounded, and bodies are counted by their readers.
const MAX_GROWTH: usize = 64 * 1024;

/// The protection of a connection.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Protection {
    Plain,
    Tls,
}

impl Protection {
    pub(super) fn of(tls: bool) -> Self {
        if tls { Self::Tls } else { Self::Plain }
    }

    /// Bytes of a connection on which nothing or little was read.
    pub(super) fn idle(self) -> usize {
        match self {
            Self::Plain => PLAIN,
            Self::Tls => TLS,
        }
    }

    /// Bytes of a connection on which so many bytes were read since the last answer.
    pub(super) fn after(self, read: usize) -> usize {
        self.idle() + MAX_GROWTH.min(COPIES.saturating_mul(read))
    }
}
