//! The number of a session.

/// The number of a session on this relay. A connection may have several sessions. The numbers grow, so most subscribers are
/// added at the end of a channel's table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SessionId(pub u64);
