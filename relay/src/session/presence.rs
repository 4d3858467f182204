//! Presence: the checks of a session's requests to enter, leave and watch, and the end of its part in a presence.

use super::{
    SessionAction, SessionConfig,
    action::Actions,
    action::PresenceAction,
    deadlines::{Deadlines, Timer},
    established::Established,
    presences::PresenceGrant,
    subscriptions::ChannelToken,
};
use crate::{
    clock::Now,
    limits::{Limit, Limits},
    presence::{Entry, MemberId, Owner},
    refused::Refused,
};
use bytes::Bytes;
use sealwire_protocol::{
    ChannelId, Code,
    tokens::Permission,
    wire::{
        Channel, PresenceAccepted, PresenceEnter, PresenceLeave, PresenceUnwatch, PresenceWatch, ToClient,
        ToRelay,
    },
};
use std::time::Instant;

/// The name of the attempt in the audit log.
const ATTEMPT: &str = "presence";
/// The length of the shortest sealed entry, in bytes: version, key id, nonce and tag.
const MIN_ENTRY: usize = 1 + 4 + 24 + 16;

impl Established {
    /// Handles a request about presence.
    pub(super) fn presence(
        &mut self,
        message: ToRelay,
        config: &SessionConfig,
        now: Now,
        deadlines: &mut Deadlines,
        actions: &mut Actions,
    ) {
        match message {
            ToRelay::PresenceEnter(enter) => self.enter(enter, config, now, deadlines, actions),
            ToRelay::PresenceLeave(leave) => self.leave(&leave, deadlines, actions),
            ToRelay::PresenceWatch(watch) => self.watch(watch, config, now, deadlines, actions),
            ToRelay::PresenceUnwatch(unwatch) => self.unwatch(&unwatch, deadlines, actions),
            _ => {}
        }
    }

    fn enter(
        &mut self,
        message: PresenceEnter,
        config: &SessionConfig,
        now: Now,
        deadlines: &mut Deadlines,
        actions: &mut Actions,
    ) {
        let PresenceEnter { request, channel, member, number, sealed } = message;
        let channel = channel.unwrap_or_default();
        let entry = check_entry(&member, number, &sealed, &config.limits);
        let checked =
            entry.and_then(|entry| Ok((self.check_presence(&channel, config, now, actions)?, entry)));
        match checked {
            Ok(((channel, token), entry)) => {
                if let Err(refused) = self.check_one_member(channel, entry.member) {
                    return self.fail(ATTEMPT, request, refused, actions);
                }
                self.open_presence(channel, token, now, deadlines);
                let (owner, expires) = (self.owner(), self.presence_expiry(channel, now));
                let enter = PresenceAction::Enter { request, channel, owner, entry, expires };
                actions.push_back(SessionAction::Presence(Box::new(enter)));
            }
            Err(refused) => self.fail(ATTEMPT, request, refused, actions),
        }
    }

    /// Completes a [`PresenceAction::Enter`].
    pub(super) fn handle_entered(
        &mut self,
        request: u32,
        (channel, member): (ChannelId, MemberId),
        result: Result<(), Refused>,
        deadlines: &mut Deadlines,
        actions: &mut Actions,
    ) {
        match result {
            Ok(()) => {
                if let Some(grant) = self.presences.find_mut(channel) {
                    grant.member = Some(member);
                }
                actions.push_back(accepted(request, channel));
            }
            Err(refused) => {
                // A session whose member another one has taken over is no member any more.
                if let Some(grant) = self.presences.find_mut(channel)
                    && refused.code == Code::MemberConflict
                {
                    grant.member = None;
                }
                self.close_unused_presence(channel, deadlines);
                self.fail(ATTEMPT, request, refused, actions);
            }
        }
    }

    fn leave(&mut self, message: &PresenceLeave, deadlines: &mut Deadlines, actions: &mut Actions) {
        let channel = message.channel_id();
        // The codec refuses an id of another length.
        let Ok(member) = MemberId::try_from(message.member.as_ref()) else { return };
        if let Some(grant) = self.presences.find_mut(channel)
            && grant.member == Some(member)
        {
            grant.member = None;
        }
        self.close_unused_presence(channel, deadlines);
        let (request, owner) = (Some(message.request), self.owner());
        let leave = PresenceAction::Leave { request, channel, owner, member };
        actions.push_back(SessionAction::Presence(Box::new(leave)));
    }

    /// Completes a [`PresenceAction::Leave`].
    pub(super) fn handle_left(
        &mut self,
        request: u32,
        channel: ChannelId,
        result: Result<(), Refused>,
        actions: &mut Actions,
    ) {
        match result {
            Ok(()) => actions.push_back(accepted(request, channel)),
            Err(refused) => self.fail(ATTEMPT, request, refused, actions),
        }
    }

    fn watch(
        &mut self,
        message: PresenceWatch,
        config: &SessionConfig,
        now: Now,
        deadlines: &mut Deadlines,
        actions: &mut Actions,
    ) {
        let PresenceWatch { request, channel } = message;
        match self.check_presence(&channel.unwrap_or_default(), config, now, actions) {
            Ok((channel, token)) => {
                self.open_presence(channel, token, now, deadlines).watches = true;
                // The answer precedes the state.
                actions.push_back(accepted(request, channel));
                actions.push_back(SessionAction::Presence(Box::new(PresenceAction::Watch(channel))));
            }
            Err(refused) => self.fail(ATTEMPT, request, refused, actions),
        }
    }

    fn unwatch(&mut self, message: &PresenceUnwatch, deadlines: &mut Deadlines, actions: &mut Actions) {
        let channel = message.channel_id();
        if let Some(grant) = self.presences.find_mut(channel) {
            grant.watches = false;
            self.close_unused_presence(channel, deadlines);
            actions.push_back(SessionAction::Presence(Box::new(PresenceAction::Unwatch(channel))));
        }
        actions.push_back(accepted(message.request, channel));
    }

    /// Requests that the present expiry of the tokens applies to the session's members.
    pub(super) fn extend_members(&self, now: Now, actions: &mut Actions) {
        for (channel, grant) in self.presences.iter() {
            self.extend_member(channel, grant, now, actions);
        }
    }

    pub(super) fn extend_member(
        &self,
        channel: ChannelId,
        grant: &PresenceGrant,
        now: Now,
        actions: &mut Actions,
    ) {
        if let Some(member) = grant.member {
            let expires = self.presence_expiry(channel, now);
            let extend = PresenceAction::Extend { channel, member, expires };
            actions.push_back(SessionAction::Presence(Box::new(extend)));
        }
    }

    /// Checks the permission, the rate and the session's number of channels with presence.
    fn check_presence(
        &mut self,
        channel: &Channel,
        config: &SessionConfig,
        now: Now,
        actions: &mut Actions,
    ) -> Result<(ChannelId, Option<ChannelToken>), Refused> {
        self.permit.check_presence(self.presences.rate(), now.monotonic)?;
        let (id, token) = self.resolve(channel, Permission::Presence, config, now, actions)?;
        if !config.has_presence {
            let message = "this relay has no presence, because its broker does not support it";
            return Err(Refused::new(Code::PresenceUnsupported, message));
        }
        if self.presences.find(id).is_none() {
            if self.presences.len() >= config.limits.settings().max_presence_channels {
                return Err(config.limits.refuse(Limit::PresenceChannels));
            }
            config.limits.check_memory(self.presences.footprint())?;
        }
        Ok((id, token))
    }

    /// Refuses a second member of the session on one channel.
    fn check_one_member(&self, channel: ChannelId, member: MemberId) -> Result<(), Refused> {
        match self.presences.find(channel).and_then(|grant| grant.member) {
            Some(present) if present != member => Err(Refused::new(
                Code::MemberConflict,
                "the session has a member with another id on this channel; leave with that id first",
            )),
            _ => Ok(()),
        }
    }

    /// Returns the session's part in a presence, with the token of this request.
    fn open_presence(
        &mut self,
        channel: ChannelId,
        token: Option<ChannelToken>,
        now: Now,
        deadlines: &mut Deadlines,
    ) -> &mut PresenceGrant {
        if let Some(token) = &token {
            deadlines.set(Timer::PresenceExpiry(channel), now.instant_of(token.claims.exp.millis()));
        }
        self.presences.open(channel, token)
    }

    fn close_unused_presence(&mut self, channel: ChannelId, deadlines: &mut Deadlines) {
        let is_unused = |grant: &PresenceGrant| grant.member.is_none() && !grant.watches;
        if self.presences.find(channel).is_some_and(is_unused) {
            self.presences.remove(channel);
            deadlines.clear(Timer::PresenceExpiry(channel));
        }
    }

    /// Returns the earlier expiry of the session token and the channel token.
    fn presence_expiry(&self, channel: ChannelId, now: Now) -> Instant {
        let token = self.presences.find(channel).and_then(|grant| grant.token.as_ref());
        let expires = token.map_or(self.grant.exp, |token| token.claims.exp.min(self.grant.exp));
        now.instant_of(expires.millis())
    }

    pub(super) fn owner(&self) -> Owner {
        Owner { installation: self.permit.tenant().installation, account: self.permit.account() }
    }
}

fn check_entry(member: &Bytes, number: u64, sealed: &Bytes, limits: &Limits) -> Result<Entry, Refused> {
    let max = limits.settings().max_presence_entry_bytes;
    if sealed.len() > max {
        return Err(limits.refuse(Limit::PresenceEntryBytes));
    }
    if sealed.len() < MIN_ENTRY {
        let message = format!("a sealed entry has at least {MIN_ENTRY} bytes, not {}; seal it", sealed.len());
        return Err(Refused::new(Code::MessageSize, message));
    }
    let member = member
        .as_ref()
        .try_into()
        .map_err(|_| Refused::new(Code::MalformedFrame, "the member id has the wrong size; use 16 bytes"))?;
    // The bytes of the message are part of a larger buffer, which the entry must not keep.
    Ok(Entry { member, number, sealed: Bytes::copy_from_slice(sealed) })
}

fn accepted(request: u32, channel: ChannelId) -> SessionAction {
    SessionAction::Send(ToClient::PresenceAccepted(PresenceAccepted { request, channel_id: channel.into() }))
}
