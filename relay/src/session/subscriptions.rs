//! The subscriptions of a session, sorted by channel: nearly all sessions have one or a few.

use super::EventFilter;
use crate::auth::signing_keys::Signed;
use sealwire_protocol::{ChannelId, tokens::ChannelClaims};
use smallvec::SmallVec;

/// The bytes of a subscription without filter and token, with its entries at the connection and in the fan-out table;
/// measured with one subscriber per channel and rounded up.
const SUBSCRIPTION: usize = 368;
/// The bytes of a channel token besides its texts, with its deadline; measured and rounded up.
const TOKEN: usize = 320;

/// A verified channel token.
pub(super) type ChannelToken = Box<Signed<ChannelClaims>>;

/// One subscription.
pub(super) struct Subscription {
    /// The channel token, if the channel has claims.
    pub(super) token: Option<ChannelToken>,
    pub(super) events: EventFilter,
}

impl Subscription {
    /// Returns the bytes of the subscription.
    fn footprint(&self) -> usize {
        SUBSCRIPTION + self.token.as_ref().map_or(0, token_footprint) + self.events.footprint()
    }
}

pub(super) fn token_footprint(token: &ChannelToken) -> usize {
    let claims = &token.claims;
    TOKEN + claims.iss.len() + claims.ins.len() + claims.ch.len()
}

#[derive(Default)]
pub(super) struct Subscriptions {
    /// The subscriptions, sorted by channel.
    list: SmallVec<[(ChannelId, Subscription); 1]>,
    /// The bytes of all subscriptions.
    footprint: usize,
}

impl Subscriptions {
    pub(super) fn len(&self) -> usize {
        self.list.len()
    }

    /// Returns the bytes of all subscriptions.
    pub(super) fn footprint(&self) -> usize {
        self.footprint
    }

    /// Returns the bytes of the event names in all filters except the one of `channel`.
    pub(super) fn filter_bytes_without(&self, channel: ChannelId) -> usize {
        let others = self.list.iter().filter(|(known, _)| *known != channel);
        others.map(|(_, subscription)| subscription.events.names_len()).sum()
    }

    pub(super) fn find(&self, channel: ChannelId) -> Option<&Subscription> {
        self.index(channel).ok().map(|index| &self.list[index].1)
    }

    /// Replaces the token of a subscription.
    pub(super) fn set_token(&mut self, channel: ChannelId, token: ChannelToken) {
        if let Ok(index) = self.index(channel) {
            let subscription = &mut self.list[index].1;
            self.footprint -= subscription.footprint();
            subscription.token = Some(token);
            self.footprint += subscription.footprint();
        }
    }

    pub(super) fn insert(&mut self, channel: ChannelId, subscription: Subscription) {
        self.footprint += subscription.footprint();
        match self.index(channel) {
            Ok(index) => {
                let former = std::mem::replace(&mut self.list[index].1, subscription);
                self.footprint -= former.footprint();
            }
            Err(index) => self.list.insert(index, (channel, subscription)),
        }
    }

    pub(super) fn remove(&mut self, channel: ChannelId) -> Option<Subscription> {
        let index = self.index(channel).ok()?;
        let subscription = self.list.remove(index).1;
        self.footprint -= subscription.footprint();
        Some(subscription)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (ChannelId, &Subscription)> {
        self.list.iter().map(|(channel, subscription)| (*channel, subscription))
    }

    fn index(&self, channel: ChannelId) -> Result<usize, usize> {
        self.list.binary_search_by_key(&channel, |(known, _)| *known)
    }
}
