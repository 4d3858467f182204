//! Subscribing and unsubscribing: the app's subscriptions on one side, one wire subscription per channel on the other.
//!
//! A subscription that joins a channel which is live already is confirmed at once, from the place that the channel has
//! reached. One that asks for a replay, too, makes the client leave and rejoin the channel with the replay asked for: the
//! others drop what they had, by its position, and miss nothing.

use crate::{
    Client, ClientError, Event, Instant, Now, SubscriptionId,
    client::connect::Phase,
    client::token_renewal::Renewal,
    state::channel::Wire,
    state::channel_spec::{ChannelSpec, CheckedSpec},
    state::subscription::{Progress, Standing, Subscription},
};
use sealwire_protocol::{Code, limits};

impl Client {
    /// Subscribes; connects if need be. Ends with [`Event::SubscribeDone`], however long that takes. `replay_seconds` asks
    /// for what the last so many seconds brought as well.
    pub fn subscribe(&mut self, now: Now, spec: ChannelSpec, replay_seconds: Option<u32>) -> SubscriptionId {
        self.subscribe_within(now, spec, replay_seconds, None)
    }

    /// As [`Self::subscribe`], which fails and leaves no subscription behind where it is not confirmed within `timeout_ms`.
    pub fn subscribe_within(
        &mut self,
        now: Now,
        spec: ChannelSpec,
        replay_seconds: Option<u32>,
        timeout_ms: Option<u64>,
    ) -> SubscriptionId {
        let id = SubscriptionId(self.next_id());
        match self.check_subscribe(spec, replay_seconds) {
            Ok(spec) => {
                let replay_seconds = replay_seconds.filter(|seconds| *seconds > 0);
                let progress = Progress::AwaitingSession;
                let subscription = Subscription {
                    spec,
                    replay_seconds,
                    asked_at: now.instant,
                    due: timeout_ms.map(|ms| now.instant.after(ms)),
                    progress,
                    shown: Standing::Subscribing,
                    renews: false,
                    renewal: Renewal::default(),
                    is_admitted: false,
                };
                self.subscriptions.insert(id, subscription);
                self.settle(now);
            }
            Err(error) => {
                self.events.push_back(Event::SubscribeDone { subscription: id, result: Err(error) })
            }
        }
        id
    }

    /// Ends a subscription: nothing more is delivered to it. Ends with [`Event::UnsubscribeDone`], also where it was
    /// over before.
    pub fn unsubscribe(&mut self, now: Now, id: SubscriptionId) {
        for event in &mut self.events {
            if let Event::Message { subscriptions, .. } | Event::Notice { subscriptions, .. } = event {
                subscriptions.retain(|recipient| *recipient != id);
            }
        }
        self.events.retain(|event| {
            !matches!(event, Event::Message { subscriptions, .. } | Event::Notice { subscriptions, .. } if subscriptions.is_empty())
                && !matches!(event, Event::Standing { subscription, .. } if *subscription == id)
        });
        if self.subscriptions.get(&id).is_some_and(|subscription| !subscription.is_live()) {
            let result = Err(ClientError::new(Code::Closed, "unsubscribed before the relay confirmed"));
            self.events.push_back(Event::SubscribeDone { subscription: id, result });
        }
        if !self.leave(now, id, Some(id)) {
            self.events.push_back(Event::UnsubscribeDone { subscription: id });
        }
        self.settle(now);
    }

    fn check_subscribe(&self, spec: ChannelSpec, replay: Option<u32>) -> Result<CheckedSpec, ClientError> {
        if matches!(self.phase, Phase::Closed) {
            return Err(ClientError::closed());
        }
        if replay.is_some_and(|seconds| seconds > limits::MAX_REPLAY_SECONDS) {
            return Err(replay_too_long(u64::from(limits::MAX_REPLAY_SECONDS)));
        }
        CheckedSpec::check(spec)
    }

    /// Ends a subscription that waits.
    pub(crate) fn fail_subscription(&mut self, now: Now, id: SubscriptionId, error: ClientError) {
        if self.subscriptions.get(&id).is_some_and(|subscription| !subscription.is_live()) {
            self.leave(now, id, None);
            self.events.push_back(Event::SubscribeDone { subscription: id, result: Err(error) });
        }
    }

    /// Takes a subscription out of its channel, and the channel off the wire with the last one. Whether the relay was
    /// asked.
    pub(crate) fn leave(&mut self, now: Now, id: SubscriptionId, asked_by: Option<SubscriptionId>) -> bool {
        let Some(subscription) = self.subscriptions.remove(&id) else { return false };
        let Some(channel_id) = subscription.channel() else { return false };
        let Some(channel) = self.channels.get_mut(&channel_id) else { return false };
        channel.members.retain(|member| *member != id);
        if subscription.renewal.asked.is_some() {
            channel.missing.not_asked();
        }
        if !channel.members.is_empty() {
            return false;
        }
        let on_the_wire = channel.is_on_the_wire() && matches!(self.phase, Phase::Live(_));
        self.channels.remove(&channel_id);
        if on_the_wire {
            self.send_unsubscribe(now, channel_id, asked_by);
        }
        on_the_wire
    }

    /// Ends the subscriptions that waited too long.
    pub(crate) fn expire_subscriptions(&mut self, now: Now) {
        let due = |deadline: Instant| deadline <= now.instant;
        let late: Vec<SubscriptionId> = self
            .subscriptions
            .iter()
            .filter(|(_, subscription)| subscription.deadline().is_some_and(due))
            .map(|(id, _)| id)
            .collect();
        for id in late {
            let channel = self.subscriptions.get(&id).and_then(Subscription::channel);
            let channel = channel.and_then(|id| self.channels.get(&id));
            let refused = channel.and_then(|channel| channel.refused.clone());
            let error = refused.unwrap_or_else(|| self.why_no_answer());
            self.fail_subscription(now, id, error);
        }
    }

    /// The error for a call that waited too long: names the side that was slow.
    pub(crate) fn why_no_answer(&self) -> ClientError {
        match (&self.phase, &self.trouble) {
            (Phase::AwaitingSession, Some(trouble)) if trouble.code == Code::SessionUnavailable.into() => {
                trouble.clone()
            }
            (Phase::AwaitingSession, _) => ClientError::slow_provider("the app's session function"),
            // For a call, a missed heartbeat is a relay that did not answer.
            (_, Some(trouble)) if trouble.code == Code::HeartbeatTimeout.into() => {
                ClientError::unreachable(&trouble.message)
            }
            (_, Some(trouble)) => trouble.clone(),
            _ => ClientError::unreachable("the relay did not answer in time"),
        }
    }

    /// Tells every subscription whose standing changed.
    pub(crate) fn show_standings(&mut self) {
        let connected = matches!(self.phase, Phase::Live(_));
        for (id, subscription) in self.subscriptions.iter_mut() {
            let wire = match subscription.progress {
                Progress::Live(channel, _) => self.channels.get(&channel).map(|channel| channel.wire),
                _ => continue,
            };
            let flows = matches!(wire, Some(Wire::Live | Wire::AwaitingSubscribed { rejoins: true, .. }))
                && connected;
            let standing = if flows { Standing::Subscribed } else { Standing::Resuming };
            if subscription.shown != standing {
                subscription.shown = standing;
                self.events.push_back(Event::Standing { subscription: id, standing });
            }
        }
    }

    /// Tells every call that waits.
    pub(crate) fn fail_waiting(&mut self, error: &ClientError) {
        let events = &mut self.events;
        self.subscriptions.retain(|id, subscription| {
            if !subscription.is_live() {
                events.push_back(Event::SubscribeDone { subscription: id, result: Err(error.clone()) });
            }
            subscription.is_live()
        });
        self.fail_publishes(error);
    }
}

pub(crate) fn replay_too_long(seconds: u64) -> ClientError {
    ClientError::new(Code::ReplayTooLong, format!("a replay goes back at most {seconds} seconds here"))
}
