//! The replacement of a token before it expires, without a reconnect. A fresh token may change only the expiry and the
//! permissions.

use super::{
    SessionAction, SessionConfig,
    deadlines::{Deadlines, Timer},
    established::{Actions, Established},
    grant::Grant,
};
use crate::{
    auth::{
        access,
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
        let fresh: Signed<SessionClaims> = config.keys.verify(token, now.wall.seconds())?;
        let fresh = Grant::new(&fresh);
        let seen = fresh.check_revoked(&config.revocations, Seen::default());
        let seen = seen.map_err(Revoked::refused)?;
        if !fresh.has_identity_of(&self.grant) {
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
        let Some(subscription) = self.subscriptions.find(channel) else {
            let message = "the session is not subscribed to this channel; subscribe with the new token";
            return Err(Refused::new(Code::NotSubscribed, message));
        };
        let other_claims = || {
            Refused::new(
                Code::TokenIdentity,
                "the claims of the new token differ from the subscription's; subscribe with the new token",
            )
        };
        let current = subscription.token.as_deref().ok_or_else(other_claims)?;
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
        access::check_permission(fresh.claims.can.subscribe, Permission::Subscribe, "channel token")?;
        let expires_at = fresh.claims.exp;
        deadlines.set(Timer::ChannelExpiry(channel), now.instant_of(expires_at.millis()));
        self.subscriptions.set_token(channel, Box::new(fresh));
        Ok(expires_at)
    }

    /// Ends all subscriptions if the fresh session token no longer permits subscribing.
    fn end_unpermitted(&mut self, deadlines: &mut Deadlines, actions: &mut Actions) {
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
