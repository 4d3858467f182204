//! Subscribing and unsubscribing: the checks of a request, its completion by the broker, and the end of a subscription.

use super::{
    EventFilter, SessionAction, SessionConfig, SubscriptionStart,
    action::Actions,
    deadlines::{Deadlines, Timer},
    established::{Established, failed},
    event_filter::names_len,
    pending::{PendingRequest, PendingSubscribe},
    subscriptions::{ChannelToken, Subscription},
};
use crate::{auth::signing_keys::Signed, clock::Now, refused::Refused};
use sealwire_protocol::{
    ChannelId, Code, UnixMillis, check_event_name, limits,
    tokens::Permission,
    wire::{Channel, Ended, Since, Subscribe, Subscribed, ToClient, Unsubscribe, Unsubscribed},
};

impl Established {
    pub(super) fn subscribe(
        &mut self,
        message: Subscribe,
        config: &SessionConfig,
        now: Now,
        actions: &mut Actions,
    ) {
        let Subscribe { request, channel, since, events } = message;
        match self.check_subscribe(&channel.unwrap_or_default(), since, &events, config, now, actions) {
            Ok((channel, token)) => {
                let (events, tenant) = (EventFilter::new(&events), self.tenant());
                actions.push_back(SessionAction::Subscribe {
                    channel,
                    tenant,
                    since,
                    events: events.clone(),
                });
                let subscription = Subscription { token, events };
                self.pending = Some(PendingRequest::Subscribe(Box::new(PendingSubscribe {
                    request,
                    channel,
                    subscription,
                })));
            }
            Err(refused) => self.fail("subscribe", request, refused, actions),
        }
    }

    /// Checks a subscribe request. For a channel without a subscription, acquires one of the app's subscription
    /// permits.
    fn check_subscribe(
        &mut self,
        channel: &Channel,
        since: Option<Since>,
        events: &[String],
        config: &SessionConfig,
        now: Now,
        actions: &mut Actions,
    ) -> Result<(ChannelId, Option<ChannelToken>), Refused> {
        let (id, token) = self.resolve(channel, Permission::Subscribe, config, now, actions)?;
        events.iter().try_for_each(|event| check_event_name(event))?;
        self.check_filter(id, events)?;
        if let Some(Since::ReplaySeconds(seconds)) = since
            && u64::from(seconds) * 1000 > config.replay_window.as_millis().try_into().unwrap_or(u64::MAX)
        {
            let message = format!(
                "the relay replays at most {:?} (`replay_window`), not {seconds} s; request fewer seconds",
                config.replay_window
            );
            return Err(Refused::new(Code::ReplayTooLong, message));
        }
        if self.subscriptions.find(id).is_none() {
            let max = config.limits.settings().max_subscriptions;
            if self.subscriptions.len() >= max {
                let message = format!(
                    "subscription limit of the session reached ({max}, `max_subscriptions`); unsubscribe from a channel first"
                );
                return Err(Refused::new(Code::TooManySubscriptions, message));
            }
            config.limits.check_memory(self.subscriptions.footprint())?;
            self.permit.acquire_subscription()?;
        }
        Ok((id, token))
    }

    /// Refuses a filter that is too large, by itself or together with the session's other filters.
    fn check_filter(&self, channel: ChannelId, events: &[String]) -> Result<(), Refused> {
        let len = names_len(events);
        if len > limits::MAX_FILTER_BYTES {
            let max = limits::MAX_FILTER_BYTES;
            let message = format!(
                "the event names of a filter may have {max} bytes, not {len}; filter by fewer events"
            );
            return Err(Refused::new(Code::FilterTooLarge, message));
        }
        // Few clients filter; without a filter, the sum over the subscriptions is not needed.
        if len > 0
            && self.subscriptions.filter_bytes_without(channel) + len > limits::MAX_SESSION_FILTER_BYTES
        {
            let message = format!(
                "the filters of a session may have {} bytes together; unsubscribe from a channel, or filter by fewer events",
                limits::MAX_SESSION_FILTER_BYTES
            );
            return Err(Refused::new(Code::FilterTooLarge, message));
        }
        Ok(())
    }

    pub(super) fn handle_subscribed(
        &mut self,
        result: Result<SubscriptionStart, Refused>,
        now: Now,
        deadlines: &mut Deadlines,
        actions: &mut Actions,
    ) {
        let Some(PendingRequest::Subscribe(pending)) = self.pending.take() else { return };
        let PendingSubscribe { request, channel, subscription } = *pending;
        let earlier = self.subscriptions.remove(channel);
        deadlines.clear(Timer::ChannelExpiry(channel));
        let result = result.and_then(|start| {
            let refused = self.permit.check_replay(start.replayed, now.monotonic).err();
            let Some(refused) = refused else { return Ok(start) };
            actions.push_back(SessionAction::Unsubscribe(channel));
            actions.push_back(self.refusal("subscribe", refused.code));
            Err(refused)
        });
        match result {
            Ok(SubscriptionStart { position, recovered, replay_end, .. }) => {
                if let Some(Signed { claims, .. }) = subscription.token.as_deref() {
                    deadlines.set(Timer::ChannelExpiry(channel), now.instant_of(claims.exp.millis()));
                }
                self.subscriptions.insert(channel, subscription);
                actions.push_back(SessionAction::Send(ToClient::Subscribed(Subscribed {
                    request,
                    channel_id: channel.into(),
                    position: Some(position),
                    recovered,
                    replay_end,
                })));
            }
            Err(refused) => {
                self.permit.release_subscriptions(1);
                // The request replaced the earlier subscription to the channel, which is therefore lost as well.
                if earlier.is_some() {
                    actions.push_back(ended(channel, refused.code, refused.message.clone()));
                }
                actions.push_back(failed(request, refused));
            }
        }
    }

    pub(super) fn unsubscribe(&mut self, message: &Unsubscribe, actions: &mut Actions) -> Option<ChannelId> {
        let channel = message.channel_id();
        if self.remove(channel).is_none() {
            let refused = Refused::new(Code::NotSubscribed, "the session is not subscribed to this channel");
            actions.push_back(failed(message.request, refused));
            return None;
        }
        actions.push_back(SessionAction::Unsubscribe(channel));
        let answer = ToClient::Unsubscribed(Unsubscribed { request: message.request });
        actions.push_back(SessionAction::Send(answer));
        Some(channel)
    }

    /// Ends a subscription whose channel token has expired. Returns the expiry if the token is still valid.
    pub(super) fn expire(
        &mut self,
        channel: ChannelId,
        now: Now,
        actions: &mut Actions,
    ) -> Option<UnixMillis> {
        let expiry = self.subscriptions.find(channel)?.token.as_ref()?.claims.exp.millis();
        if now.wall < expiry {
            return Some(expiry);
        }
        let message = "the channel token has expired; subscribe again with a fresh one";
        self.end(channel, Code::TokenExpired, message, actions);
        None
    }

    /// Ends a subscription, and tells the client why. A pending request that replaces the subscription continues: the
    /// driver has only one entry for both, which therefore stays.
    pub(super) fn end(&mut self, channel: ChannelId, code: Code, message: &str, actions: &mut Actions) {
        if self.remove(channel).is_some() {
            if !self.is_subscribing(channel) {
                actions.push_back(SessionAction::Unsubscribe(channel));
            }
            actions.push_back(ended(channel, code, message.to_owned()));
        }
    }

    fn remove(&mut self, channel: ChannelId) -> Option<Subscription> {
        let removed = self.subscriptions.remove(channel)?;
        // A subscription that a pending request replaces keeps its permit.
        if !self.is_subscribing(channel) {
            self.permit.release_subscriptions(1);
        }
        Some(removed)
    }

    fn is_subscribing(&self, channel: ChannelId) -> bool {
        matches!(&self.pending, Some(PendingRequest::Subscribe(pending)) if pending.channel == channel)
    }
}

fn ended(channel: ChannelId, code: Code, message: String) -> SessionAction {
    SessionAction::Send(ToClient::Ended(Ended { channel_id: channel.into(), code: code.number(), message }))
}
