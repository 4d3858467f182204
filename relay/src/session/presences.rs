//! The channels in whose presence a session has a part, in a vector: most sessions have none, and some have one.

use super::subscriptions::{ChannelToken, token_footprint};
use crate::{limits::Bucket, presence::MemberId};
use sealwire_protocol::ChannelId;

/// The bytes of a part without a token, with its entries at the connection; measured by `process::counted` and rounded up, since
/// vectors double.
const PART: usize = 256;

/// A session's part in the presence of a channel.
#[derive(Default)]
pub(super) struct PresenceGrant {
    /// The channel token of the last request, if the channel has claims.
    pub(super) token: Option<ChannelToken>,
    /// The session's member.
    pub(super) member: Option<MemberId>,
    pub(super) watches: bool,
}

/// The parts of a session. Boxed, because most sessions have none.
#[derive(Default)]
pub(super) struct Presences(Option<Box<Parts>>);

#[derive(Default)]
struct Parts {
    list: Vec<(ChannelId, PresenceGrant)>,
    /// The rate of requests, which outlives the parts.
    rate: Bucket,
}

impl Presences {
    pub(super) fn len(&self) -> usize {
        self.list().len()
    }

    /// Returns the bytes of all parts.
    pub(super) fn footprint(&self) -> usize {
        let tokens = self.list().iter().filter_map(|(_, grant)| grant.token.as_ref());
        self.len() * PART + tokens.map(token_footprint).sum::<usize>()
    }

    pub(super) fn rate(&mut self) -> &mut Bucket {
        &mut self.0.get_or_insert_default().rate
    }

    /// Returns whether the session is a member of a channel.
    pub(super) fn have_member(&self) -> bool {
        self.list().iter().any(|(_, grant)| grant.member.is_some())
    }

    pub(super) fn find(&self, channel: ChannelId) -> Option<&PresenceGrant> {
        self.list().iter().find(|(known, _)| *known == channel).map(|(_, grant)| grant)
    }

    pub(super) fn find_mut(&mut self, channel: ChannelId) -> Option<&mut PresenceGrant> {
        let list = &mut self.0.as_mut()?.list;
        list.iter_mut().find(|(known, _)| *known == channel).map(|(_, grant)| grant)
    }

    /// Returns the part of a channel, which it adds if there is none, with another token.
    pub(super) fn open(&mut self, channel: ChannelId, token: Option<ChannelToken>) -> &mut PresenceGrant {
        let list = &mut self.0.get_or_insert_default().list;
        let index = list.iter().position(|(known, _)| *known == channel).unwrap_or_else(|| {
            list.push((channel, PresenceGrant::default()));
            list.len() - 1
        });
        let grant = &mut list[index].1;
        grant.token = token;
        grant
    }

    pub(super) fn set_token(&mut self, channel: ChannelId, token: ChannelToken) {
        if let Some(grant) = self.find_mut(channel) {
            grant.token = Some(token);
        }
    }

    pub(super) fn remove(&mut self, channel: ChannelId) -> Option<PresenceGrant> {
        let list = &mut self.0.as_mut()?.list;
        let index = list.iter().position(|(known, _)| *known == channel)?;
        Some(list.swap_remove(index).1)
    }

    /// Removes all parts.
    pub(super) fn take(&mut self) -> Vec<(ChannelId, PresenceGrant)> {
        self.0.as_mut().map(|parts| std::mem::take(&mut parts.list)).unwrap_or_default()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (ChannelId, &PresenceGrant)> {
        self.list().iter().map(|(channel, grant)| (*channel, grant))
    }

    fn list(&self) -> &[(ChannelId, PresenceGrant)] {
        self.0.as_ref().map_or(&[], |parts| &parts.list)
    }
}
