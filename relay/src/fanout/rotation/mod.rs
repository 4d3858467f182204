//! The order of turns at a shard. Tenants take turns, and so do the channels of each; a turn has a bounded number of
//! deliveries. A channel with very many subscribers takes many turns for one publication, with other channels in between.

use super::deliveries::Delivery;
use crate::session_id::SessionId;
use crate::tenant::ByHash;
use sealwire_protocol::ChannelId;
use std::collections::{HashMap, VecDeque};

/// Most publications that a channel's subscribers get in one pass.
const BATCH: usize = 64;

/// Publications that wait for their subscribers.
#[derive(Default)]
pub(super) struct Rotation {
    /// The next one first.
    tenants: VecDeque<u64>,
    /// The channels of each, the next one first.
    channels: ByHash<VecDeque<ChannelId>>,
    waiting: HashMap<ChannelId, Waiting>,
}

/// The publications that wait on one channel.
#[derive(Default)]
pub(super) struct Waiting {
    deliveries: VecDeque<Delivery>,
    /// So many of them are on a pass through the subscribers.
    batch: usize,
    /// The pass came as far as this.
    after: Option<SessionId>,
}

/// A channel's turn.
pub(super) struct Turn<'a> {
    pub(super) channel: ChannelId,
    waiting: &'a Waiting,
}

impl Rotation {
    pub(super) fn is_empty(&self) -> bool {
        self.tenants.is_empty()
    }

    /// Adds a publication behind those of its channel.
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

    /// Gives the next channel its turn, if there is one. `deliver` returns the subscriber behind whom the next turn goes
    /// on, or nothing where all had theirs; `over` gets every publication that all had.
    pub(super) fn turn(
        &mut self,
        deliver: impl FnOnce(&Turn<'_>) -> Option<SessionId>,
        mut over: impl FnMut(&Delivery),
    ) -> bool {
        let Some(installation) = self.tenants.pop_front() else { return false };
        let Some(channels) = self.channels.get_mut(&installation) else { return false };
        let Some(channel) = channels.pop_front() else { return false };
        let Some(waiting) = self.waiting.get_mut(&channel) else { return false };
        if waiting.batch == 0 {
            waiting.batch = waiting.deliveries.len().min(BATCH);
        }
        waiting.after = deliver(&Turn { channel, waiting });
        if waiting.after.is_none() {
            let batch = std::mem::take(&mut waiting.batch);
            waiting.deliveries.drain(..batch).for_each(|delivery| over(&delivery));
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
    /// The publications of this pass.
    pub(super) fn batch(&self) -> impl ExactSizeIterator<Item = &'a Delivery> + Clone + use<'a> {
        self.waiting.deliveries.range(..self.waiting.batch)
    }

    /// The subscriber behind whom it goes on.
    pub(super) fn after(&self) -> Option<SessionId> {
        self.waiting.after
    }
}

#[cfg(test)]
mod tests;
