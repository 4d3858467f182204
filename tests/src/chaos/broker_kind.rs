//! The brokers that a run can have.

/// The broker of the relays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BrokerKind {
    /// One relay with the embedded broker.
    Embedded,
    /// A NATS cluster of three servers.
    Nats {
        /// The number of relays.
        relays: usize,
    },
    /// A NATS cluster of three servers, each process on a host of its own; see [`crate::hosts::enter`].
    NatsOnHosts {
        /// The number of relays.
        relays: usize,
    },
}
