//! Channel tokens from a function of the app. The client requests the next token before the current one expires, retries
//! while the current one is valid, and requests one more after the relay rejected the current one.

use crate::{
    Client, ClientError, Event, Now, SubscriptionId,
    event::RenewalId,
    state::{
        channel::WireState,
        channel_spec::check_token,
        requests::TokenSource,
        subscription::Subscription,
        token_lifetime::{renewal_wait, retry_wait},
    },
};
use sealwire_protocol::{ChannelId, ClaimsKeyring, CloseCode, Code};

impl Client {
    /// Declares that the app has a function that provides tokens for this subscription. [`Event::TokenRequested`] calls it.
    pub fn enable_token_renewal(&mut self, now: Now, id: SubscriptionId) {
        let Some(subscription) = self.subscriptions.get_mut(&id) else { return };
        subscription.make_renewable();
        if subscription.is_confirmed() && subscription.renewal.due_at().is_none() {
            self.plan_renewal(now, id);
        }
    }

    /// Handles the token that the app provided.
    pub fn handle_token(&mut self, now: Now, renewal: RenewalId, token: &str) {
        let Some(id) = self.take_renewal(renewal) else { return };
        match self.check_renewed(id, token) {
            Ok(claims) => self.token_renewed(now, id, claims),
            Err(error) => self.token_not_provided(now, id, error),
        }
        self.advance(now);
    }

    /// Handles that the app could not provide a token. The client asks again while the current token is valid; then the
    /// subscription ends.
    pub fn handle_token_failed(&mut self, now: Now, renewal: RenewalId, error: ClientError) {
        let Some(id) = self.take_renewal(renewal) else { return };
        self.token_not_provided(now, id, error);
        self.advance(now);
    }

    /// Plans the next renewal after 70 to 85 % of the token's remaining time.
    pub(super) fn plan_renewal(&mut self, now: Now, id: SubscriptionId) {
        let remaining = self.token_remaining_ms(now, id);
        let Some(subscription) = self.subscriptions.get_mut(&id) else { return };
        if !subscription.is_renewable()
            || subscription.renewal.is_pending()
            || subscription.renewal.is_invalid()
        {
            return;
        }
        let wait = renewal_wait(remaining, &mut *self.entropy);
        subscription.renewal.schedule(now.instant.after(wait));
    }

    /// Requests the tokens that are due, and gives up the requests that the app has not answered in time.
    pub(super) fn renew_tokens(&mut self, now: Now) {
        for id in self.subscriptions.keys() {
            let Some(subscription) = self.subscriptions.get_mut(&id) else { continue };
            if !subscription.renewal.take_due(now.instant) {
                continue;
            }
            if subscription.renewal.expire() {
                let message = "the app did not provide a channel token in time";
                self.token_not_provided(now, id, ClientError::new(Code::SessionUnavailable, message));
            } else {
                self.request_token(now, id, false);
            }
        }
    }

    /// Handles that the relay no longer accepts a subscription's token. Returns true if the subscription waits for another
    /// one.
    pub(super) fn await_token(&mut self, now: Now, id: SubscriptionId, error: &ClientError) -> bool {
        let is_refreshing = self.requests.has_token_of_subscription(id);
        let has_ended = self.token_remaining_ms(now, id) == 0;
        let Some(subscription) = self.subscriptions.get_mut(&id) else { return false };
        let can_renew = subscription.is_renewable() && !subscription.renewal.was_rejected_twice(has_ended);
        let is_unauthorized = error.code.class() == Some(CloseCode::Unauthorized);
        if !subscription.is_confirmed() || !is_unauthorized || !(is_refreshing || can_renew) {
            return false;
        }
        subscription.renewal.invalidate();
        if !is_refreshing {
            subscription.renewal.reject();
            self.request_token(now, id, true);
        }
        true
    }

    /// Requests a token with a newer key from one of the channel's functions, unless a request is already pending. Returns
    /// false if the channel has no function.
    pub(super) fn request_token_with_key(&mut self, now: Now, id: ChannelId) -> bool {
        let candidates = self.renewable_members(id);
        let is_pending = |id: &SubscriptionId| {
            self.subscriptions.get(id).is_some_and(|subscription| subscription.renewal.is_pending())
        };
        if candidates.iter().any(is_pending) {
            return true;
        }
        let attempts = self.channels.get(&id).map_or(0, |channel| channel.missing_keys.attempts());
        // Every attempt asks the next function, because it may succeed where another one failed.
        let Some(member) = candidates.get(attempts % candidates.len().max(1)) else { return false };
        self.request_token(now, *member, true);
        true
    }

    /// Returns the confirmed members of a channel for which the app has a token function.
    pub(super) fn renewable_members(&self, id: ChannelId) -> Vec<SubscriptionId> {
        let is_renewable = |id: &SubscriptionId| {
            self.subscriptions
                .get(id)
                .is_some_and(|subscription| subscription.is_renewable() && subscription.is_confirmed())
        };
        let members = self.channels.get(&id).map_or(&[][..], |channel| channel.members());
        members.iter().copied().filter(is_renewable).collect()
    }

    /// Returns the remaining lifetime of a subscription's token, by the relay's clock if it is known.
    fn token_remaining_ms(&self, now: Now, id: SubscriptionId) -> u64 {
        let clock = self.relay_clock.map_or(now.unix.0, |clock| clock.at(now.instant));
        let claims = self.subscriptions.get(&id).and_then(Subscription::claims);
        claims.map_or(0, |claims| claims.expires_at.millis().0.saturating_sub(clock))
    }

    /// Requests a token for a subscription, unless a request is already pending. `fresh` says that a cached token is useless.
    fn request_token(&mut self, now: Now, id: SubscriptionId, fresh: bool) {
        let renewal = RenewalId(self.next_id());
        let Some(subscription) = self.subscriptions.get_mut(&id) else { return };
        if subscription.renewal.is_pending() {
            return;
        }
        subscription.renewal.begin(renewal, now.instant.after(self.config.session_timeout_ms));
        self.events.push_back(Event::TokenRequested { renewal, subscription: id, fresh });
    }

    /// Ends a pending request. Returns its subscription.
    fn take_renewal(&mut self, renewal: RenewalId) -> Option<SubscriptionId> {
        let mut subscriptions = self.subscriptions.iter_mut();
        subscriptions.find_map(|(id, subscription)| subscription.renewal.take_answered(renewal).then_some(id))
    }

    fn check_renewed(&self, id: SubscriptionId, token: &str) -> Result<ClaimsKeyring, ClientError> {
        let claims = check_token(token)?;
        let current = self.subscriptions.get(&id).and_then(Subscription::claims);
        if current.map(|current| current.tag) == Some(claims.tag) {
            return Ok(claims);
        }
        Err(ClientError::new(
            Code::TokenIdentity,
            "the app's token function returned a token with other claims than the subscription's",
        ))
    }

    fn token_renewed(&mut self, now: Now, id: SubscriptionId, claims: ClaimsKeyring) {
        let Some(channel_id) = self.subscriptions.get(&id).and_then(Subscription::channel) else { return };
        self.add_claims_keys(now, channel_id, &claims);
        let Some(channel) = self.channels.get(&channel_id) else { return };
        let relay_has_it = channel.wire() == WireState::Subscribed && channel.jwt() == claims.jwt;
        if channel.is_on_wire() && !relay_has_it {
            return self.send_token(now, channel_id, claims, TokenSource::Renewal(id));
        }
        self.set_token(id, claims);
        let is_valid = self.token_remaining_ms(now, id) > 0;
        if let Some(subscription) = self.subscriptions.get_mut(&id) {
            if relay_has_it {
                subscription.renewal.accept();
            }
            subscription.renewal.set_arrived_valid(is_valid);
        }
        self.plan_renewal(now, id);
    }

    /// Handles that the app's function provided no usable token.
    fn token_not_provided(&mut self, now: Now, id: SubscriptionId, error: ClientError) {
        let channel_id = self.subscriptions.get(&id).and_then(Subscription::channel);
        if let Some(channel) = channel_id.and_then(|id| self.channels.get_mut(&id)) {
            channel.missing_keys.failed(now.instant, &error, &mut *self.entropy);
        }
        if let Some(channel_id) = channel_id {
            self.deliver(now, channel_id, false);
        }
        self.renewal_failed(now, id, error);
    }

    /// Handles a failed renewal. Plans the next request while the current token is valid; otherwise the subscription ends.
    pub(super) fn renewal_failed(&mut self, now: Now, id: SubscriptionId, error: ClientError) {
        let remaining = self.token_remaining_ms(now, id);
        let Some(subscription) = self.subscriptions.get_mut(&id) else { return };
        if remaining == 0 || subscription.renewal.is_invalid() {
            return self.end_subscription(now, id, error);
        }
        let wait = retry_wait(remaining, &error, &mut *self.entropy).min(remaining);
        subscription.renewal.schedule(now.instant.after(wait));
    }
}
