//! Channel tokens of live subscriptions: replacing them before they expire.

use crate::{
    Client, ClientError, Event, Now, RefreshId, SubscriptionId,
    requests::{AskedBy, Request},
    spec::check_token,
    subscription::Progress,
};
use sealwire_protocol::{
    ChannelId, ClaimsKeyring, Code,
    wire::{Refresh, ToRelay},
};

impl Client {
    /// Replaces the channel token of a subscription, for every subscription of that channel. While there is no
    /// connection the token is kept for the next one. Ends with [`Event::RefreshDone`].
    pub fn refresh_token(&mut self, now: Now, subscription: SubscriptionId, token: &str) -> RefreshId {
        let refresh = RefreshId(self.next_id());
        match self.begin_refresh(now, subscription, token, refresh) {
            Ok(true) => {}
            Ok(false) => self.events.push_back(Event::RefreshDone { refresh, result: Ok(()) }),
            Err(error) => self.events.push_back(Event::RefreshDone { refresh, result: Err(error) }),
        }
        refresh
    }

    /// Whether the relay is being asked.
    fn begin_refresh(
        &mut self,
        now: Now,
        id: SubscriptionId,
        token: &str,
        refresh: RefreshId,
    ) -> Result<bool, ClientError> {
        let Some(subscription) = self.subscriptions.get_mut(&id) else {
            return Err(ClientError::new(Code::NotSubscribed, "the subscription is over"));
        };
        let claims = check_token(token)?;
        if subscription.spec.claims.as_ref().map(|known| known.tag) != Some(claims.tag) {
            return Err(ClientError::new(
                Code::TokenIdentity,
                "the token has other claims than the subscription; subscribe anew with it",
            ));
        }
        subscription.spec.claims = Some(claims.clone());
        let Some(channel) = subscription.channel() else { return Ok(false) };
        if self.channels.get(&channel).is_some_and(|channel| channel.is_on_the_wire()) {
            self.show_token(now, channel, claims, AskedBy::Refresh(refresh));
            return Ok(true);
        }
        self.adopt_claims(channel, claims);
        Ok(false)
    }

    /// Shows the relay another token for a channel that is on the wire.
    pub(crate) fn show_token(
        &mut self,
        now: Now,
        channel: ChannelId,
        claims: ClaimsKeyring,
        asked_by: AskedBy,
    ) {
        let token = claims.jwt.clone();
        let deadline = now.instant.after(self.config.request_timeout_ms);
        let request =
            self.requests.open(now.instant, deadline, Request::RefreshToken { channel, claims, asked_by });
        self.send(&ToRelay::Refresh(Refresh { request, channel_id: channel.into(), token }));
    }

    /// The channel goes on with this token and its keys.
    pub(crate) fn adopt_claims(&mut self, id: ChannelId, claims: ClaimsKeyring) {
        let Some(channel) = self.channels.get_mut(&id) else { return };
        channel.spec.claims = Some(claims);
        if let Some(session) = &self.session {
            channel.keys = channel.spec.keys(session, &channel.scope);
        }
    }

    /// The relay took the token.
    pub(crate) fn token_taken(&mut self, channel: ChannelId, asked_by: AskedBy) {
        match asked_by {
            AskedBy::Refresh(refresh) => {
                self.events.push_back(Event::RefreshDone { refresh, result: Ok(()) })
            }
            AskedBy::Renewal => {}
            AskedBy::Subscription(id) => {
                if let Some(subscription) = self.subscriptions.get_mut(&id) {
                    subscription.progress = Progress::AwaitingSubscribed(channel);
                }
            }
        }
    }
}
