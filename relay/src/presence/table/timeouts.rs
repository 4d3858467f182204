//! The deadlines of a table, and the delivery of changes to watchers.

use super::{ChannelPresence, MemberId, PresenceTable};
use bytes::Bytes;
use sealwire_protocol::ChannelId;
use std::time::{Duration, Instant};

/// The time from the first change of a channel until its watchers are told, together with the later ones.
pub(in crate::presence) const BATCH_WINDOW: Duration = Duration::from_millis(100);
/// The time within which the members at other relays must be known. The watchers of a channel are lost after it.
pub(in crate::presence) const SYNC_TIMEOUT: Duration = Duration::from_secs(4);

/// Something that happens at a time.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Due {
    /// The watchers of the channel are told its changes.
    Changes,
    /// The members at other relays are not known in time.
    Sync,
    /// The grace time of a member ends.
    Grace(MemberId),
}

impl<W> PresenceTable<W> {
    pub(in crate::presence) fn poll_timeout(&self) -> Option<Instant> {
        self.deadlines.first().map(|(at, ..)| *at)
    }

    /// Performs the earliest thing that is due. Returns whether there was one. `lose` gets the watchers that are lost.
    pub(in crate::presence) fn handle_timeout(
        &mut self,
        now: Instant,
        push: &mut dyn FnMut(&W, &Bytes),
        lose: &mut dyn FnMut(&W),
    ) -> bool {
        if self.poll_timeout().is_none_or(|at| at > now) {
            return false;
        }
        let Some((_, channel, due)) = self.deadlines.pop_first() else { return false };
        match due {
            Due::Changes => {
                if let Some(presence) = self.channels.get_mut(&channel) {
                    presence.changes_due = None;
                }
                self.deliver(channel, push);
            }
            Due::Sync => {
                if let Some(presence) = self.channels.get_mut(&channel) {
                    presence.sync_due = None;
                }
                self.lose_watchers(channel, lose);
            }
            Due::Grace(id) => {
                if let Some(stamp) = self.find(channel, &id).map(|member| member.stamp) {
                    self.remove(channel, id, stamp, now);
                }
            }
        }
        true
    }

    pub(in crate::presence) fn channels(&self) -> impl Iterator<Item = (ChannelId, &ChannelPresence<W>)> {
        self.channels.iter().map(|(channel, presence)| (*channel, presence))
    }

    pub(super) fn deliver(&mut self, channel: ChannelId, push: &mut dyn FnMut(&W, &Bytes)) {
        if let Some(presence) = self.channels.get_mut(&channel).filter(|presence| presence.is_synced) {
            let (changes, messages) = presence.deliver(channel, &self.memory, push);
            self.counts.changes += changes;
            self.counts.messages += messages;
        }
    }

    /// Schedules the delivery of a channel's changes, unless it is scheduled or there are none.
    pub(super) fn schedule_changes(&mut self, channel: ChannelId, now: Instant) {
        if let Some(presence) = self.channels.get_mut(&channel)
            && presence.has_changes()
            && presence.changes_due.is_none()
        {
            let due = now + BATCH_WINDOW;
            presence.changes_due = Some(due);
            self.deadlines.insert((due, channel, Due::Changes));
        }
    }

    /// Schedules the end of the wait for the members at other relays, unless it is scheduled or they are known.
    pub(super) fn schedule_sync(&mut self, channel: ChannelId, now: Instant) {
        if let Some(presence) = self.channels.get_mut(&channel)
            && !presence.is_synced
            && presence.sync_due.is_none()
        {
            let due = now + SYNC_TIMEOUT;
            presence.sync_due = Some(due);
            self.deadlines.insert((due, channel, Due::Sync));
        }
    }

    pub(super) fn unschedule_sync(&mut self, channel: ChannelId) {
        let due = self.channels.get_mut(&channel).and_then(|presence| presence.sync_due.take());
        if let Some(due) = due {
            self.deadlines.remove(&(due, channel, Due::Sync));
        }
    }

    /// Removes the watchers of a channel, whose clients are told to watch again.
    pub(super) fn lose_watchers(&mut self, channel: ChannelId, lose: &mut dyn FnMut(&W)) {
        let Some(presence) = self.channels.get_mut(&channel) else { return };
        let lost = presence.take_watchers();
        lost.iter().for_each(lose);
        self.counts.watchers -= lost.len() as u64;
        self.counts.lost += lost.len() as u64;
        self.release(lost.len() * super::WATCHER_BYTES);
        self.close_if_unneeded(channel);
    }
}
