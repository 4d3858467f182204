//! Round-robin scheduling of a shard. Tenants take turns, and so do the channels of each tenant; a turn has a bounded
//! number of deliveries. A channel with many subscribers needs several turns for one publication, and other channels
//! take theirs in between.

use super::deliveries::Delivery;
use crate::session_id::SessionId;
use crate::tenant::ByHash;
use sealwire_protocol::ChannelId;
use std::collections::{HashMap, VecDeque};

/// The maximum number of publications that one pass delivers to all subscribers of a channel.
const MAX_BATCH: usize = 64;

/// The publications that wait for delivery, and the order of turns.
#[derive(Default)]
pub(super) struct Rotation {
    /// The installations with waiting publications, the next one first.
    tenants: VecDeque<u64>,
    /// The channels of each installation, the next one first.
    channels: ByHash<VecDeque<ChannelId>>,
    waiting: HashMap<ChannelId, ChannelBacklog>,
}

/// The waiting publications of one channel, and the progress of its current pass.
#[derive(Default)]
pub(super) struct ChannelBacklog {
    deliveries: VecDeque<Delivery>,
    /// The number of publications in the current pass; 0 if no pass is under way.
    batch: usize,
    /// The last subscriber that the current pass reached.
    after: Option<SessionId>,
}

/// One turn of a channel.
pub(super) struct Turn<'a> {
    pub(super) channel: ChannelId,
    waiting: &'a ChannelBacklog,
}

impl Rotation {
    pub(super) fn is_empty(&self) -> bool {
        self.tenants.is_empty()
    }

    /// Appends a publication to its channel's backlog.
    pub(super) fn add(&mut self, delivery: Delivery) {
        let (channel, installation) = (delivery.publication().channel(), delivery.tenant().installation);
        let waiting = self.waiting.entry(channel).or_default();
        waiting.deliveries.push_back(delivery);
        if waiting.deliveries.len() > 1 {
            return;
        }
        let channels = self.channels.entry(installation).or_default();
        if channels.is_empty() {
            self.tenants.push_back(installation);
        }
        channels.push_back(channel);
    }

    /// Runs the turn of the next channel. Returns whether there was one. `deliver` returns the last subscriber that it
    /// reached, or `None` at the end of the pass; `delivered` receives every publication whose pass has ended.
    pub(super) fn take_turn(
        &mut self,
        deliver: impl FnOnce(&Turn<'_>) -> Option<SessionId>,
        mut delivered: impl FnMut(&Delivery),
    ) -> bool {
        let Some(installation) = self.tenants.pop_front() else { return false };
        let Some(channels) = self.channels.get_mut(&installation) else { return false };
        let Some(channel) = channels.pop_front() else { return false };
        let Some(waiting) = self.waiting.get_mut(&channel) else { return false };
        if waiting.batch == 0 {
            waiting.batch = waiting.deliveries.len().min(MAX_BATCH);
        }
        waiting.after = deliver(&Turn { channel, waiting });
        if waiting.after.is_none() {
            let batch = std::mem::take(&mut waiting.batch);
            waiting.deliveries.drain(..batch).for_each(|delivery| delivered(&delivery));
        }
        if waiting.deliveries.is_empty() {
            self.waiting.remove(&channel);
        } else {
            channels.push_back(channel);
        }
        if channels.is_empty() {
            self.channels.remove(&installation);
        } else {
            self.tenants.push_back(installation);
        }
        true
    }
}

impl<'a> Turn<'a> {
    /// Returns the publications of the current pass.
    pub(super) fn batch(&self) -> impl ExactSizeIterator<Item = &'a Delivery> + Clone + use<'a> {
        self.waiting.deliveries.range(..self.waiting.batch)
    }

    /// Returns the subscriber after which the pass continues.
    pub(super) fn after(&self) -> Option<SessionId> {
        self.waiting.after
    }
}

#[cfg(test)]
mod tests;
