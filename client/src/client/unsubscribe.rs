//! The end of subscriptions: unsubscribed by the app, failed, or ended by the relay.

use crate::{Client, ClientError, Event, Notice, Now, SubscriptionId};
use sealwire_protocol::{ChannelId, Code};

impl Client {
    /// Ends a subscription, to which nothing is delivered any more. [`Event::UnsubscribeDone`] completes the call, even if
    /// the subscription had already ended.
    pub fn unsubscribe(&mut self, now: Now, id: SubscriptionId) {
        self.drop_events_for(id);
        if self.subscriptions.get(&id).is_some_and(|subscription| !subscription.is_confirmed()) {
            let message = "the app unsubscribed before the relay confirmed the subscription";
            let result = Err(ClientError::new(Code::Closed, message));
            self.events.push_back(Event::SubscribeDone { subscription: id, result });
        }
        if !self.remove_subscription(now, id, Some(id)) {
            self.events.push_back(Event::UnsubscribeDone { subscription: id });
        }
        self.advance(now);
    }

    /// Removes a subscription from the events that the shell has not polled.
    fn drop_events_for(&mut self, id: SubscriptionId) {
        self.events.retain_mut(|event| match event {
            Event::Message { subscriptions, .. } | Event::Notice { subscriptions, .. } => {
                subscriptions.retain(|recipient| *recipient != id);
                !subscriptions.is_empty()
            }
            Event::Members { subscriptions, .. } => {
                subscriptions.retain(|recipient| *recipient != id);
                !subscriptions.is_empty()
            }
            Event::Standing { subscription, .. } => *subscription != id,
            _ => true,
        });
    }

    /// Removes a subscription from its channel, and unsubscribes the channel after its last one. `caller` is the subscription
    /// whose `unsubscribe` call waits for the relay's answer. Returns true if the client sent an `Unsubscribe`.
    fn remove_subscription(&mut self, now: Now, id: SubscriptionId, caller: Option<SubscriptionId>) -> bool {
        let Some(subscription) = self.subscriptions.remove(&id) else { return false };
        let Some(channel_id) = subscription.channel() else { return false };
        if subscription.member.is_some() {
            self.abandon_presence(now, channel_id, id);
        }
        let Some(channel) = self.channels.get_mut(&channel_id) else { return false };
        channel.remove_member(id);
        if subscription.renewal.is_pending() {
            channel.missing_keys.request_lost();
        }
        if !channel.members().is_empty() {
            return false;
        }
        let is_on_wire = channel.is_on_wire() && self.phase.is_connected();
        let is_presence = channel.presence.is_some();
        self.channels.remove(&channel_id);
        if is_on_wire && is_presence {
            self.send_unwatch(now, channel_id, caller);
        } else if is_on_wire {
            self.send_unsubscribe(now, channel_id, caller);
        }
        is_on_wire
    }

    /// Fails a subscription that the relay has not confirmed.
    pub(super) fn fail_subscription(&mut self, now: Now, id: SubscriptionId, error: ClientError) {
        if self.subscriptions.get(&id).is_some_and(|subscription| !subscription.is_confirmed()) {
            self.remove_subscription(now, id, None);
            self.events.push_back(Event::SubscribeDone { subscription: id, result: Err(error) });
        }
    }

    /// Ends a subscription, whether it is confirmed or not. The other subscriptions of its channel continue.
    pub(super) fn end_subscription(&mut self, now: Now, id: SubscriptionId, error: ClientError) {
        let Some(subscription) = self.subscriptions.get(&id) else { return };
        if !subscription.is_confirmed() {
            return self.fail_subscription(now, id, error);
        }
        if let Some(channel_id) = subscription.channel()
            && self.channels.get(&channel_id).is_some_and(|channel| channel.members().len() == 1)
        {
            self.deliver(now, channel_id, true);
        }
        self.remove_subscription(now, id, None);
        self.events.push_back(Event::Notice { subscriptions: vec![id], notice: Notice::Ended(error) });
    }

    /// Ends every subscription of a channel.
    pub(super) fn end_channel(&mut self, now: Now, id: ChannelId, error: &ClientError) {
        self.deliver(now, id, true);
        let Some(mut channel) = self.channels.remove(&id) else { return };
        if let Some(presence) = channel.presence.take() {
            self.fail_entering(presence.own.callers, error);
        }
        let mut confirmed = Vec::new();
        for member in channel.into_members() {
            let Some(subscription) = self.subscriptions.remove(&member) else { continue };
            if subscription.is_confirmed() {
                confirmed.push(member);
            } else {
                let result = Err(error.clone());
                self.events.push_back(Event::SubscribeDone { subscription: member, result });
            }
        }
        if !confirmed.is_empty() {
            let notice = Notice::Ended(error.clone());
            self.events.push_back(Event::Notice { subscriptions: confirmed, notice });
        }
    }
}
