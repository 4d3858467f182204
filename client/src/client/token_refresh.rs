//! Channel tokens of subscriptions. Each subscription lives by its own: where that ends or is refused, it ends alone.
//! The relay knows one token for each channel of a session, so it is shown each of them once, and the one that lives
//! longest last.

use crate::{
    Client, ClientError, Event, Instant, Notice, Now, RefreshId, SubscriptionId,
    state::channel::Wire,
    state::channel_spec::check_token,
    state::requests::{AskedBy, Request},
    state::subscription::{Progress, Subscription},
};
use sealwire_protocol::{
    ChannelId, ClaimsKeyring, CloseCode, Code,
    wire::{Refresh, ToRelay},
};

/// The pause after the relay could not look at a token.
const AGAIN_MS: u64 = 5_000;

impl Client {
    /// Replaces the channel token of a subscription. While there is no connection, or the channel is being resumed, the
    /// token is kept for the next attempt. Ends with [`Event::RefreshDone`].
    pub fn refresh_token(&mut self, now: Now, subscription: SubscriptionId, token: &str) -> RefreshId {
        let refresh = RefreshId(self.next_id());
        match self.begin_refresh(now, subscription, token, refresh) {
            Ok(true) => {}
            Ok(false) => self.events.push_back(Event::RefreshDone { refresh, result: Ok(()) }),
            Err(error) => self.events.push_back(Event::RefreshDone { refresh, result: Err(error) }),
        }
        self.settle(now);
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
        let Some(subscription) = self.subscriptions.get(&id) else {
            return Err(ClientError::new(Code::NotSubscribed, "the subscription is over"));
        };
        let claims = check_token(token)?;
        if subscription.spec.claims.as_ref().map(|known| known.tag) != Some(claims.tag) {
            return Err(ClientError::new(
                Code::TokenIdentity,
                "the token has other claims than the subscription; subscribe anew with it",
            ));
        }
        if let Some(channel) = subscription.channel() {
            self.learn_keys(now, channel, &claims);
            if self.channels.get(&channel).is_some_and(|channel| channel.is_on_the_wire()) {
                self.show_token(now, channel, claims, AskedBy::Refresh(refresh, id));
                return Ok(true);
            }
        }
        self.take_token(id, claims);
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

    /// The subscription goes on with this token. A channel that waited for one is joined with it.
    pub(crate) fn take_token(&mut self, id: SubscriptionId, claims: ClaimsKeyring) {
        let Some(subscription) = self.subscriptions.get_mut(&id) else { return };
        subscription.spec.claims = Some(claims);
        subscription.renewal.spent = false;
        let channel = subscription.channel();
        if let Some(channel) = channel.and_then(|channel| self.channels.get_mut(&channel))
            && channel.wire == Wire::AwaitingToken
        {
            channel.wire = Wire::Unsent;
        }
    }

    /// The relay has or is shown this token for the channel.
    pub(crate) fn adopt_claims(&mut self, id: ChannelId, mut claims: ClaimsKeyring) {
        let Some(channel) = self.channels.get_mut(&id) else { return };
        if let Some(former) = &channel.spec.claims {
            claims.keep_keys_of(former);
        }
        channel.spec.claims = Some(claims);
        if let Some(session) = &self.session {
            channel.keys = channel.spec.keys(session, &channel.scope);
        }
    }

    /// Takes the keys of a token that the app provided. They are the app's word, whatever the relay says of the token.
    pub(crate) fn learn_keys(&mut self, now: Now, id: ChannelId, token: &ClaimsKeyring) {
        let Some(channel) = self.channels.get_mut(&id) else { return };
        let Some(claims) = &mut channel.spec.claims else { return };
        claims.keep_keys_of(token);
        channel.missing.answered(now.instant, |key| claims.find(key).is_some(), &mut *self.entropy);
        if let Some(session) = &self.session {
            channel.keys = channel.spec.keys(session, &channel.scope);
        }
        self.deliver(now, id, false);
    }

    /// The relay took a token.
    pub(crate) fn token_taken(
        &mut self,
        now: Now,
        channel: ChannelId,
        claims: ClaimsKeyring,
        asked_by: AskedBy,
    ) {
        self.adopt_claims(channel, claims.clone());
        self.learn_keys(now, channel, &claims);
        let id = match asked_by {
            AskedBy::Refresh(refresh, id) => {
                self.events.push_back(Event::RefreshDone { refresh, result: Ok(()) });
                id
            }
            AskedBy::Renewal(id) => id,
            AskedBy::Subscription(id) => {
                if let Some(subscription) = self.subscriptions.get_mut(&id) {
                    subscription.progress = Progress::AwaitingSubscribed(channel);
                    subscription.is_admitted = true;
                }
                return;
            }
            AskedBy::Channel => return,
        };
        self.take_token(id, claims);
        if let Some(subscription) = self.subscriptions.get_mut(&id) {
            subscription.renewal.refused = false;
        }
        self.plan_renewal(now, id);
    }

    /// The relay did not take a token.
    pub(crate) fn token_not_taken(
        &mut self,
        now: Now,
        channel: ChannelId,
        claims: ClaimsKeyring,
        asked_by: AskedBy,
        error: ClientError,
    ) {
        // The channel ended meanwhile, and the relay has not looked at the token.
        let unseen = error.is(Code::NotSubscribed);
        match asked_by {
            AskedBy::Refresh(refresh, id) if unseen => {
                self.take_token(id, claims);
                self.events.push_back(Event::RefreshDone { refresh, result: Ok(()) });
            }
            AskedBy::Refresh(refresh, id) => {
                self.events.push_back(Event::RefreshDone { refresh, result: Err(error.clone()) });
                // It was what the subscription waited for.
                if self.subscriptions.get(&id).is_some_and(|known| known.renewal.spent)
                    && !self.awaits_token(now, id, &error)
                {
                    self.end_subscription(now, id, error);
                }
            }
            AskedBy::Renewal(id) if unseen => self.take_token(id, claims),
            AskedBy::Renewal(id) => self.renewal_failed(now, id, error),
            AskedBy::Subscription(id) if unseen => {
                if let Some(subscription) = self.subscriptions.get_mut(&id) {
                    subscription.progress = Progress::AwaitingSubscribed(channel);
                }
            }
            AskedBy::Subscription(id) => self.fail_subscription(now, id, error),
            AskedBy::Channel if unseen => {}
            AskedBy::Channel if error.is_temporary() => {
                if let Some(channel) = self.channels.get_mut(&channel) {
                    channel.shown_at = Some(now.instant);
                }
            }
            AskedBy::Channel => self.spend_token(now, channel, &claims.jwt, &error),
        }
    }

    /// The relay refused the token of a channel, or ended the channel for it. Those whose token it is get another one, or
    /// end; the others go on with theirs. Whether the error is one of the token.
    pub(crate) fn token_refused(&mut self, now: Now, id: ChannelId, error: &ClientError) -> bool {
        let Some(channel) = self.channels.get_mut(&id) else { return false };
        let is_about_token = error.code.class() == Some(CloseCode::Unauthorized)
            || [Code::PermissionMissing, Code::TokenInstallation, Code::TokenChannel, Code::TokenIdentity]
                .into_iter()
                .any(|code| error.is(code));
        if channel.spec.claims.is_none() || !is_about_token {
            return false;
        }
        channel.wire = Wire::Unsent;
        let jwt = channel.spec.jwt().to_owned();
        self.spend_token(now, id, &jwt, error);
        let all_spent = |members: &[SubscriptionId]| {
            members.iter().all(|id| self.subscriptions.get(id).is_none_or(|known| known.renewal.spent))
        };
        if self.channels.get(&id).is_some_and(|channel| all_spent(&channel.members))
            && let Some(channel) = self.channels.get_mut(&id)
        {
            channel.wire = Wire::AwaitingToken;
        }
        true
    }

    /// The relay does not take this token any more.
    fn spend_token(&mut self, now: Now, id: ChannelId, jwt: &str, error: &ClientError) {
        let members = self.channels.get(&id).map_or_else(Vec::new, |channel| channel.members.clone());
        for member in members {
            let Some(subscription) = self.subscriptions.get(&member) else { continue };
            if subscription.spec.jwt() != jwt || self.awaits_token(now, member, error) {
                continue;
            }
            self.end_subscription(now, member, error.clone());
        }
    }

    /// The token to show for a channel: the one that lives longest, of a live subscription where there is one.
    pub(crate) fn best_token(&self, id: ChannelId) -> Option<&ClaimsKeyring> {
        let members = self.channels.get(&id)?.members.iter();
        let usable = members.filter_map(|member| {
            let subscription = self.subscriptions.get(member)?;
            let claims = subscription.spec.claims.as_ref().filter(|_| !subscription.renewal.spent)?;
            Some((subscription.is_live(), claims))
        });
        // The first of equals: of several that are as good, the relay keeps the one it has.
        let better = |best: (bool, &ClaimsKeyring), other: (bool, &ClaimsKeyring)| {
            (other.0, other.1.expires_at) > (best.0, best.1.expires_at)
        };
        let best = usable.reduce(|best, other| if better(best, other) { other } else { best });
        best.map(|(_, claims)| claims)
    }

    /// Shows the relay the token that lives longest, where it has another one.
    pub(crate) fn show_best_token(&mut self, now: Now, id: ChannelId) {
        let Some(channel) = self.channels.get(&id) else { return };
        let Some(shown) = &channel.spec.claims else { return };
        let waits = channel.shown_at.is_some_and(|at| now.instant.since(at) < AGAIN_MS);
        let is_held = |member: &SubscriptionId| {
            self.subscriptions
                .get(member)
                .is_some_and(|known| known.is_live() && !known.renewal.spent && known.spec.jwt() == shown.jwt)
        };
        let Some(best) = self.best_token(id) else { return };
        let is_best = best.jwt == shown.jwt
            || best.expires_at <= shown.expires_at && channel.members.iter().any(is_held);
        let live = channel.members.iter().any(|member| {
            self.subscriptions.get(member).is_some_and(|known| known.is_live() && !known.renewal.spent)
        });
        if is_best || waits || !live || self.requests.shows_token_of(id) {
            return;
        }
        let best = best.clone();
        self.show_token(now, id, best, AskedBy::Channel);
    }

    /// Ends the subscriptions whose token has ended while the channel goes on with the token of another one. Where it is
    /// the token that the relay has, the relay's word counts.
    pub(crate) fn expire_tokens(&mut self, now: Now) {
        let ended = |(id, _): &(SubscriptionId, &Subscription)| {
            self.token_ends(*id).is_some_and(|end| end <= now.instant)
        };
        let ended: Vec<_> = self.subscriptions.iter().filter(ended).map(|(id, _)| id).collect();
        for id in ended {
            let message = "the channel token has expired; subscribe again with a fresh one";
            self.end_subscription(now, id, ClientError::new(Code::TokenExpired, message));
        }
    }

    /// When [`Self::expire_tokens`] is due.
    pub(crate) fn tokens_deadline(&self) -> Option<Instant> {
        self.subscriptions.iter().filter_map(|(id, _)| self.token_ends(id)).min()
    }

    fn token_ends(&self, id: SubscriptionId) -> Option<Instant> {
        let subscription = self.subscriptions.get(&id)?;
        let claims = subscription.spec.claims.as_ref()?;
        if subscription.renews || !subscription.is_live() {
            return None;
        }
        let channel = self.channels.get(&subscription.channel()?)?;
        let has_another = channel.wire == Wire::Live && channel.spec.jwt() != claims.jwt;
        if !has_another || self.requests.brings_token(id) {
            return None;
        }
        Some(self.relay_clock?.when(claims.expires_at.millis().0))
    }

    /// Ends one subscription, whether it waits or lives; the others of its channel go on.
    pub(crate) fn end_subscription(&mut self, now: Now, id: SubscriptionId, error: ClientError) {
        let Some(subscription) = self.subscriptions.get(&id) else { return };
        if !subscription.is_live() {
            return self.fail_subscription(now, id, error);
        }
        if let Some(channel_id) = subscription.channel()
            && self.channels.get(&channel_id).is_some_and(|channel| channel.members.len() == 1)
        {
            self.deliver(now, channel_id, true);
        }
        self.leave(now, id, None);
        self.events.push_back(Event::Notice { subscriptions: vec![id], notice: Notice::Ended(error) });
    }
}
