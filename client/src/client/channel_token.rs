//! The token of a channel with several subscriptions. Each subscription depends on its own token: if that expires or the
//! relay rejects it, only this subscription ends. The relay keeps one token for each channel of a session, so the client
//! sends it the token of each subscription once, and finally the one that lasts longest.

use crate::{
    Client, ClientError, Instant, Now, SubscriptionId,
    state::{channel::WireState, requests::TokenSource, subscription::Subscription},
};
use sealwire_protocol::{ChannelId, ClaimsKeyring, CloseCode, Code};

impl Client {
    /// Records the token that the relay receives or has for a channel.
    pub(super) fn set_channel_token(&mut self, id: ChannelId, claims: ClaimsKeyring) {
        if let Some(channel) = self.channels.get_mut(&id) {
            channel.set_token(claims, self.session.as_ref());
        }
    }

    /// Adds the claims keys of a token that the app provided, and delivers the messages that waited for them.
    pub(super) fn add_claims_keys(&mut self, now: Now, id: ChannelId, token: &ClaimsKeyring) {
        let Some(channel) = self.channels.get_mut(&id) else { return };
        channel.add_claims_keys(now.instant, token, self.session.as_ref(), &mut *self.entropy);
        self.deliver(now, id, false);
    }

    /// Handles that the relay rejected the token of a channel, or ended the channel because of it. The subscriptions with that
    /// token get another one or end; the others continue. Returns false if the error is not about the token.
    pub(super) fn channel_token_rejected(&mut self, now: Now, id: ChannelId, error: &ClientError) -> bool {
        let Some(channel) = self.channels.get_mut(&id) else { return false };
        let is_about_token = error.code.class() == Some(CloseCode::Unauthorized)
            || [Code::PermissionMissing, Code::TokenInstallation, Code::TokenChannel, Code::TokenIdentity]
                .into_iter()
                .any(|code| error.is(code));
        if channel.claims().is_none() || !is_about_token {
            return false;
        }
        channel.set_unsent();
        let jwt = channel.jwt().to_owned();
        self.invalidate_token(now, id, &jwt, error);
        let is_invalid = |id: &SubscriptionId| {
            self.subscriptions.get(id).is_none_or(|subscription| subscription.renewal.is_invalid())
        };
        if let Some(channel) = self.channels.get_mut(&id)
            && channel.members().iter().all(is_invalid)
        {
            channel.await_token();
        }
        true
    }

    /// Handles that the relay no longer accepts this token of a channel.
    pub(super) fn invalidate_token(&mut self, now: Now, id: ChannelId, jwt: &str, error: &ClientError) {
        let members = self.channels.get(&id).map_or_else(Vec::new, |channel| channel.members().to_vec());
        for member in members {
            let Some(subscription) = self.subscriptions.get(&member) else { continue };
            if subscription.jwt() != jwt || self.await_token(now, member, error) {
                continue;
            }
            self.end_subscription(now, member, error.clone());
        }
    }

    /// Returns the best token for a channel: of a confirmed subscription if there is one, and of those the one that lasts
    /// longest.
    pub(super) fn best_token(&self, id: ChannelId) -> Option<&ClaimsKeyring> {
        let members = self.channels.get(&id)?.members().iter();
        let usable = members.filter_map(|member| {
            let subscription = self.subscriptions.get(member)?;
            let claims = subscription.claims().filter(|_| !subscription.renewal.is_invalid())?;
            Some((subscription.is_confirmed(), claims))
        });
        // The first of several equal tokens wins, so that the relay keeps the one that it has.
        let is_better = |best: (bool, &ClaimsKeyring), other: (bool, &ClaimsKeyring)| {
            (other.0, other.1.expires_at) > (best.0, best.1.expires_at)
        };
        let best = usable.reduce(|best, other| if is_better(best, other) { other } else { best });
        best.map(|(_, claims)| claims)
    }

    /// Sends the relay the best token for a channel, if the relay has another one.
    pub(super) fn send_best_token(&mut self, now: Now, id: ChannelId) {
        let Some(channel) = self.channels.get(&id) else { return };
        let (Some(current), Some(best)) = (channel.claims(), self.best_token(id)) else { return };
        let mut confirmed = channel
            .members()
            .iter()
            .filter_map(|member| self.subscriptions.get(member))
            .filter(|subscription| subscription.has_valid_token())
            .peekable();
        let has_confirmed = confirmed.peek().is_some();
        let is_best = best.jwt == current.jwt
            || best.expires_at <= current.expires_at
                && confirmed.any(|subscription| subscription.jwt() == current.jwt);
        let is_busy = channel.is_token_deferred(now.instant) || self.requests.has_token_of_channel(id);
        if is_best || !has_confirmed || is_busy {
            return;
        }
        let best = best.clone();
        self.send_token(now, id, best, TokenSource::Channel);
    }

    /// Ends the subscriptions whose own token has expired while their channel continues with the token of another one. The
    /// relay itself judges the token that it has.
    pub(super) fn expire_tokens(&mut self, now: Now) {
        let has_expired = |(id, _): &(SubscriptionId, &Subscription)| {
            self.token_expires_at(*id).is_some_and(|end| end <= now.instant)
        };
        let expired: Vec<_> = self.subscriptions.iter().filter(has_expired).map(|(id, _)| id).collect();
        for id in expired {
            let message = "the channel token has expired; subscribe again with a fresh one";
            self.end_subscription(now, id, ClientError::new(Code::TokenExpired, message));
        }
    }

    /// Returns the time at which [`Self::expire_tokens`] is due.
    pub(super) fn token_expiry(&self) -> Option<Instant> {
        self.subscriptions.iter().filter_map(|(id, _)| self.token_expires_at(id)).min()
    }

    /// Returns the expiry of a subscription's token if the client has to watch it.
    fn token_expires_at(&self, id: SubscriptionId) -> Option<Instant> {
        let subscription = self.subscriptions.get(&id)?;
        let claims = subscription.claims()?;
        if subscription.is_renewable() || !subscription.is_confirmed() {
            return None;
        }
        let channel = self.channels.get(&subscription.channel()?)?;
        let relay_has_another = channel.wire() == WireState::Subscribed && channel.jwt() != claims.jwt;
        if !relay_has_another || self.requests.has_token_of_subscription(id) {
            return None;
        }
        Some(self.relay_clock?.when(claims.expires_at.millis().0))
    }
}
