//! The id of a session, unique within one run of a relay.

/// Identifies a session within one run of a relay. A connection may carry several sessions. Ids increase, so most
/// subscribers are appended to the end of a channel's sorted table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SessionId(pub u64);
