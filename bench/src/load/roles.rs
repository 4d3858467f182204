//! The vocabulary that the connections and the dialects of the load generator share.

/// The purpose of a connection, with the number of its channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    Subscriber(u32),
    Publisher(u32),
    /// Subscribes to many channels of the relay. The order of messages is not checked.
    Listener,
}

/// A message that reached a subscriber.
pub(crate) struct Delivery {
    /// The channel of a [`Role::Subscriber`]; 0 for a [`Role::Listener`].
    pub(crate) channel: u32,
    /// The number of the message within its channel; for a [`Role::Listener`], the number among all messages.
    pub(crate) sequence: u64,
}
