//! The subscriptions of a session, by channel: one or a few for nearly everybody, so a sorted vector.

use super::EventFilter;
use crate::signing::Signed;
use sealwire_protocol::{ChannelId, tokens::ChannelClaims};

/// A verified channel token.
pub(super) type ChannelToken = Box<Signed<ChannelClaims>>;

pub(super) struct Subscription {
    /// The channel token, where the channel has claims.
    pub(super) token: Option<ChannelToken>,
    pub(super) events: EventFilter,
}

#[derive(Default)]
pub(super) struct Subscriptions(Vec<(ChannelId, Subscription)>);

impl Subscriptions {
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn find(&self, channel: ChannelId) -> Option<&Subscription> {
        self.index(channel).ok().map(|index| &self.0[index].1)
    }

    pub(super) fn find_mut(&mut self, channel: ChannelId) -> Option<&mut Subscription> {
        self.index(channel).ok().map(|index| &mut self.0[index].1)
    }

    pub(super) fn insert(&mut self, channel: ChannelId, subscription: Subscription) {
        match self.index(channel) {
            Ok(index) => self.0[index].1 = subscription,
            Err(index) => {
                if self.0.is_empty() {
                    self.0.reserve_exact(1);
                }
                self.0.insert(index, (channel, subscription));
            }
        }
    }

    pub(super) fn remove(&mut self, channel: ChannelId) -> Option<Subscription> {
        self.index(channel).ok().map(|index| self.0.remove(index).1)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (ChannelId, &Subscription)> {
        self.0.iter().map(|(channel, subscription)| (*channel, subscription))
    }

    fn index(&self, channel: ChannelId) -> Result<usize, usize> {
        self.0.binary_search_by_key(&channel, |(known, _)| *known)
    }
}
