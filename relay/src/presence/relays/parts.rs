//! The news for another relay, divided into messages.

use super::message::{CHANNEL, ChannelNews, FULL, LEFT, Need, RECORD};
use crate::presence::{MemberId, record::Record};
use sealwire_protocol::ChannelId;
use std::mem;

/// Collects the news of channels in parts that each fit one message.
#[derive(Default)]
pub(super) struct Parts {
    part: Vec<ChannelNews>,
    bytes: usize,
    done: Vec<Vec<ChannelNews>>,
}

impl Parts {
    pub(super) fn is_empty(&self) -> bool {
        self.part.is_empty() && self.done.is_empty()
    }

    pub(super) fn take(mut self) -> Vec<Vec<ChannelNews>> {
        self.done.push(self.part);
        self.done
    }

    pub(super) fn need(&mut self, channel: ChannelId, need: Need) {
        self.news(channel, 0).need = need;
    }

    /// Adds all members of this relay, and those of relays that are gone.
    pub(super) fn members(&mut self, channel: ChannelId, records: impl Iterator<Item = Record>) {
        self.news(channel, 0).begins = true;
        records.for_each(|record| self.record(channel, record));
        self.news(channel, 0).ends = true;
    }

    pub(super) fn record(&mut self, channel: ChannelId, record: Record) {
        let bytes = RECORD + record.sealed.as_ref().map_or(0, bytes::Bytes::len);
        self.news(channel, bytes).records.push(record);
    }

    pub(super) fn left(&mut self, channel: ChannelId, left: (MemberId, u64)) {
        self.news(channel, LEFT).left.push(left);
    }

    /// Returns the news of a channel in the present part, with room for more bytes.
    fn news(&mut self, channel: ChannelId, bytes: usize) -> &mut ChannelNews {
        if self.bytes + bytes + CHANNEL > FULL {
            self.done.push(mem::take(&mut self.part));
            self.bytes = 0;
        }
        self.bytes += bytes;
        if self.part.last().is_none_or(|last| last.channel != channel || last.ends) {
            self.bytes += CHANNEL;
            self.part.push(ChannelNews::of(channel));
        }
        let last = self.part.len() - 1;
        &mut self.part[last]
    }
}
