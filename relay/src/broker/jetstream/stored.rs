//! The contents of the stream's messages. The subject names the channel or the epoch.

use super::{
    follower::{Entry, Mark, StoredPublication},
    names::{StreamNames, Subject},
};
use crate::hub::Draft;
use bytes::Bytes;
use prost::Message as _;
use sealwire_protocol::{UnixMillis, limits};

/// The content of a publication or a mark.
#[derive(Clone, PartialEq, prost::Message)]
struct Stored {
    /// The time at which a relay accepted the message, in milliseconds since 1970.
    #[prost(uint64, tag = "1")]
    time_ms: u64,
    #[prost(string, tag = "2")]
    event: String,
    #[prost(bytes = "bytes", tag = "3")]
    sealed: Bytes,
    /// The digest of the content, or empty.
    #[prost(bytes = "bytes", tag = "4")]
    content: Bytes,
}

/// Encodes a publication that a relay accepted at `time`.
pub(super) fn publication(draft: &Draft, time: UnixMillis) -> Bytes {
    let content = draft.content.map_or_else(Bytes::new, |digest| Bytes::copy_from_slice(&digest));
    let (event, sealed) = (draft.event.clone(), draft.sealed.clone());
    Stored { time_ms: time.0, event, sealed, content }.encode_to_vec().into()
}

/// Encodes a mark that a relay writes at `time`.
pub(super) fn mark(time: UnixMillis) -> Bytes {
    Stored { time_ms: time.0, ..Stored::default() }.encode_to_vec().into()
}

/// Reads a message of the stream. A message that no relay writes is [`Entry::Unknown`].
pub(super) fn read(subject: &str, sequence: u64, stored_at: UnixMillis, payload: Bytes) -> Entry {
    let unknown = Entry::Unknown(sequence);
    let (Some(subject), Ok(stored)) = (StreamNames::read(subject), Stored::decode(payload)) else {
        return unknown;
    };
    let Stored { time_ms, event, sealed, content } = stored;
    let time = UnixMillis(time_ms);
    match subject {
        Subject::Mark { epoch } => Entry::Mark(Mark { sequence, epoch, time }),
        Subject::Channel(channel)
            if event.len() <= limits::MAX_EVENT_NAME && sealed.len() <= limits::MAX_SEALED =>
        {
            Entry::Publication(StoredPublication {
                sequence,
                channel,
                time,
                stored_at,
                event,
                sealed,
                content: content.as_ref().try_into().ok(),
                trace: None,
            })
        }
        Subject::Channel(_) => unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tenant::Tenant;
    use sealwire_protocol::ChannelId;

    #[test]
    fn messages_are_read_as_they_are_written() {
        let names = StreamNames::new(&Default::default(), 0);
        let draft = Draft {
            channel: ChannelId([7; 16]),
            tenant: Tenant::default(),
            event: "moved".to_owned(),
            sealed: Bytes::from_static(b"sealed"),
            id: [1; 16],
            content: None,
            trace: None,
        };
        let (at, time) = (UnixMillis(5), UnixMillis(4));
        let Entry::Publication(read_back) =
            read(&names.channel(draft.channel), 9, at, publication(&draft, time))
        else {
            panic!("not a publication")
        };
        assert_eq!((read_back.sequence, read_back.time, read_back.stored_at), (9, time, at));
        assert_eq!((&*read_back.event, read_back.sealed), ("moved", draft.sealed));
        let expected = Entry::Mark(Mark { sequence: 3, epoch: 8, time });
        assert_eq!(read(&names.mark(8), 3, at, mark(time)), expected);
    }

    #[test]
    fn messages_of_strangers_are_unknown_and_keep_their_sequence() {
        let names = StreamNames::new(&Default::default(), 0);
        let subject = names.channel(ChannelId([7; 16]));
        let large = Stored { sealed: vec![0; limits::MAX_SEALED + 1].into(), ..Stored::default() };
        let long = Stored { event: "e".repeat(limits::MAX_EVENT_NAME + 1), ..Stored::default() };
        for payload in [b"\xff\xff".to_vec(), large.encode_to_vec(), long.encode_to_vec()] {
            assert_eq!(read(&subject, 4, UnixMillis(0), payload.into()), Entry::Unknown(4));
        }
        assert_eq!(read("other.subject", 4, UnixMillis(0), Bytes::new()), Entry::Unknown(4));
    }
}
