//! Channel tokens that a function of the app provides: asked for ahead of their end and replaced in place, asked for
//! again while the old one lives, and once where the relay no longer takes the one at hand.

use crate::{
    Client, ClientError, Event, Instant, Now, SubscriptionId, channel::Wire, entropy::below,
    event::RenewalId, requests::AskedBy, spec::check_token, subscription::Progress,
};
use sealwire_protocol::{ChannelId, ClaimsKeyring, CloseCode, Code};

/// How a channel's token is renewed.
#[derive(Default)]
pub(crate) struct Renewal {
    /// When to ask; while the app is being asked: when to stop waiting for it.
    at: Option<Instant>,
    asked: Option<RenewalId>,
    /// The relay refused the token at hand, or the one before it, and has taken none since.
    refused: bool,
    /// The token at hand was still valid when the app gave it.
    came_valid: bool,
}

impl Renewal {
    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.at
    }
}

impl Client {
    /// The app can provide tokens for this subscription: it is asked with [`Event::NeedToken`].
    pub fn renew_token_of(&mut self, now: Now, subscription: SubscriptionId) {
        let Some(subscription) = self.subscriptions.get_mut(&subscription) else { return };
        subscription.renews = true;
        if let Progress::Live(channel, _) = subscription.progress
            && self.channels.get(&channel).is_some_and(|channel| channel.renewal.at.is_none())
        {
            self.plan_renewal(now, channel);
        }
    }

    /// The app provided a token.
    pub fn handle_token(&mut self, now: Now, renewal: RenewalId, token: &str) {
        let Some(id) = self.answered(renewal) else { return };
        match self.check_renewed(id, token) {
            Ok(claims) => self.replace_token(now, id, claims),
            Err(error) => self.renewal_failed(now, id, error),
        }
        self.settle(now);
    }

    /// The app could not provide one. It is asked again while the old token lives; then the subscription ends.
    pub fn handle_token_failed(&mut self, now: Now, renewal: RenewalId, error: ClientError) {
        let Some(id) = self.answered(renewal) else { return };
        self.renewal_failed(now, id, error);
        self.settle(now);
    }

    /// The relay takes the token: plans the next renewal, at 70 to 85 % of what remains.
    pub(crate) fn plan_renewal(&mut self, now: Now, id: ChannelId) {
        let remaining = self.token_remaining_ms(now, id);
        let renews = self.renewing_member(id).is_some();
        let Some(channel) = self.channels.get_mut(&id) else { return };
        channel.renewal.refused = false;
        if channel.renewal.asked.is_some() {
            return;
        }
        let wait = remaining / 100 * 70 + below(&mut *self.entropy, remaining / 100 * 15 + 1);
        channel.renewal.at = renews.then_some(now.instant.after(wait));
    }

    /// Asks for the tokens that are due, and stops waiting for those that do not come.
    pub(crate) fn renew_tokens(&mut self, now: Now) {
        for id in self.channels.keys() {
            let Some(channel) = self.channels.get_mut(&id) else { continue };
            if channel.renewal.at.is_none_or(|at| at > now.instant) {
                continue;
            }
            channel.renewal.at = None;
            if channel.renewal.asked.take().is_some() {
                let error = ClientError::new(Code::SessionUnavailable, "the app provided no token in time");
                self.renewal_failed(now, id, error);
            } else {
                self.ask_for_token(now, id);
            }
        }
    }

    /// Whether a channel that the relay refused for its token waits for another one.
    pub(crate) fn awaits_token(&mut self, now: Now, id: ChannelId, error: &ClientError) -> bool {
        let renews = self.renewing_member(id).is_some();
        let ended = self.token_remaining_ms(now, id) == 0;
        let newer_is_shown = self.requests.renews_token_of(id);
        let Some(channel) = self.channels.get_mut(&id) else { return false };
        let unauthorized = error.code.class() == Some(CloseCode::Unauthorized);
        if unauthorized && newer_is_shown {
            channel.wire = Wire::AwaitingToken;
            return true;
        }
        // A token that ended on its way, while there was no connection, says nothing of the app's next one.
        let refused_twice = channel.renewal.refused && !(ended && channel.renewal.came_valid);
        if !renews || !unauthorized || refused_twice {
            return false;
        }
        channel.renewal.refused = true;
        channel.wire = Wire::AwaitingToken;
        if channel.renewal.asked.is_none() {
            self.ask_for_token(now, id);
        }
        true
    }

    /// No token came of it.
    pub(crate) fn renewal_failed(&mut self, now: Now, id: ChannelId, error: ClientError) {
        let remaining = self.token_remaining_ms(now, id);
        let Some(channel) = self.channels.get_mut(&id) else { return };
        if remaining == 0 || channel.wire == Wire::AwaitingToken {
            // By the relay's clock the token may live on, and the subscription with it.
            if channel.is_on_the_wire() {
                self.send_unsubscribe(now, id, None);
            }
            return self.end_channel(now, id, &error);
        }
        let wait = (remaining / 4).clamp(1_000, 30_000);
        let wait = wait + below(&mut *self.entropy, wait / 4 + 1);
        let wait = wait.max(u64::from(error.retry_after_ms.unwrap_or(0))).min(remaining);
        channel.renewal.at = Some(now.instant.after(wait));
    }

    /// The old token ended while the new one was on its way to the relay, which has not looked at it: the channel is
    /// joined anew with it. Whether it was so.
    pub(crate) fn rejoin_with_token(&mut self, id: ChannelId, claims: ClaimsKeyring) -> bool {
        let Some(channel) = self.channels.get_mut(&id) else { return false };
        if channel.wire != Wire::AwaitingToken {
            return false;
        }
        channel.wire = Wire::Unsent;
        channel.renewal.asked = None;
        channel.renewal.at = None;
        self.adopt_claims(id, claims);
        true
    }

    fn ask_for_token(&mut self, now: Now, id: ChannelId) {
        let Some(subscription) = self.renewing_member(id) else { return };
        let renewal = RenewalId(self.next_id());
        let Some(channel) = self.channels.get_mut(&id) else { return };
        channel.renewal.asked = Some(renewal);
        channel.renewal.at = Some(now.instant.after(self.config.session_timeout_ms));
        self.events.push_back(Event::NeedToken { renewal, subscription });
    }

    fn answered(&mut self, renewal: RenewalId) -> Option<ChannelId> {
        let asked =
            |(_, channel): &(ChannelId, &mut crate::channel::Channel)| channel.renewal.asked == Some(renewal);
        let (id, channel) = self.channels.iter_mut().find(asked)?;
        channel.renewal.asked = None;
        channel.renewal.at = None;
        Some(id)
    }

    fn check_renewed(&self, id: ChannelId, token: &str) -> Result<ClaimsKeyring, ClientError> {
        let claims = check_token(token)?;
        let known = self.channels.get(&id).and_then(|channel| channel.spec.claims.as_ref());
        if known.map(|known| known.tag) == Some(claims.tag) {
            return Ok(claims);
        }
        Err(ClientError::new(
            Code::TokenIdentity,
            "the app's token function returned a token with other claims than the subscription's",
        ))
    }

    fn replace_token(&mut self, now: Now, id: ChannelId, claims: ClaimsKeyring) {
        let Some(channel) = self.channels.get_mut(&id) else { return };
        for member in &channel.members {
            if let Some(subscription) = self.subscriptions.get_mut(member) {
                subscription.spec.claims = Some(claims.clone());
            }
        }
        if channel.is_on_the_wire() {
            return self.show_token(now, id, claims, AskedBy::Renewal);
        }
        if channel.wire == Wire::AwaitingToken {
            channel.wire = Wire::Unsent;
        }
        let refused = channel.renewal.refused;
        self.adopt_claims(id, claims);
        self.plan_renewal(now, id);
        let came_valid = self.token_remaining_ms(now, id) > 0;
        if let Some(channel) = self.channels.get_mut(&id) {
            // Only the relay can say that it takes this one.
            channel.renewal.refused = refused;
            channel.renewal.came_valid = came_valid;
        }
    }

    fn renewing_member(&self, id: ChannelId) -> Option<SubscriptionId> {
        let members = &self.channels.get(&id)?.members;
        let renews = |member: &&SubscriptionId| {
            self.subscriptions
                .get(member)
                .is_some_and(|subscription| subscription.renews && subscription.is_live())
        };
        members.iter().find(renews).copied()
    }

    /// How long the channel's token says that it lives, by the relay's clock where that is known.
    fn token_remaining_ms(&self, now: Now, id: ChannelId) -> u64 {
        let claims = self.channels.get(&id).and_then(|channel| channel.spec.claims.as_ref());
        let clock = self.relay_clock.map_or(now.unix.0, |clock| clock.at(now.instant));
        claims.map_or(0, |claims| claims.expires_at.millis().0.saturating_sub(clock))
    }
}
