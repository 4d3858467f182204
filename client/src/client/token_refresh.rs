//! Channel tokens that the client sends to the relay, and the relay's answers.

use crate::{
    Client, ClientError, Event, Now, RefreshId, SubscriptionId,
    state::{
        channel::WireState,
        channel_spec::check_token,
        requests::{Request, TokenSource},
        subscription::Progress,
    },
};
use sealwire_protocol::{
    ChannelId, ClaimsKeyring, Code,
    wire::{Refresh, ToRelay},
};

impl Client {
    /// Replaces the channel token of a subscription. Without a connection, or while the channel is being resumed, the next
    /// attempt uses the token. [`Event::RefreshDone`] completes the call.
    pub fn refresh_token(&mut self, now: Now, subscription: SubscriptionId, token: &str) -> RefreshId {
        let refresh = RefreshId(self.next_id());
        match self.begin_refresh(now, subscription, token, refresh) {
            Ok(true) => {}
            Ok(false) => self.events.push_back(Event::RefreshDone { refresh, result: Ok(()) }),
            Err(error) => self.events.push_back(Event::RefreshDone { refresh, result: Err(error) }),
        }
        self.advance(now);
        refresh
    }

    /// Returns true if the relay's answer completes the refresh.
    fn begin_refresh(
        &mut self,
        now: Now,
        id: SubscriptionId,
        token: &str,
        refresh: RefreshId,
    ) -> Result<bool, ClientError> {
        let Some(subscription) = self.subscriptions.get(&id) else {
            return Err(ClientError::new(Code::NotSubscribed, "the subscription has ended; subscribe again"));
        };
        let claims = check_token(token)?;
        if subscription.claims().map(|current| current.tag) != Some(claims.tag) {
            return Err(ClientError::new(
                Code::TokenIdentity,
                "the token has other claims than the subscription; subscribe again with it",
            ));
        }
        if let Some(channel) = subscription.channel() {
            self.add_claims_keys(now, channel, &claims);
            if self.channels.get(&channel).is_some_and(|channel| channel.is_on_wire()) {
                self.send_token(now, channel, claims, TokenSource::Refresh(refresh, id));
                return Ok(true);
            }
        }
        self.set_token(id, claims);
        Ok(false)
    }

    /// Sends the relay another token for a channel that is on the wire.
    pub(super) fn send_token(
        &mut self,
        now: Now,
        channel: ChannelId,
        claims: ClaimsKeyring,
        source: TokenSource,
    ) {
        let token = claims.jwt.clone();
        let deadline = self.request_deadline(now);
        let request = Request::RefreshToken { channel, claims, source };
        let request = self.requests.add(now.instant, deadline, request);
        let channel_id = self.wire_id(channel).into();
        self.send(&ToRelay::Refresh(Refresh { request, channel_id, token }));
    }

    /// Replaces the token of a subscription. A channel that waits for a token is subscribed with it.
    pub(super) fn set_token(&mut self, id: SubscriptionId, claims: ClaimsKeyring) {
        let Some(subscription) = self.subscriptions.get_mut(&id) else { return };
        subscription.set_token(claims);
        let channel = subscription.channel();
        if let Some(channel) = channel.and_then(|channel| self.channels.get_mut(&channel)) {
            channel.stop_awaiting_token();
        }
    }

    /// Handles that the relay accepted a token.
    pub(super) fn token_accepted(
        &mut self,
        now: Now,
        channel: ChannelId,
        claims: ClaimsKeyring,
        source: TokenSource,
        request: u32,
    ) {
        // A subscribe that the client sent after this token has replaced it at the relay by the token of the subscribe.
        let is_replaced = self.channels.get(&channel).is_some_and(|channel| {
            matches!(channel.wire(), WireState::AwaitingSubscribed { request: later, .. } if request < later)
        });
        if !is_replaced {
            self.set_channel_token(channel, claims.clone());
        }
        self.add_claims_keys(now, channel, &claims);
        let id = match source {
            TokenSource::Refresh(refresh, id) => {
                self.events.push_back(Event::RefreshDone { refresh, result: Ok(()) });
                id
            }
            TokenSource::Renewal(id) => id,
            TokenSource::Subscription(id) => {
                if let Some(subscription) = self.subscriptions.get_mut(&id) {
                    subscription.set_progress(Progress::AwaitingSubscribed(channel));
                    subscription.admit();
                }
                return;
            }
            TokenSource::Channel => return,
        };
        self.set_token(id, claims);
        if let Some(subscription) = self.subscriptions.get_mut(&id) {
            subscription.renewal.accept();
        }
        self.plan_renewal(now, id);
    }

    /// Handles that the relay did not accept a token.
    pub(super) fn token_rejected(
        &mut self,
        now: Now,
        channel: ChannelId,
        claims: ClaimsKeyring,
        source: TokenSource,
        error: ClientError,
    ) {
        // The channel had ended, so the relay has not checked the token.
        let is_unchecked = error.is(Code::NotSubscribed);
        match source {
            TokenSource::Refresh(refresh, id) if is_unchecked => {
                self.set_token(id, claims);
                self.events.push_back(Event::RefreshDone { refresh, result: Ok(()) });
            }
            TokenSource::Refresh(refresh, id) => {
                self.events.push_back(Event::RefreshDone { refresh, result: Err(error.clone()) });
                // The subscription may have waited for this token.
                if self.subscriptions.get(&id).is_some_and(|waiting| waiting.renewal.is_invalid())
                    && !self.await_token(now, id, &error)
                {
                    self.end_subscription(now, id, error);
                }
            }
            TokenSource::Renewal(id) if is_unchecked => self.set_token(id, claims),
            TokenSource::Renewal(id) => self.renewal_failed(now, id, error),
            TokenSource::Subscription(id) if is_unchecked => {
                if let Some(subscription) = self.subscriptions.get_mut(&id) {
                    subscription.set_progress(Progress::AwaitingSubscribed(channel));
                }
            }
            TokenSource::Subscription(id) => self.fail_subscription(now, id, error),
            TokenSource::Channel if is_unchecked => {}
            TokenSource::Channel if error.is_temporary() => {
                if let Some(channel) = self.channels.get_mut(&channel) {
                    channel.defer_token(now.instant);
                }
            }
            TokenSource::Channel => self.invalidate_token(now, channel, &claims.jwt, &error),
        }
    }
}
