//! The faults that a proxy can show, and its orders to its connections.

use std::{net::SocketAddr, time::Duration};

/// The treatment of bytes and connections by a [`crate::FaultProxy`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Fault {
    /// Everything passes.
    #[default]
    None,
    /// New connections are reset at once. Established ones are not affected.
    Refuse,
    /// Connections stay open, and no byte moves.
    Stall,
    /// Each byte arrives this much later, in both directions.
    Delay(Duration),
    /// At most this many bytes per second pass in each direction of a connection.
    Limit(u32),
}

/// The orders to every connection of a proxy.
#[derive(Clone, Copy)]
pub(super) struct Control {
    pub(super) fault: Fault,
    pub(super) target: SocketAddr,
    /// The number of cuts so far. A connection ends when it changes.
    pub(super) cuts: u64,
}
