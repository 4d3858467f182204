//! The messages of presence, in both directions. The relay keeps each member's sealed entry and never opens it.

use super::{
    Channel, FrameError, check_channel_id,
    codec::implement_channel_id,
    fields::{Fields, Value, next},
    read_channel_id,
};
use crate::{ChannelId, limits};
use alloc::{string::String, vec::Vec};
use bytes::Bytes;
use core::fmt;
use prost::Message;

/// Makes the session a member of a channel's presence, or replaces the entry of its member.
#[derive(Clone, PartialEq, Eq, Message)]
#[prost(skip_debug)]
pub struct PresenceEnter {
    /// The number that the client chose, never 0. The response carries it.
    #[prost(uint32, tag = "1")]
    pub request: u32,
    /// The channel. It is always present in a decoded message.
    #[prost(message, optional, tag = "2")]
    pub channel: Option<Channel>,
    /// The id of the member, 16 random bytes.
    #[prost(bytes = "bytes", tag = "3")]
    pub member: Bytes,
    /// The number of the entry. A later entry of the member has a greater number.
    #[prost(uint64, tag = "4")]
    pub number: u64,
    /// The sealed entry.
    #[prost(bytes = "bytes", tag = "5")]
    pub sealed: Bytes,
}

/// Removes a member at once.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct PresenceLeave {
    /// The number that the client chose, never 0. The response carries it.
    #[prost(uint32, tag = "1")]
    pub request: u32,
    /// The id of the channel, 16 bytes.
    #[prost(bytes = "bytes", tag = "2")]
    pub channel_id: Bytes,
    /// The id of the member, 16 bytes.
    #[prost(bytes = "bytes", tag = "3")]
    pub member: Bytes,
}

/// Requests the members of a channel's presence, and their changes from then on.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct PresenceWatch {
    /// The number that the client chose, never 0. The response carries it.
    #[prost(uint32, tag = "1")]
    pub request: u32,
    /// The channel. It is always present in a decoded message.
    #[prost(message, optional, tag = "2")]
    pub channel: Option<Channel>,
}

/// Ends the watching of a channel's presence.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct PresenceUnwatch {
    /// The number that the client chose, never 0. The response carries it.
    #[prost(uint32, tag = "1")]
    pub request: u32,
    /// The id of the channel, 16 bytes.
    #[prost(bytes = "bytes", tag = "2")]
    pub channel_id: Bytes,
}

/// Responds to every request about presence.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct PresenceAccepted {
    /// The number of the request.
    #[prost(uint32, tag = "1")]
    pub request: u32,
    /// The id of the channel, 16 bytes.
    #[prost(bytes = "bytes", tag = "2")]
    pub channel_id: Bytes,
}

/// A member of a presence.
#[derive(Clone, PartialEq, Eq, Message)]
#[prost(skip_debug)]
pub struct PresenceEntry {
    /// The id of the member, 16 bytes.
    #[prost(bytes = "bytes", tag = "1")]
    pub member: Bytes,
    /// The number of the entry.
    #[prost(uint64, tag = "2")]
    pub number: u64,
    /// The sealed entry.
    #[prost(bytes = "bytes", tag = "3")]
    pub sealed: Bytes,
    /// True if the member's connection is broken. Only in a state.
    #[prost(bool, tag = "4")]
    pub in_grace: bool,
}

/// Members of a watched presence: a piece of the state, or of a batch of changes.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct Presence {
    /// The id of the channel, 16 bytes.
    #[prost(bytes = "bytes", tag = "1")]
    pub channel_id: Bytes,
    /// The version of the presence. Each batch of changes has the next one.
    #[prost(uint64, tag = "2")]
    pub version: u64,
    /// True for a piece of the state, the first of which replaces everything that was known of the presence.
    #[prost(bool, tag = "3")]
    pub is_state: bool,
    /// True if further pieces of this state or batch follow.
    #[prost(bool, tag = "4")]
    pub more: bool,
    /// The members of the state, or those that joined or have another entry.
    #[prost(message, repeated, tag = "5")]
    pub entries: Vec<PresenceEntry>,
    /// The ids of the members that left, of 16 bytes each. Empty in a state.
    #[prost(bytes = "bytes", repeated, tag = "6")]
    pub left: Vec<Bytes>,
}

/// The relay ended the session's membership and watching of a channel's presence.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct PresenceEnded {
    /// The id of the channel, 16 bytes.
    #[prost(bytes = "bytes", tag = "1")]
    pub channel_id: Bytes,
    /// The number of a [`Code`](crate::Code).
    #[prost(uint32, tag = "2")]
    pub code: u32,
    /// An explanation for people.
    #[prost(string, tag = "3")]
    pub message: String,
}

implement_channel_id!(PresenceLeave, PresenceUnwatch, PresenceAccepted, Presence, PresenceEnded);

impl PresenceEnter {
    /// Checks the required fields, and returns the number of the request.
    pub(super) fn check(&self) -> Result<u32, FrameError> {
        self.channel.as_ref().ok_or(FrameError::Field("channel"))?;
        check_member(&self.member)?;
        Ok(self.request)
    }
}

impl PresenceLeave {
    /// Checks the required fields, and returns the number of the request.
    pub(super) fn check(&self) -> Result<u32, FrameError> {
        check_channel_id(&self.channel_id)?;
        check_member(&self.member)?;
        Ok(self.request)
    }
}

impl Presence {
    /// Decodes the message for a client.
    pub(super) fn read(bytes: Bytes) -> Result<Self, FrameError> {
        let mut rest = bytes.clone();
        let (mut entries, mut left) = (Vec::new(), Vec::new());
        while let Some((number, value)) = next(&mut rest)? {
            match (number, value) {
                (5, Value::Bytes(entry)) => entries.push(PresenceEntry::read(entry)?),
                (6, Value::Bytes(member)) => left.push(member),
                (5 | 6, _) => return Err(FrameError::Unknown),
                _ => {}
            }
        }
        let mut fields = Fields::read(bytes)?;
        Ok(Self {
            channel_id: fields.bytes(1)?,
            version: fields.u64(2)?,
            is_state: fields.u64(3)? != 0,
            more: fields.u64(4)? != 0,
            entries,
            left,
        })
    }

    /// Checks the sizes of the ids.
    pub(super) fn check(&self) -> Result<(), FrameError> {
        check_channel_id(&self.channel_id)?;
        self.entries.iter().map(|entry| &entry.member).chain(&self.left).try_for_each(check_member)
    }
}

impl PresenceEntry {
    fn read(bytes: Bytes) -> Result<Self, FrameError> {
        let mut fields = Fields::read(bytes)?;
        Ok(Self {
            member: fields.bytes(1)?,
            number: fields.u64(2)?,
            sealed: fields.bytes(3)?,
            in_grace: fields.u64(4)? != 0,
        })
    }
}

fn check_member(member: &Bytes) -> Result<(), FrameError> {
    if member.len() == limits::MEMBER_ID { Ok(()) } else { Err(FrameError::Field("member")) }
}

impl fmt::Debug for PresenceEnter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PresenceEnter")
            .field("request", &self.request)
            .field("channel", &self.channel)
            .field("number", &self.number)
            .field("sealed", &self.sealed.len())
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for PresenceEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PresenceEntry")
            .field("number", &self.number)
            .field("sealed", &self.sealed.len())
            .field("in_grace", &self.in_grace)
            .finish_non_exhaustive()
    }
}
