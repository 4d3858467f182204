//! What the relays really took, epoch after epoch: what the promises are checked against. Offsets count from one in
//! every epoch, so a publication is found by its offset.

use crate::relay::Seen;
use bytes::Bytes;
use sealwire_protocol::{
    ChannelId,
    wire::{Position, Since},
};
use sealwire_relay::{HubLimits, Replay};

/// More than a relay counts for a cached publication besides its frame.
const ENTRY_BYTES: usize = 256;
/// Less than the ids that a relay remembers for every byte of its replay cache.
const BYTES_PER_ID: usize = 700;

struct Taken {
    channel: ChannelId,
    at: u64,
    sealed: Bytes,
    /// Of everything that was taken up to here.
    bytes_so_far: usize,
}

/// One run of a relay.
pub(super) struct Epoch {
    id: u64,
    taken: Vec<Taken>,
}

pub(super) struct History {
    limits: HubLimits,
    pub(super) epochs: Vec<Epoch>,
}

impl Epoch {
    /// Offset of what was taken last.
    pub(super) fn head(&self) -> u64 {
        self.taken.len() as u64
    }

    pub(super) fn is_on(&self, channel: ChannelId, offset: u64) -> bool {
        offset > 0 && self.taken.get(offset as usize - 1).is_some_and(|taken| taken.channel == channel)
    }

    /// How many publications of a channel lie after one offset and before another.
    pub(super) fn between(&self, channel: ChannelId, after: u64, before: u64) -> usize {
        let end = before.saturating_sub(1).min(self.head()) as usize;
        let start = (after as usize).min(end);
        self.taken[start..end].iter().filter(|taken| taken.channel == channel).count()
    }

    /// Whether the message at an offset was there already when it was sent again: its id was forgotten in between.
    pub(super) fn is_repeat(&self, offset: u64) -> bool {
        let Some((last, before)) = self.taken[..offset as usize].split_last() else { return false };
        before.iter().any(|taken| taken.channel == last.channel && taken.sealed == last.sealed)
    }

    /// Offset of the newest publication that was taken before a moment.
    pub(super) fn before(&self, at: u64) -> u64 {
        self.taken.partition_point(|taken| taken.at < at) as u64
    }

    pub(super) fn has_since(&self, channel: ChannelId, at: u64) -> bool {
        self.taken.iter().any(|taken| taken.channel == channel && taken.at >= at)
    }

    fn bytes_so_far(&self, offset: u64) -> usize {
        (offset as usize).checked_sub(1).map_or(0, |index| self.taken[index].bytes_so_far)
    }
}

impl History {
    pub(super) fn new(limits: HubLimits, epoch: u64) -> Self {
        Self { limits, epochs: vec![Epoch { id: epoch, taken: Vec::new() }] }
    }

    pub(super) fn start_epoch(&mut self, epoch: u64) {
        self.epochs.push(Epoch { id: epoch, taken: Vec::new() });
    }

    pub(super) fn index(&self, epoch: u64) -> Option<usize> {
        self.epochs.iter().position(|known| known.id == epoch)
    }

    pub(super) fn current(&self) -> (usize, &Epoch) {
        let index = self.epochs.len() - 1;
        (index, &self.epochs[index])
    }

    /// Whether the relay must still have everything after an offset of the current epoch.
    pub(super) fn is_certainly_cached(&self, after: u64, now: u64) -> bool {
        let epoch = self.current().1;
        let window = self.limits.replay_window.as_millis() as u64;
        let Some(first) = epoch.taken.get(after as usize) else { return true };
        let bytes = epoch.bytes_so_far(epoch.head()) - epoch.bytes_so_far(after);
        now - first.at < window && bytes <= self.limits.replay_bytes
    }

    /// Takes in what the relay did.
    pub(super) fn see(&mut self, now: u64, seen: Seen) -> Result<(), String> {
        match seen {
            Seen::Published { channel, offset, sealed, bytes } => {
                self.check_repeat(channel, &sealed, now)?;
                let epoch = self.epochs.last_mut().expect("one epoch at least");
                if offset != epoch.head() + 1 {
                    return Err(format!("offset {offset} follows {}", epoch.head()));
                }
                let bytes_so_far = epoch.bytes_so_far(epoch.head()) + bytes + ENTRY_BYTES;
                epoch.taken.push(Taken { channel, at: now, sealed, bytes_so_far });
                Ok(())
            }
            Seen::Joined { channel, since, replay } => self.check_replay(channel, since, &replay, now),
        }
    }

    /// A message is taken once, as long as its id is remembered.
    fn check_repeat(&self, channel: ChannelId, sealed: &Bytes, now: u64) -> Result<(), String> {
        let window = self.limits.replay_window.as_millis() as u64;
        let remembered = self.limits.replay_bytes / BYTES_PER_ID;
        let recent = self.current().1.taken.iter().rev().take(remembered);
        let mut recent = recent.take_while(|taken| now - taken.at < window);
        match recent.find(|taken| taken.channel == channel && taken.sealed == *sealed) {
            Some(_) => Err("a message that was sent again was taken twice".into()),
            None => Ok(()),
        }
    }

    /// A replay is the whole truth after the place that it names, and `recovered` only where that is what was asked for.
    fn check_replay(
        &self,
        channel: ChannelId,
        since: Option<Since>,
        replay: &Replay,
        now: u64,
    ) -> Result<(), String> {
        let epoch = self.current().1;
        let Position { epoch: id, offset } = replay.position;
        if id != epoch.id {
            return Err("the relay answered with another epoch than its own".into());
        }
        if since.is_none() {
            return Ok(());
        }
        if epoch.between(channel, offset, u64::MAX) != replay.publications.len() {
            return Err(format!("a replay after {offset} is not complete"));
        }
        match since {
            Some(Since::Position(asked)) if replay.recovered && asked.epoch != epoch.id => {
                Err("recovered across epochs".into())
            }
            Some(Since::Position(asked)) if replay.recovered => {
                let missing = epoch.between(channel, asked.offset, offset.saturating_add(1));
                if missing > 0 { Err(format!("recovered with {missing} missing")) } else { Ok(()) }
            }
            Some(Since::ReplaySeconds(seconds)) if replay.recovered => {
                let start = epoch.before(now.saturating_sub(u64::from(seconds) * 1000));
                let missing = epoch.between(channel, start, offset.saturating_add(1));
                if missing > 0 {
                    Err(format!("recovered {seconds} s with {missing} missing"))
                } else {
                    Ok(())
                }
            }
            _ => Ok(()),
        }
    }
}
