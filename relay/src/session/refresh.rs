//! Replacing a token before it expires, without a reconnect and without widening anything but time and permissions.

use super::{
    SessionAction, SessionConfig,
    deadlines::{Deadlines, Timer},
    established::{Actions, Open},
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

impl Open {
    pub(super) fn refresh(
        &mut self,
        message: &Refresh,
        terms: &SessionConfig,
        now: Now,
        deadlines: &mut Deadlines,
        actions: &mut Actions,
    ) {
        let result = match message.channel_id() {
            None => self.refresh_session(&message.token, terms, now, deadlines),
            Some(channel) => self.refresh_channel(channel, &message.token, terms, now, deadlines),
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
        terms: &SessionConfig,
        now: Now,
        deadlines: &mut Deadlines,
    ) -> Result<UnixSeconds, Refused> {
        let fresh: Signed<SessionClaims> = terms.keys.verify(token, now.wall.seconds())?;
        let fresh = Grant::new(&fresh);
        let seen = fresh.check_revoked(&terms.revocations, Seen::default());
        let seen = seen.map_err(Revoked::refused)?;
        if !fresh.has_identity_of(&self.grant) {
            let message =
                "the new token is for another app, installation, account or context; open a new connection";
            return Err(Refused::new(Code::TokenIdentity, message));
        }
        deadlines.set(Timer::SessionExpiry, now.when(fresh.exp.millis()));
        (self.grant, self.seen) = (fresh, seen);
        Ok(self.grant.exp)
    }

    fn refresh_channel(
        &mut self,
        channel: ChannelId,
        token: &str,
        terms: &SessionConfig,
        now: Now,
        deadlines: &mut Deadlines,
    ) -> Result<UnixSeconds, Refused> {
        let Some(subscription) = self.subscriptions.find(channel) else {
            let message = "the connection is not subscribed to this channel; subscribe with the new token";
            return Err(Refused::new(Code::NotSubscribed, message));
        };
        let other_claims =
            || Refused::new(Code::TokenIdentity, "the new token has other claims than the subscription's");
        let current = subscription.token.as_deref().ok_or_else(other_claims)?;
        let fresh =
            access::verify_channel_token(token, self.namespace(), &current.claims.ch, &terms.keys, now.wall)?;
        if fresh.claims.tag != current.claims.tag {
            return Err(other_claims());
        }
        access::check_permission(fresh.claims.can.subscribe, Permission::Subscribe, "channel token")?;
        let expires_at = fresh.claims.exp;
        deadlines.set(Timer::ChannelExpiry(channel), now.when(expires_at.millis()));
        self.subscriptions.set_token(channel, Box::new(fresh));
        Ok(expires_at)
    }

    /// A fresh session token may permit less than the one before.
    fn end_unpermitted(&mut self, deadlines: &mut Deadlines, actions: &mut Actions) {
        if self.grant.can.subscribe {
            return;
        }
        let unpermitted: Vec<ChannelId> = self.subscriptions.iter().map(|(channel, _)| channel).collect();
        for channel in unpermitted {
            deadlines.clear(Timer::ChannelExpiry(channel));
            let message = "the new token does not permit to subscribe";
            self.end(channel, Code::PermissionMissing, message, actions);
        }
    }
}
