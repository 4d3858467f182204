//! The phases of a follower.

use super::{Mark, RequestId, ResetReason, StoredPublication};
use sealwire_protocol::UnixMillis;

#[derive(Default)]
pub(super) enum Phase {
    /// There is no connection to the leader.
    #[default]
    Unlinked,
    /// The marks of the stream's newest epoch are being looked for.
    FindingMarks { request: RequestId, purpose: Purpose },
    /// The stream is being read again. Messages that arrive meanwhile wait.
    Resyncing {
        request: RequestId,
        /// A mark that was stored after this relay learned all that it knows. A stream that has it, and lacks anything that
        /// the relay knows, lost messages.
        witness: Option<Mark>,
        /// The publications that were acknowledged to this relay before the request.
        receipts: Vec<(u64, UnixMillis)>,
        arrived: Vec<Arrival>,
    },
    /// Messages are taken as they arrive. A request for the stream's state may be under way, to prove a mark.
    Following { proof: Option<Proof> },
}

/// A mark that arrived, and the request for the stream's state that proves it.
#[derive(Clone, Copy)]
pub(super) struct Proof {
    pub(super) request: RequestId,
    pub(super) mark: Mark,
    /// The highest sequence of a publication that was appended before the request.
    pub(super) highest: u64,
}

/// The reason for looking for the marks of the newest epoch.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// Nothing is known of the stream.
    Start,
    /// The leader lacks something that is known. It may be a former leader, or the contents may have lost messages.
    Witness,
    /// The subscriptions of the stream end.
    Reset(ResetReason),
}

/// A message that arrived, with the sequence of the message before it on its subject.
pub(super) enum Arrival {
    Publication(StoredPublication, u64),
    Mark(Mark, u64),
}
