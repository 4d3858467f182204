//! The vocabulary that the connections and the dialects of the load generator share.

/// The purpose of a connection, with the number of its channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    Subscriber(u32),
    Publisher(u32),
}

/// A message that reached a subscriber.
pub(crate) struct Delivery {
    pub(crate) channel: u32,
    /// The number of the message within its channel.
    pub(crate) sequence: u64,
}
