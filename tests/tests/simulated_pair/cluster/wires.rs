//! The connections of the relays to the servers. Messages in one direction stay in order; a loss drops those in flight.

use sealwire_protocol::ChannelId;
use std::collections::BTreeSet;

pub(super) const SERVERS: usize = 3;

/// The subscriptions of a relay at a server for one stream.
#[derive(Default)]
pub(super) struct Interest {
    /// The number of the link for which they are.
    pub(super) link: u64,
    pub(super) marks: bool,
    pub(super) channels: BTreeSet<ChannelId>,
}

/// One connection.
#[derive(Default)]
pub(super) struct Wire {
    pub(super) is_open: bool,
    /// True if nothing that is sent arrives any more, although the relay has not noticed.
    pub(super) is_dead: bool,
    /// A number that grows with each loss.
    pub(super) generation: u64,
    pub(super) stalled_until: u64,
    newest: [u64; 2],
    pub(super) interests: Vec<Interest>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    ToServer,
    ToRelay,
}

impl Wire {
    pub(super) fn new(streams: usize) -> Self {
        Self { interests: (0..streams).map(|_| Interest::default()).collect(), ..Self::default() }
    }

    /// Returns the arrival of a message that is sent now.
    pub(super) fn send(&mut self, now: u64, delay_ms: u64, way: Way) -> Option<u64> {
        if !self.is_open || self.is_dead {
            return None;
        }
        let newest = &mut self.newest[way as usize];
        *newest = (*newest).max(now.max(self.stalled_until) + delay_ms);
        Some(*newest)
    }

    pub(super) fn lose(&mut self) {
        self.is_open = false;
        self.generation += 1;
        self.interests.iter_mut().for_each(|interest| *interest = Interest::default());
    }

    pub(super) fn open(&mut self, now: u64) {
        (self.is_open, self.is_dead, self.stalled_until, self.newest) = (true, false, 0, [now; 2]);
    }
}
