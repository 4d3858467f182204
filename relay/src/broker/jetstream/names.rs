//! The names of a stream and of its subjects.
//!
//! Stream `sealwire-2` takes `sealwire.2.c.<channel>` and `sealwire.2.mark.<epoch>`, and republishes what it stored as
//! `sealwire.live.2.c.<channel>` and `sealwire.live.2.mark.<epoch>`. Channels and epochs are hexadecimal.

use crate::{hex, settings::BrokerPrefix};
use sealwire_protocol::ChannelId;

/// The names of one stream.
#[derive(Clone, Debug)]
pub(super) struct StreamNames {
    prefix: String,
    index: usize,
}

/// The meaning of a subject.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Subject {
    Channel(ChannelId),
    Mark { epoch: u64 },
}

impl StreamNames {
    pub(super) fn new(prefix: &BrokerPrefix, index: usize) -> Self {
        Self { prefix: prefix.as_str().to_owned(), index }
    }

    /// The name of the stream.
    pub(super) fn stream(&self) -> String {
        format!("{}-{}", self.prefix, self.index)
    }

    /// The subjects that the stream takes.
    pub(super) fn all(&self) -> String {
        format!("{}.{}.>", self.prefix, self.index)
    }

    /// The subjects on which the stream republishes.
    pub(super) fn all_live(&self) -> String {
        format!("{}.live.{}.>", self.prefix, self.index)
    }

    pub(super) fn channel(&self, channel: ChannelId) -> String {
        format!("{}.{}.c.{}", self.prefix, self.index, channel)
    }

    pub(super) fn live_channel(&self, channel: ChannelId) -> String {
        format!("{}.live.{}.c.{}", self.prefix, self.index, channel)
    }

    pub(super) fn mark(&self, epoch: u64) -> String {
        format!("{}.{}.mark.{epoch:016x}", self.prefix, self.index)
    }

    /// The marks of every epoch.
    pub(super) fn marks(&self) -> String {
        format!("{}.{}.mark.*", self.prefix, self.index)
    }

    pub(super) fn live_marks(&self) -> String {
        format!("{}.live.{}.mark.*", self.prefix, self.index)
    }

    /// Reads a subject of the stream, in its stored or its live form.
    pub(super) fn read(subject: &str) -> Option<Subject> {
        let mut tokens = subject.rsplitn(3, '.');
        let (id, kind) = (tokens.next()?, tokens.next()?);
        match kind {
            "c" => hex::decode(id.as_bytes()).map(|id| Subject::Channel(ChannelId(id))),
            "mark" => {
                let epoch = hex::decode(id.as_bytes())?;
                Some(Subject::Mark { epoch: u64::from_be_bytes(epoch) })
            }
            _ => None,
        }
    }
}

/// Returns the stream of a channel. Channel ids are hashes; other bytes of them select the shard of fan-out.
pub(super) fn stream_of(channel: ChannelId, streams: usize) -> usize {
    let [.., a, b] = channel.0;
    usize::from(u16::from_be_bytes([a, b])) % streams.max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subjects_are_read_as_they_are_written() {
        let names = StreamNames::new(&"staging".parse().unwrap(), 2);
        let channel = ChannelId([0xa5; 16]);
        assert_eq!(names.channel(channel), format!("staging.2.c.{}", "a5".repeat(16)));
        for subject in [names.channel(channel), names.live_channel(channel)] {
            assert_eq!(StreamNames::read(&subject), Some(Subject::Channel(channel)));
        }
        assert_eq!(names.mark(0xf), "staging.2.mark.000000000000000f");
        assert_eq!(StreamNames::read(&names.mark(0xf)), Some(Subject::Mark { epoch: 0xf }));
    }

    #[test]
    fn other_subjects_have_no_meaning() {
        let short = format!("p.1.c.{}", "a".repeat(31));
        let sign = format!("p.1.c.+{}", "a".repeat(31));
        for subject in
            ["", "p", "p.1.c", "p.1.c.zz", &short, &sign, "p.1.mark.1", "p.1.x.0000000000000001", "p.1.c.é"]
        {
            assert_eq!(StreamNames::read(subject), None, "{subject}");
        }
    }

    #[test]
    fn channels_are_spread_over_all_streams() {
        let mut counts = [0; 4];
        for number in 0..4096_u16 {
            let mut id = [0; 16];
            id[14..].copy_from_slice(&number.wrapping_mul(40503).to_be_bytes());
            counts[stream_of(ChannelId(id), 4)] += 1;
        }
        assert!(counts.iter().all(|count| (900..1150).contains(count)), "{counts:?}");
    }
}
