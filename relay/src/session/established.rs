//! An established session: its grant, its subscriptions and the request that waits for the broker.

use super::{
    Identity, Refusal, SessionAction, SessionConfig,
    action::Actions,
    grant::Grant,
    pending::{PausedPublish, PendingRequest},
    presences::Presences,
    subscriptions::{ChannelToken, Subscriptions},
};
use crate::{
    auth::{
        access::{self, Namespace},
        revocations::Seen,
        signing_keys::Signed,
    },
    channel_name::ChannelName,
    clock::Now,
    limits::SessionPermit,
    refused::Refused,
    tenant::Tenant,
};
use sealwire_protocol::{
    ChannelId, Code, UnixMillis,
    tokens::{Permission, SessionClaims},
    wire::{Channel, Failed, ToClient},
};

/// The bytes of an established session besides its grant and subscriptions; measured and rounded up.
const BASE_BYTES: usize = 256;

/// A session whose token was accepted.
pub(super) struct Established {
    pub(super) grant: Grant,
    pub(super) subscriptions: Subscriptions,
    /// The last revocation that was checked; none up to it covers the session.
    pub(super) seen: Seen,
    pub(super) pending: Option<PendingRequest>,
    /// The last publication if it was refused temporarily. Boxed, because few sessions have one.
    pub(super) paused_publish: Option<Box<PausedPublish>>,
    pub(super) permit: SessionPermit,
    pub(super) presences: Presences,
}

impl Established {
    pub(super) fn new(signed: &Signed<SessionClaims>, permit: SessionPermit, seen: Seen) -> Self {
        let (grant, subscriptions, presences) =
            (Grant::new(signed), Subscriptions::default(), Presences::default());
        Self { grant, subscriptions, seen, pending: None, paused_publish: None, permit, presences }
    }

    pub(super) fn permit(&self) -> &SessionPermit {
        &self.permit
    }

    pub(super) fn is_waiting(&self) -> bool {
        self.pending.is_some()
    }

    /// Returns whether the session has neither a subscription nor a part in a presence.
    pub(super) fn has_no_channel(&self) -> bool {
        self.subscriptions.len() + self.presences.len() == 0
    }

    /// Returns the bytes of the session.
    pub(super) fn footprint(&self) -> usize {
        BASE_BYTES + self.grant.footprint() + self.subscriptions.footprint() + self.presences.footprint()
    }

    pub(super) fn identity(&self) -> Identity {
        let Namespace { app, installation } = self.namespace();
        Identity {
            app: app.to_owned(),
            installation: installation.to_owned(),
            account: Some(self.grant.account().to_owned()),
        }
    }

    pub(super) fn tenant(&self) -> Tenant {
        self.permit.tenant()
    }

    pub(super) fn namespace(&self) -> Namespace<'_> {
        self.permit.namespace()
    }

    pub(super) fn accepts(&self, channel: ChannelId, event: &str) -> bool {
        self.subscriptions.find(channel).is_some_and(|subscription| subscription.events.accepts(event))
    }

    pub(super) fn channel_expiries(&self) -> impl Iterator<Item = (ChannelId, UnixMillis)> {
        self.subscriptions.iter().filter_map(|(channel, subscription)| {
            Some((channel, subscription.token.as_ref()?.claims.exp.millis()))
        })
    }

    /// Returns the channels in whose presence the session has a part, with the expiry of their tokens.
    pub(super) fn presence_expiries(&self) -> impl Iterator<Item = (ChannelId, UnixMillis)> {
        self.presences
            .iter()
            .filter_map(|(channel, grant)| Some((channel, grant.token.as_ref()?.claims.exp.millis())))
    }

    /// Verifies that the client may use a channel with this permission, and returns the channel's id. Names the channel to an
    /// observer.
    pub(super) fn resolve(
        &self,
        channel: &Channel,
        permission: Permission,
        config: &SessionConfig,
        now: Now,
        actions: &mut Actions,
    ) -> Result<(ChannelId, Option<ChannelToken>), Refused> {
        access::check_permission(self.grant.can.allow(permission), permission, "session")?;
        // The client only names the properties; their values come from the verified session token.
        let scope = self.grant.keep(&channel.properties)?;
        let token = match &*channel.token {
            "" => None,
            token => Some(access::verify_channel_token(
                token,
                self.namespace(),
                &channel.name,
                &config.keys,
                now.wall,
            )?),
        };
        if let Some(Signed { claims, .. }) = &token {
            access::check_permission(claims.can.allow(permission), permission, "channel token")?;
        }
        let id = access::channel_id(
            self.namespace(),
            &scope,
            &channel.name,
            token.as_ref().map(|token| &token.claims),
        )?;
        if config.names_channels {
            let (name, has_token) = (channel.name.clone(), token.is_some());
            let name = ChannelName { channel: id, name, scope, has_token };
            actions.push_back(SessionAction::Name(Box::new(name)));
        }
        Ok((id, token.map(Box::new)))
    }

    /// Refuses a request. The session continues.
    pub(super) fn fail(&self, attempt: &'static str, request: u32, refused: Refused, actions: &mut Actions) {
        actions.push_back(self.refusal(attempt, refused.code));
        actions.push_back(failed(request, refused));
    }

    pub(super) fn refusal(&self, attempt: &'static str, code: Code) -> SessionAction {
        SessionAction::Audit(Refusal { attempt, code, identity: Some(self.identity()) })
    }
}

impl Drop for Established {
    fn drop(&mut self) {
        let is_subscribing = match &self.pending {
            Some(PendingRequest::Subscribe(pending)) => self.subscriptions.find(pending.channel).is_none(),
            _ => false,
        };
        self.permit.release_subscriptions(self.subscriptions.len() + usize::from(is_subscribing));
    }
}

pub(super) fn failed(request: u32, refused: Refused) -> SessionAction {
    let retry_after_ms = refused.retry_after_ms();
    let failed = Failed::new(request, refused.code, refused.message);
    SessionAction::Send(ToClient::Failed(Failed { retry_after_ms, ..failed }))
}

#[cfg(test)]
mod tests {
    use super::Established;

    #[test]
    fn an_established_session_has_at_most_160_bytes() {
        // It is an allocation of its own, and 160 is a size class of jemalloc.
        assert!(size_of::<Established>() <= 160, "{}", size_of::<Established>());
    }
}
