//! The publications that the relays accepted, epoch after epoch, against which the model checks the guarantees. Offsets
//! count from one in every epoch, so that an offset is an index.

use crate::relay::HubEvent;
use bytes::Bytes;
use sealwire_protocol::{
    ChannelId,
    wire::{Position, Since},
};
use sealwire_relay::{HubLimits, Replay};
use std::collections::BTreeSet;

/// An upper bound on the bytes that a relay counts for a cached publication besides its frame.
const ENTRY_BYTES: usize = 256;
/// An upper bound on the bytes of replay cache for each idempotency id that a relay remembers.
const BYTES_PER_ID: usize = 700;

struct Accepted {
    channel: ChannelId,
    at: u64,
    sealed: Bytes,
    /// The digest of the content, if the app chose the id.
    content: Option<[u8; 16]>,
    /// The bytes of all publications of the epoch, up to and including this one.
    bytes_so_far: usize,
}

impl Accepted {
    fn is_same(&self, channel: ChannelId, sealed: &Bytes, content: Option<[u8; 16]>) -> bool {
        let has_same_content = match (self.content, content) {
            (Some(one), Some(other)) => one == other,
            (None, None) => self.sealed == *sealed,
            _ => false,
        };
        self.channel == channel && has_same_content
    }
}

/// One run of a relay.
pub(super) struct Epoch {
    id: u64,
    accepted: Vec<Accepted>,
}

pub(super) struct History {
    limits: HubLimits,
    pub(super) epochs: Vec<Epoch>,
}

impl Epoch {
    /// Returns the offset of the newest publication.
    pub(super) fn head(&self) -> u64 {
        self.accepted.len() as u64
    }

    pub(super) fn is_on(&self, channel: ChannelId, offset: u64) -> bool {
        offset > 0
            && self.accepted.get(offset as usize - 1).is_some_and(|accepted| accepted.channel == channel)
    }

    /// Returns the number of publications of a channel after one offset and before another.
    pub(super) fn between(&self, channel: ChannelId, after: u64, before: u64) -> usize {
        let end = before.saturating_sub(1).min(self.head()) as usize;
        let start = (after as usize).min(end);
        self.accepted[start..end].iter().filter(|accepted| accepted.channel == channel).count()
    }

    /// Returns whether the message at an offset was accepted before, which can happen after its id was forgotten.
    pub(super) fn is_repeat(&self, offset: u64) -> bool {
        let Some((last, before)) = self.accepted[..offset as usize].split_last() else { return false };
        before.iter().any(|accepted| accepted.is_same(last.channel, &last.sealed, last.content))
    }

    /// Returns the sealed message at an offset.
    pub(super) fn sealed(&self, offset: u64) -> &Bytes {
        &self.accepted[offset as usize - 1].sealed
    }

    /// Returns the number of publications of a channel after one offset and before another that are not among `received`.
    pub(super) fn missing(
        &self,
        channel: ChannelId,
        after: u64,
        before: u64,
        received: &BTreeSet<Bytes>,
    ) -> usize {
        let end = before.saturating_sub(1).min(self.head()) as usize;
        let start = (after as usize).min(end);
        let is_missing =
            |accepted: &&Accepted| accepted.channel == channel && !received.contains(&accepted.sealed);
        self.accepted[start..end].iter().filter(is_missing).count()
    }

    /// Returns the offset of the newest publication that was accepted before a time.
    pub(super) fn head_at(&self, at: u64) -> u64 {
        self.accepted.partition_point(|accepted| accepted.at < at) as u64
    }

    pub(super) fn has_since(&self, channel: ChannelId, at: u64) -> bool {
        self.accepted.iter().any(|accepted| accepted.channel == channel && accepted.at >= at)
    }

    fn bytes_so_far(&self, offset: u64) -> usize {
        (offset as usize).checked_sub(1).map_or(0, |index| self.accepted[index].bytes_so_far)
    }
}

impl History {
    pub(super) fn new(limits: HubLimits, epoch: u64) -> Self {
        Self { limits, epochs: vec![Epoch { id: epoch, accepted: Vec::new() }] }
    }

    pub(super) fn start_epoch(&mut self, epoch: u64) {
        self.epochs.push(Epoch { id: epoch, accepted: Vec::new() });
    }

    pub(super) fn index(&self, epoch: u64) -> Option<usize> {
        self.epochs.iter().position(|known| known.id == epoch)
    }

    pub(super) fn current(&self) -> (usize, &Epoch) {
        let index = self.epochs.len() - 1;
        (index, &self.epochs[index])
    }

    /// Returns whether the relay must still cache everything after an offset of the current epoch.
    pub(super) fn is_certainly_cached(&self, after: u64, now: u64) -> bool {
        let epoch = self.current().1;
        let window = self.limits.replay_window.as_millis() as u64;
        let Some(first) = epoch.accepted.get(after as usize) else { return true };
        let bytes = epoch.bytes_so_far(epoch.head()) - epoch.bytes_so_far(after);
        now - first.at < window && bytes <= self.limits.replay_bytes
    }

    /// Records and checks an act of the relay's hub.
    pub(super) fn record(&mut self, now: u64, event: HubEvent) -> Result<(), String> {
        match event {
            HubEvent::Published { channel, offset, sealed, content, bytes } => {
                self.check_repeat(channel, &sealed, content, now)?;
                let epoch = self.epochs.last_mut().expect("the first epoch exists");
                if offset != epoch.head() + 1 {
                    return Err(format!("offset {offset} follows {}", epoch.head()));
                }
                let bytes_so_far = epoch.bytes_so_far(epoch.head()) + bytes + ENTRY_BYTES;
                epoch.accepted.push(Accepted { channel, at: now, sealed, content, bytes_so_far });
                Ok(())
            }
            HubEvent::Subscribed { channel, since, replay } => {
                self.check_replay(channel, since, &replay, now)
            }
        }
    }

    /// Checks that a message is accepted only once while its id is remembered.
    fn check_repeat(
        &self,
        channel: ChannelId,
        sealed: &Bytes,
        content: Option<[u8; 16]>,
        now: u64,
    ) -> Result<(), String> {
        let window = self.limits.replay_window.as_millis() as u64;
        let remembered = self.limits.replay_bytes / BYTES_PER_ID;
        let recent = self.current().1.accepted.iter().rev().take(remembered);
        let mut recent = recent.take_while(|accepted| now - accepted.at < window);
        match recent.find(|accepted| accepted.is_same(channel, sealed, content)) {
            Some(_) => Err("a repeated message was accepted twice".into()),
            None => Ok(()),
        }
    }

    /// Checks that a replay has every publication after its position, and claims `recovered` only if nothing is missing
    /// before it.
    fn check_replay(
        &self,
        channel: ChannelId,
        since: Option<Since>,
        replay: &Replay,
        now: u64,
    ) -> Result<(), String> {
        let epoch = self.current().1;
        let Position { epoch: id, offset, .. } = replay.position;
        if id != epoch.id {
            return Err("the relay answered with an epoch that is not its own".into());
        }
        if since.is_none() {
            return Ok(());
        }
        if epoch.between(channel, offset, u64::MAX) != replay.publications.len() {
            return Err(format!("a replay after {offset} is incomplete"));
        }
        match since {
            Some(Since::Position(asked)) if replay.recovered && asked.epoch != epoch.id => {
                Err("a replay claims to have recovered across epochs".into())
            }
            Some(Since::Position(asked)) if replay.recovered => {
                let missing = epoch.between(channel, asked.offset, offset.saturating_add(1));
                if missing > 0 {
                    Err(format!("a replay claims to have recovered, with {missing} missing"))
                } else {
                    Ok(())
                }
            }
            Some(Since::ReplaySeconds(seconds)) if replay.recovered => {
                let start = epoch.head_at(now.saturating_sub(u64::from(seconds) * 1000));
                let missing = epoch.between(channel, start, offset.saturating_add(1));
                if missing > 0 {
                    Err(format!("a replay claims to have recovered {seconds} s, with {missing} missing"))
                } else {
                    Ok(())
                }
            }
            _ => Ok(()),
        }
    }
}
