//! The messages that a follower exchanges with its driver.

use crate::{
    hub::{ContentDigest, Publication, Replay},
    tenant::Tenant,
    trace_context::TraceContext,
};
use bytes::Bytes;
use sealwire_protocol::{ChannelId, UnixMillis, wire::Position};
use std::sync::Arc;

/// The number of a request to the stream's leader. Its answer carries the same number.
pub type RequestId = u64;
/// The number of a subscription that waits for its answer.
pub type Ticket = u64;

/// A publication as the stream holds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredPublication {
    /// The sequence in the stream, which is the publication's offset.
    pub sequence: u64,
    /// The channel.
    pub channel: ChannelId,
    /// The time at which a relay accepted the publication.
    pub time: UnixMillis,
    /// The time at which the stream stored the publication, by the clock of the NATS server.
    pub stored_at: UnixMillis,
    /// The event name.
    pub event: String,
    /// The sealed message.
    pub sealed: Bytes,
    /// The digest of the content, if its sender named one.
    pub content: Option<ContentDigest>,
    /// The span that published it, if it belongs to a recorded trace.
    pub trace: Option<Box<TraceContext>>,
}

/// A mark: a message without content that a relay writes once a second. It carries the stream's epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    /// The sequence in the stream.
    pub sequence: u64,
    /// The epoch of the stream's contents.
    pub epoch: u64,
    /// The time at which a relay wrote the mark.
    pub time: UnixMillis,
}

impl Mark {
    /// Returns the position of the mark.
    #[must_use]
    pub fn position(&self) -> Position {
        Position { epoch: self.epoch, offset: self.sequence, time_ms: self.time.0 }
    }
}

/// The marks of the newest epoch in a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EpochMarks {
    /// The oldest one. Contents before it may be of another epoch.
    pub oldest: Mark,
    /// The newest one.
    pub newest: Mark,
}

/// A message of the stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entry {
    /// A publication.
    Publication(StoredPublication),
    /// A mark.
    Mark(Mark),
    /// A message that is neither. Its sequence counts.
    Unknown(u64),
}

impl Entry {
    /// Returns the sequence.
    #[must_use]
    pub fn sequence(&self) -> u64 {
        match self {
            Self::Publication(publication) => publication.sequence,
            Self::Mark(mark) => mark.sequence,
            Self::Unknown(sequence) => *sequence,
        }
    }

    /// Returns the time that the relay which wrote the message noted in it.
    #[must_use]
    pub fn time(&self) -> Option<UnixMillis> {
        match self {
            Self::Publication(publication) => Some(publication.time),
            Self::Mark(mark) => Some(mark.time),
            Self::Unknown(_) => None,
        }
    }
}

/// The leader of a stream, for one term.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Leader {
    /// The name of the server.
    pub server: String,
    /// The start of its term, as the server states it.
    pub since: String,
}

impl Leader {
    /// Returns whether this term began before another one.
    #[must_use]
    pub fn is_before(&self, other: &Self) -> bool {
        // The texts have different numbers of digits, so they cannot be compared as texts.
        let start = |leader: &Self| async_nats::datetime::parse_rfc3339(&leader.since).ok();
        start(self) < start(other)
    }
}

/// The state of a stream, as its leader states it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreamInfo {
    /// The leader.
    pub leader: Leader,
    /// The sequence of the oldest message; one more than `last` if there is none.
    pub first: u64,
    /// The sequence of the newest message, or of the last one that was removed.
    pub last: u64,
    /// The time at which the oldest message was stored.
    pub first_at: UnixMillis,
    /// The number of messages that were removed between the oldest and the newest one.
    pub deleted: u64,
    /// The time of this answer, by the clock of the NATS server.
    pub now: UnixMillis,
}

/// An action for the driver.
#[derive(Debug)]
pub enum FollowerAction {
    /// Listens to the publications of a channel. The driver does this before every later action.
    Watch(ChannelId),
    /// Stops to listen to a channel.
    Unwatch(ChannelId),
    /// Asks for the marks of the newest epoch; see [`Follower::marks_found`](super::Follower::marks_found).
    FindMarks(RequestId),
    /// Writes a mark after the newest one, waits until it is stored, and then asks for the marks of the newest epoch. A
    /// leader without a majority cannot store it. The mark has a random epoch if there is none, or if the newest one has the
    /// epoch `replaces`; otherwise it continues the newest epoch.
    RenewMark {
        /// The number of the request.
        request: RequestId,
        /// The epoch of contents that lost messages.
        replaces: Option<u64>,
    },
    /// Writes the next mark as soon as possible instead of a second after the last one.
    HastenMark,
    /// Reads every message from a sequence on, and then the state of the stream; see
    /// [`Follower::stream_read`](super::Follower::stream_read).
    ReadStream {
        /// The number of the request.
        request: RequestId,
        /// The first sequence.
        from: u64,
    },
    /// Reads the publications of a channel from a sequence on, at the leader, and then the state of the stream; see
    /// [`Follower::channel_read`](super::Follower::channel_read).
    ReadChannel {
        /// The number of the request.
        request: RequestId,
        /// The channel.
        channel: ChannelId,
        /// The first sequence.
        from: u64,
    },
    /// Reads one message at the leader; see [`Follower::message_read`](super::Follower::message_read).
    ReadMessage {
        /// The number of the request.
        request: RequestId,
        /// The sequence.
        sequence: u64,
    },
    /// Asks the leader for the state of the stream; see [`Follower::info_received`](super::Follower::info_received).
    ReadInfo(RequestId),
    /// Hands a publication to its subscribers.
    Deliver(Tenant, Arc<Publication>),
    /// Answers a subscription.
    Answer(Ticket, Replay),
    /// Ends every subscription of these channels: the follower cannot prove any more that they miss nothing.
    End(Vec<ChannelId>),
    /// Reports that all subscriptions of the stream end, for an operator.
    Reset(ResetReason),
    /// Every publication of a watched channel up to this mark was delivered.
    Proven(Mark),
    /// Listens to another leader: the driver calls [`Follower::unlinked`](super::Follower::unlinked) and then
    /// [`Follower::linked`](super::Follower::linked).
    Relink(RelinkReason),
}

/// The reason for reading a stream again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RelinkReason {
    /// The stream has another leader, or the same one in another term.
    Election,
    /// Messages between two marks are missing.
    Hole,
}

/// The reason for which all subscriptions of a stream end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ResetReason {
    /// Messages were discarded before the relay read them: it was away for too long, or the byte budget is too small.
    #[error("messages were discarded before this relay read them")]
    Discarded,
    /// The stream lacks messages that this relay knows.
    #[error("the stream lost messages")]
    Lost,
    /// The stream lost all contents, or another relay found that it lost messages.
    #[error("the contents of the stream are of another epoch")]
    NewEpoch,
    /// The stream has the contents of a server that was away, without those that followed.
    #[error("the stream went back to former contents")]
    FormerContents,
}
