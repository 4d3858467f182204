//! Channel tokens that a function of the app provides: asked for ahead of their end and replaced in place, asked for
//! again while the old one lives, and once where the relay no longer takes the one at hand. Each subscription lives by
//! its own token ([`crate::client::token_refresh`]).

use crate::{
    Client, ClientError, Event, Instant, Now, SubscriptionId, entropy::below, event::RenewalId,
    state::channel::Wire, state::channel_spec::check_token, state::requests::AskedBy,
    state::subscription::Subscription,
};
use sealwire_protocol::{ChannelId, ClaimsKeyring, CloseCode, Code};

/// How a subscription's token is renewed.
#[derive(Default)]
pub(crate) struct Renewal {
    /// When to ask; while the app is being asked: when to stop waiting for it.
    pub(crate) at: Option<Instant>,
    pub(crate) asked: Option<RenewalId>,
    /// The relay refused the token at hand, or the one before it, and has taken none since.
    pub(crate) refused: bool,
    /// The relay does not take the token at hand any more.
    pub(crate) spent: bool,
    /// The token at hand was still valid when the app gave it.
    came_valid: bool,
}

impl Client {
    /// The app can provide tokens for this subscription: it is asked with [`Event::NeedToken`].
    pub fn renew_token_of(&mut self, now: Now, id: SubscriptionId) {
        let Some(subscription) = self.subscriptions.get_mut(&id) else { return };
        subscription.renews = true;
        if subscription.is_live() && subscription.renewal.at.is_none() {
            self.plan_renewal(now, id);
        }
    }

    /// The app provided a token.
    pub fn handle_token(&mut self, now: Now, renewal: RenewalId, token: &str) {
        let Some(id) = self.answered(renewal) else { return };
        match self.check_renewed(id, token) {
            Ok(claims) => self.renewed(now, id, claims),
            Err(error) => self.not_provided(now, id, error),
        }
        self.settle(now);
    }

    /// The app could not provide one. It is asked again while the old token lives; then the subscription ends.
    pub fn handle_token_failed(&mut self, now: Now, renewal: RenewalId, error: ClientError) {
        let Some(id) = self.answered(renewal) else { return };
        self.not_provided(now, id, error);
        self.settle(now);
    }

    /// Plans the next renewal, at 70 to 85 % of what remains of the token.
    pub(crate) fn plan_renewal(&mut self, now: Now, id: SubscriptionId) {
        let Some(subscription) = self.subscriptions.get(&id) else { return };
        if !subscription.renews || subscription.renewal.asked.is_some() || subscription.renewal.spent {
            return;
        }
        let remaining = self.token_remaining_ms(now, subscription);
        let wait = remaining / 100 * 70 + below(&mut *self.entropy, remaining / 100 * 15 + 1);
        if let Some(subscription) = self.subscriptions.get_mut(&id) {
            subscription.renewal.at = Some(now.instant.after(wait));
        }
    }

    /// Asks for the tokens that are due, and stops waiting for those that do not come.
    pub(crate) fn renew_tokens(&mut self, now: Now) {
        for id in self.subscriptions.keys() {
            let Some(subscription) = self.subscriptions.get_mut(&id) else { continue };
            if subscription.renewal.at.take_if(|at| *at <= now.instant).is_none() {
                continue;
            }
            if subscription.renewal.asked.take().is_some() {
                let error = ClientError::new(Code::SessionUnavailable, "the app provided no token in time");
                self.not_provided(now, id, error);
            } else {
                self.ask_for_token(now, id, false);
            }
        }
    }

    /// Whether a subscription whose token the relay no longer takes waits for another one.
    pub(crate) fn awaits_token(&mut self, now: Now, id: SubscriptionId, error: &ClientError) -> bool {
        let refreshes = self.requests.brings_token(id);
        let Some(subscription) = self.subscriptions.get(&id) else { return false };
        let ended = self.token_remaining_ms(now, subscription) == 0;
        let renewal = &subscription.renewal;
        // A token that ended on its way, while there was no connection, says nothing of the app's next one.
        let refused_twice = renewal.refused && !(ended && renewal.came_valid);
        let renews = subscription.renews && !refused_twice;
        let unauthorized = error.code.class() == Some(CloseCode::Unauthorized);
        if !subscription.is_live() || !unauthorized || !(refreshes || renews) {
            return false;
        }
        let Some(subscription) = self.subscriptions.get_mut(&id) else { return false };
        subscription.renewal.spent = true;
        if !refreshes {
            subscription.renewal.refused = true;
            self.ask_for_token(now, id, true);
        }
        true
    }

    /// Asks one of the functions of a channel for a token with a newer key, unless one is being asked already. Whether
    /// there is one to ask.
    pub(crate) fn need_token(&mut self, now: Now, id: ChannelId) -> bool {
        let candidates = self.renewing_members(id);
        let is_asked = |id: &SubscriptionId| {
            self.subscriptions.get(id).is_some_and(|subscription| subscription.renewal.asked.is_some())
        };
        if candidates.iter().any(is_asked) {
            return true;
        }
        let attempts = self.channels.get(&id).map_or(0, |channel| channel.missing.attempts());
        // Where one fails, the next one may not.
        let Some(member) = candidates.get(attempts % candidates.len().max(1)) else { return false };
        self.ask_for_token(now, *member, true);
        true
    }

    pub(crate) fn renewing_members(&self, id: ChannelId) -> Vec<SubscriptionId> {
        let renews = |id: &SubscriptionId| {
            self.subscriptions
                .get(id)
                .is_some_and(|subscription| subscription.renews && subscription.is_live())
        };
        let members = self.channels.get(&id).map_or(&[][..], |channel| &channel.members);
        members.iter().copied().filter(renews).collect()
    }

    /// How long a subscription's token says that it lives, by the relay's clock where that is known.
    pub(crate) fn token_remaining_ms(&self, now: Now, subscription: &Subscription) -> u64 {
        let clock = self.relay_clock.map_or(now.unix.0, |clock| clock.at(now.instant));
        let claims = subscription.spec.claims.as_ref();
        claims.map_or(0, |claims| claims.expires_at.millis().0.saturating_sub(clock))
    }

    /// `fresh` says that one from a moment ago is of no use.
    fn ask_for_token(&mut self, now: Now, id: SubscriptionId, fresh: bool) {
        let renewal = RenewalId(self.next_id());
        let Some(subscription) = self.subscriptions.get_mut(&id) else { return };
        if subscription.renewal.asked.is_some() {
            return;
        }
        subscription.renewal.asked = Some(renewal);
        subscription.renewal.at = Some(now.instant.after(self.config.session_timeout_ms));
        self.events.push_back(Event::NeedToken { renewal, subscription: id, fresh });
    }

    fn answered(&mut self, renewal: RenewalId) -> Option<SubscriptionId> {
        let asked = |(_, subscription): &(SubscriptionId, &mut Subscription)| {
            subscription.renewal.asked == Some(renewal)
        };
        let (id, subscription) = self.subscriptions.iter_mut().find(asked)?;
        subscription.renewal.asked = None;
        subscription.renewal.at = None;
        Some(id)
    }

    fn check_renewed(&self, id: SubscriptionId, token: &str) -> Result<ClaimsKeyring, ClientError> {
        let claims = check_token(token)?;
        let known = self.subscriptions.get(&id).and_then(|subscription| subscription.spec.claims.as_ref());
        if known.map(|known| known.tag) == Some(claims.tag) {
            return Ok(claims);
        }
        Err(ClientError::new(
            Code::TokenIdentity,
            "the app's token function returned a token with other claims than the subscription's",
        ))
    }

    fn renewed(&mut self, now: Now, id: SubscriptionId, claims: ClaimsKeyring) {
        let Some(channel_id) = self.subscriptions.get(&id).and_then(Subscription::channel) else { return };
        self.learn_keys(now, channel_id, &claims);
        let Some(channel) = self.channels.get(&channel_id) else { return };
        let is_known = channel.wire == Wire::Live && channel.spec.jwt() == claims.jwt;
        if channel.is_on_the_wire() && !is_known {
            return self.show_token(now, channel_id, claims, AskedBy::Renewal(id));
        }
        self.take_token(id, claims);
        let remaining = self.subscriptions.get(&id).map_or(0, |known| self.token_remaining_ms(now, known));
        if let Some(subscription) = self.subscriptions.get_mut(&id) {
            // Only the relay can say that it takes this one.
            subscription.renewal.refused &= !is_known;
            subscription.renewal.came_valid = remaining > 0;
        }
        self.plan_renewal(now, id);
    }

    /// The app's function brought no token.
    fn not_provided(&mut self, now: Now, id: SubscriptionId, error: ClientError) {
        let channel_id = self.subscriptions.get(&id).and_then(Subscription::channel);
        if let Some(channel) = channel_id.and_then(|id| self.channels.get_mut(&id)) {
            channel.missing.failed(now.instant, &error, &mut *self.entropy);
        }
        if let Some(channel_id) = channel_id {
            self.deliver(now, channel_id, false);
        }
        self.renewal_failed(now, id, error);
    }

    /// No token came of it: asks again while the old one lives.
    pub(crate) fn renewal_failed(&mut self, now: Now, id: SubscriptionId, error: ClientError) {
        let Some(subscription) = self.subscriptions.get(&id) else { return };
        let remaining = self.token_remaining_ms(now, subscription);
        if remaining == 0 || subscription.renewal.spent {
            return self.end_subscription(now, id, error);
        }
        let wait = (remaining / 4).clamp(1_000, 30_000);
        let wait = wait + below(&mut *self.entropy, wait / 4 + 1);
        let wait = wait.max(u64::from(error.retry_after_ms.unwrap_or(0))).min(remaining);
        if let Some(subscription) = self.subscriptions.get_mut(&id) {
            subscription.renewal.at = Some(now.instant.after(wait));
        }
    }
}
