//! The ends of a session's part in a presence that the client did not ask for.

use super::{
    SessionAction,
    action::Actions,
    action::PresenceAction,
    deadlines::{Deadlines, Timer},
    established::Established,
    presences::PresenceGrant,
};
use crate::clock::Now;
use sealwire_protocol::{
    ChannelId, Code, UnixMillis,
    wire::{PresenceEnded, ToClient},
};

impl Established {
    /// Ends the session's part in a presence, and tells the client why.
    pub(super) fn end_presence(
        &mut self,
        channel: ChannelId,
        code: Code,
        message: &str,
        deadlines: &mut Deadlines,
        actions: &mut Actions,
    ) {
        let Some(grant) = self.presences.remove(channel) else { return };
        deadlines.clear(Timer::PresenceExpiry(channel));
        self.leave_for(channel, &grant, actions);
        let ended =
            PresenceEnded { channel_id: channel.into(), code: code.number(), message: message.to_owned() };
        actions.push_back(SessionAction::Send(ToClient::PresenceEnded(ended)));
    }

    /// Ends the session's part in a presence of which the relay lost track. A member of the session stays for the grace time.
    pub(super) fn lose_presence(
        &mut self,
        channel: ChannelId,
        deadlines: &mut Deadlines,
        actions: &mut Actions,
    ) {
        let Some(grant) = self.presences.find_mut(channel) else { return };
        if let Some(member) = grant.member.take() {
            actions.push_back(SessionAction::Presence(Box::new(PresenceAction::Depart { channel, member })));
        }
        let message = "the relay lost track of the members at other relays; enter and watch again";
        self.end_presence(channel, Code::BrokerUnavailable, message, deadlines, actions);
    }

    /// Ends the session's part in a presence whose channel token has expired. Returns the expiry if the token is still valid.
    pub(super) fn expire_presence(
        &mut self,
        channel: ChannelId,
        now: Now,
        deadlines: &mut Deadlines,
        actions: &mut Actions,
    ) -> Option<UnixMillis> {
        let expiry = self.presences.find(channel)?.token.as_ref()?.claims.exp.millis();
        if now.wall < expiry {
            return Some(expiry);
        }
        let message = "the channel token has expired; enter and watch again with a fresh one";
        self.end_presence(channel, Code::TokenExpired, message, deadlines, actions);
        None
    }

    /// Removes all members of the session at once, because it ends for a reason that permits no grace.
    pub(super) fn leave_all(&mut self, actions: &mut Actions) {
        for (channel, grant) in self.presences.take() {
            self.leave_for(channel, &grant, actions);
        }
    }

    fn leave_for(&self, channel: ChannelId, grant: &PresenceGrant, actions: &mut Actions) {
        if let Some(member) = grant.member {
            let leave = PresenceAction::Leave { request: None, channel, owner: self.owner(), member };
            actions.push_back(SessionAction::Presence(Box::new(leave)));
        }
        if grant.watches {
            actions.push_back(SessionAction::Presence(Box::new(PresenceAction::Unwatch(channel))));
        }
    }
}
