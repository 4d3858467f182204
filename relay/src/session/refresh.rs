//! The replacement of a token before it expires, without a reconnect. A fresh token may change only the expiry and the
//! permissions.

use super::{
    SessionAction, SessionConfig,
    action::Actions,
    deadlines::{Deadlines, Timer},
    established::Established,
    grant::Grant,
};
use crate::{
    auth::{
        access::{self, Namespace},
        revocations::{Revoked, Seen},
        signing_keys::Signed,
    },
    clock::Now,
    refused::Refused,
};
use sealwire_protocol::{
    ChannelId, Code, UnixSeconds,
    tokens::{Permission, SessionClaims},
    wire::{Refresh, Refreshed, ToClient},
};

impl Established {
    pub(super) fn refresh(
        &mut self,
        message: &Refresh,
        config: &SessionConfig,
        now: Now,
        deadlines: &mut Deadlines,
        actions: &mut Actions,
    ) {
        let result = match message.channel_id() {
            None => self.refresh_session(&message.token, config, now, deadlines),
            Some(channel) => self.refresh_channel(channel, &message.token, config, now, deadlines),
        };
        match result {
            Ok(expires_at) => {
                let answer = Refreshed { request: message.request, expires_at: expires_at.0 };
                actions.push_back(SessionAction::Send(ToClient::Refreshed(answer)));
                self.end_unpermitted(deadlines, actions);
                self.extend_members(now, actions);
            }
            Err(refused) => self.fail("refresh", message.request, refused, actions),
        }
    }

    fn refresh_session(
        &mut self,
        token: &str,
        config: &SessionConfig,
        now: Now,
        deadlines: &mut Deadlines,
    ) -> Result<UnixSeconds, Refused> {
        let signed: Signed<SessionClaims> = config.keys.verify(token, now.wall.seconds())?;
        let namespace = Namespace { app: &signed.claims.iss, installation: &signed.claims.ins };
        let fresh = Grant::new(&signed);
        let seen = fresh.check_revoked(namespace, &config.revocations, Seen::default());
        let seen = seen.map_err(Revoked::refused)?;
        if namespace != self.namespace() || !fresh.has_identity_of(&self.grant) {
            let message = "the new token is for another app, installation, account or context; open a new connection for it";
            return Err(Refused::new(Code::TokenIdentity, message));
        }
        deadlines.set(Timer::SessionExpiry, now.instant_of(fresh.exp.millis()));
        (self.grant, self.seen) = (fresh, seen);
        Ok(self.grant.exp)
    }

    fn refresh_channel(
        &mut self,
        channel: ChannelId,
        token: &str,
        config: &SessionConfig,
        now: Now,
        deadlines: &mut Deadlines,
    ) -> Result<UnixSeconds, Refused> {
        let subscribed = self.subscriptions.find(channel).map(|subscription| subscription.token.as_deref());
        let present = self.presences.find(channel).map(|grant| grant.token.as_deref());
        // The tokens of both are for the same claims, which are part of the channel's id.
        let Some(current) = subscribed.or(present) else {
            let message = "the session is not subscribed to this channel; subscribe with the new token";
            return Err(Refused::new(Code::NotSubscribed, message));
        };
        let (is_subscribed, is_present) = (subscribed.is_some(), present.is_some());
        let other_claims = || {
            Refused::new(
                Code::TokenIdentity,
                "the claims of the new token differ from the subscription's; subscribe with the new token",
            )
        };
        let current = current.ok_or_else(other_claims)?;
        let fresh = access::verify_channel_token(
            token,
            self.namespace(),
            &current.claims.ch,
            &config.keys,
            now.wall,
        )?;
        if fresh.claims.tag != current.claims.tag {
            return Err(other_claims());
        }
        let can = fresh.claims.can;
        if is_subscribed || !is_present {
            access::check_permission(can.subscribe, Permission::Subscribe, "channel token")?;
        } else {
            access::check_permission(can.presence, Permission::Presence, "channel token")?;
        }
        let (expires_at, fresh) = (fresh.claims.exp, Box::new(fresh));
        let expiry = now.instant_of(expires_at.millis());
        // Without the permission, the present token of the session's part in the presence stays.
        if is_present && can.presence {
            deadlines.set(Timer::PresenceExpiry(channel), expiry);
            self.presences.set_token(channel, fresh.clone());
        }
        if is_subscribed {
            deadlines.set(Timer::ChannelExpiry(channel), expiry);
            self.subscriptions.set_token(channel, fresh);
        }
        Ok(expires_at)
    }

    /// Ends all subscriptions if the fresh session token no longer permits subscribing, and the session's part in all
    /// presences if it no longer permits presence.
    fn end_unpermitted(&mut self, deadlines: &mut Deadlines, actions: &mut Actions) {
        if !self.grant.can.presence {
            let unpermitted: Vec<ChannelId> = self.presences.iter().map(|(channel, _)| channel).collect();
            for channel in unpermitted {
                let message = "the new session token does not permit presence";
                self.end_presence(channel, Code::PermissionMissing, message, deadlines, actions);
            }
        }
        if self.grant.can.subscribe {
            return;
        }
        let unpermitted: Vec<ChannelId> = self.subscriptions.iter().map(|(channel, _)| channel).collect();
        for channel in unpermitted {
            deadlines.clear(Timer::ChannelExpiry(channel));
            let message = "the new session token does not permit subscribing";
            self.end(channel, Code::PermissionMissing, message, actions);
        }
    }
}
