//! The message between two relays about the presences of one app, as protobuf. A signing key of the app, which the relays
//! share, authenticates it. It contains digests and sealed entries, no names.

use crate::{
    auth::signing_keys::SigningKeys,
    id_digest::IdDigest,
    presence::{MemberId, names::OwnerDigests, record::Record},
};
use bytes::Bytes;
use prost::Message as _;
use sealwire_protocol::{ChannelId, limits};
use std::time::Duration;

/// The version of the format. Relays refuse messages of other versions.
const VERSION: u32 = 1;
/// The purpose of the tags; see [`SigningKey::tag`](sealwire_protocol::tokens::SigningKey::tag).
const PURPOSE: &str = "sealwire presence 1";
/// The maximum number of tags, of as many keys of the app.
const MAX_TAGS: usize = 4;
/// The maximum size of a message, in bytes.
pub(super) const MAX_MESSAGE: usize = 256 * 1024;
/// The size at which a sender begins another message: the largest entry and the tags fit behind it.
pub(super) const FULL: usize = MAX_MESSAGE - 2 * limits::MAX_PRESENCE_ENTRY;
/// The bytes of a record besides its entry, of an id, and of a channel: upper bounds.
pub(super) const RECORD: usize = 128;
pub(super) const LEFT: usize = 40;
pub(super) const CHANNEL: usize = 32;
/// The maximum token time of a member.
const MAX_EXPIRES: Duration = Duration::from_secs(24 * 60 * 60);
/// The maximum rest of the grace time of a member whose relay is gone.
pub(super) const MAX_GRACE: Duration = Duration::from_secs(2 * 60);

/// A message from one relay to another.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct LinkMessage {
    pub(super) from: u64,
    pub(super) to: u64,
    /// The number that the receiver chose for the stream of messages to it; 0 if the sender does not know it.
    pub(super) stream: u64,
    /// The number of the message in the stream, from 1; 0 outside of a stream.
    pub(super) sequence: u64,
    /// The number that the sender chose for the stream of messages to it; 0 if it needs none, because it has no presence of
    /// the app.
    pub(super) own_stream: u64,
    /// The number of the last message of the other stream whose requests are answered.
    pub(super) acknowledged: u64,
    /// True if everything that the receiver has to know at the start of the stream was sent.
    pub(super) is_complete: bool,
    pub(super) channels: Vec<ChannelNews>,
}

/// The news of one channel.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct ChannelNews {
    pub(super) channel: ChannelId,
    pub(super) need: Need,
    /// True if all members of the sender follow, and those that it knows of relays that are gone.
    pub(super) begins: bool,
    /// True if all of them were sent.
    pub(super) ends: bool,
    pub(super) records: Vec<Record>,
    /// The members that left, with the stamp up to which this holds.
    pub(super) left: Vec<(MemberId, u64)>,
}

/// A change of what the sender needs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Need {
    #[default]
    Unchanged,
    /// The sender needs the members of the channel, and their changes.
    Begins,
    Ends,
}

/// The reason to refuse a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum MessageError {
    #[error("its format has another version; run the same version on all relays of a cluster")]
    Version,
    #[error("it is not a valid message")]
    Malformed,
    #[error("no key of this relay made its tag; give all relays of a cluster the same signing keys")]
    Unauthenticated,
}

#[derive(Clone, PartialEq, prost::Message)]
struct WireEnvelope {
    #[prost(uint32, tag = "1")]
    version: u32,
    /// An encoded [`WireMessage`].
    #[prost(bytes = "bytes", tag = "2")]
    message: Bytes,
    #[prost(message, repeated, tag = "3")]
    tags: Vec<WireTag>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct WireTag {
    #[prost(string, tag = "1")]
    kid: String,
    #[prost(bytes = "bytes", tag = "2")]
    tag: Bytes,
}

#[derive(Clone, PartialEq, prost::Message)]
struct WireMessage {
    #[prost(fixed64, tag = "1")]
    from: u64,
    #[prost(fixed64, tag = "2")]
    to: u64,
    #[prost(uint64, tag = "3")]
    stream: u64,
    #[prost(uint64, tag = "4")]
    sequence: u64,
    #[prost(uint64, tag = "5")]
    own_stream: u64,
    #[prost(uint64, tag = "6")]
    acknowledged: u64,
    #[prost(bool, tag = "7")]
    is_complete: bool,
    #[prost(message, repeated, tag = "8")]
    channels: Vec<WireChannel>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct WireChannel {
    #[prost(bytes = "bytes", tag = "1")]
    channel: Bytes,
    #[prost(uint32, tag = "2")]
    need: u32,
    #[prost(bool, tag = "3")]
    begins: bool,
    #[prost(bool, tag = "4")]
    ends: bool,
    #[prost(message, repeated, tag = "5")]
    records: Vec<WireRecord>,
    #[prost(message, repeated, tag = "6")]
    left: Vec<WireLeft>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct WireRecord {
    #[prost(bytes = "bytes", tag = "1")]
    member: Bytes,
    #[prost(uint64, tag = "2")]
    number: u64,
    #[prost(uint64, tag = "3")]
    stamp: u64,
    /// Empty if the receiver has the entry with this number.
    #[prost(bytes = "bytes", tag = "4")]
    sealed: Bytes,
    #[prost(bytes = "bytes", tag = "5")]
    installation: Bytes,
    #[prost(bytes = "bytes", tag = "6")]
    account: Bytes,
    #[prost(bool, tag = "7")]
    in_grace: bool,
    /// In milliseconds.
    #[prost(uint64, tag = "8")]
    expires_in: u64,
    /// 0 for a member of the sender.
    #[prost(fixed64, tag = "9")]
    gone: u64,
}

#[derive(Clone, PartialEq, prost::Message)]
struct WireLeft {
    #[prost(bytes = "bytes", tag = "1")]
    member: Bytes,
    #[prost(uint64, tag = "2")]
    stamp: u64,
}

impl LinkMessage {
    /// Encodes the message with tags of the app's current keys.
    pub(super) fn encode(self, app: &str, keys: &SigningKeys) -> Vec<u8> {
        let wire = WireMessage {
            from: self.from,
            to: self.to,
            stream: self.stream,
            sequence: self.sequence,
            own_stream: self.own_stream,
            acknowledged: self.acknowledged,
            is_complete: self.is_complete,
            channels: self.channels.into_iter().map(ChannelNews::wire).collect(),
        };
        Self::tag(wire.encode_to_vec(), app, keys)
    }

    /// Adds the tags to an encoded message.
    pub(super) fn tag(message: Vec<u8>, app: &str, keys: &SigningKeys) -> Vec<u8> {
        let tags = keys.tags(app, PURPOSE, &message, MAX_TAGS).into_iter();
        let tags = tags.map(|(kid, tag)| WireTag { kid, tag: Bytes::copy_from_slice(&tag) }).collect();
        WireEnvelope { version: VERSION, message: message.into(), tags }.encode_to_vec()
    }

    /// Decodes a message to a relay, and checks that a key of this relay made one of its tags. Returns it with the app of
    /// the key.
    pub(super) fn decode(bytes: Bytes, keys: &SigningKeys) -> Result<(Self, String), MessageError> {
        if bytes.len() > MAX_MESSAGE {
            return Err(MessageError::Malformed);
        }
        let envelope = WireEnvelope::decode(bytes).map_err(|_| MessageError::Malformed)?;
        let WireEnvelope { version, message, tags } = envelope;
        if version != VERSION {
            return Err(MessageError::Version);
        }
        if tags.len() > MAX_TAGS {
            return Err(MessageError::Malformed);
        }
        let app = tags.iter().find_map(|WireTag { kid, tag }| keys.tagged_by(kid, PURPOSE, &message, tag));
        let app = app.ok_or(MessageError::Unauthenticated)?;
        let wire = WireMessage::decode(message).map_err(|_| MessageError::Malformed)?;
        let channels = wire.channels.into_iter().map(ChannelNews::read).collect::<Option<_>>();
        let message = Self {
            from: wire.from,
            to: wire.to,
            stream: wire.stream,
            sequence: wire.sequence,
            own_stream: wire.own_stream,
            acknowledged: wire.acknowledged,
            is_complete: wire.is_complete,
            channels: channels.ok_or(MessageError::Malformed)?,
        };
        Ok((message, app))
    }
}

impl ChannelNews {
    /// Creates empty news.
    pub(super) fn of(channel: ChannelId) -> Self {
        let (records, left) = (Vec::new(), Vec::new());
        Self { channel, need: Need::Unchanged, begins: false, ends: false, records, left }
    }

    fn wire(self) -> WireChannel {
        let left =
            |(member, stamp): (MemberId, u64)| WireLeft { member: Bytes::copy_from_slice(&member), stamp };
        WireChannel {
            channel: Bytes::copy_from_slice(&self.channel.0),
            need: match self.need {
                Need::Unchanged => 0,
                Need::Begins => 1,
                Need::Ends => 2,
            },
            begins: self.begins,
            ends: self.ends,
            records: self.records.into_iter().map(Record::wire).collect(),
            left: self.left.into_iter().map(left).collect(),
        }
    }

    fn read(wire: WireChannel) -> Option<Self> {
        let left = |left: WireLeft| Some((id(&left.member)?, left.stamp));
        Some(Self {
            channel: ChannelId(wire.channel.as_ref().try_into().ok()?),
            need: match wire.need {
                0 => Need::Unchanged,
                1 => Need::Begins,
                2 => Need::Ends,
                _ => return None,
            },
            begins: wire.begins,
            ends: wire.ends,
            records: wire.records.into_iter().map(Record::read).collect::<Option<_>>()?,
            left: wire.left.into_iter().map(left).collect::<Option<_>>()?,
        })
    }
}

impl Record {
    fn wire(self) -> WireRecord {
        let OwnerDigests { installation, account } = self.owner;
        WireRecord {
            member: Bytes::copy_from_slice(&self.id),
            number: self.number,
            stamp: self.stamp,
            sealed: self.sealed.unwrap_or_default(),
            installation: Bytes::copy_from_slice(installation.as_bytes()),
            account: Bytes::copy_from_slice(account.as_bytes()),
            in_grace: self.in_grace,
            expires_in: self.expires_in.as_millis().try_into().unwrap_or(u64::MAX),
            gone: self.gone.unwrap_or_default(),
        }
    }

    fn read(wire: WireRecord) -> Option<Self> {
        let (installation, account) =
            (IdDigest::from_slice(&wire.installation)?, IdDigest::from_slice(&wire.account)?);
        if wire.sealed.len() > limits::MAX_PRESENCE_ENTRY {
            return None;
        }
        let max = if wire.gone == 0 { MAX_EXPIRES } else { MAX_GRACE };
        Some(Self {
            id: id(&wire.member)?,
            number: wire.number,
            stamp: wire.stamp,
            // The bytes of the message are part of a larger buffer, which the entry must not keep.
            sealed: (!wire.sealed.is_empty()).then(|| Bytes::copy_from_slice(&wire.sealed)),
            owner: OwnerDigests { installation, account },
            in_grace: wire.in_grace,
            expires_in: Duration::from_millis(wire.expires_in).min(max),
            gone: (wire.gone != 0).then_some(wire.gone),
        })
    }
}

fn id(bytes: &[u8]) -> Option<MemberId> {
    bytes.try_into().ok()
}

#[cfg(test)]
mod tests;
