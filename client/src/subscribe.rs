//! Subscribing and unsubscribing: the app's subscriptions on one side, one wire subscription per channel on the other.
//!
//! A subscription that joins a channel which is live already is confirmed at once, from the place that the channel has
//! reached. One that asks for a replay, too, makes the client leave and rejoin the channel with the replay asked for: the
//! others drop what they had, by its position, and miss nothing.

use crate::{
    Client, ClientError, Event, Instant, Notice, Now, SubscriptionId,
    channel::{Channel, Wire},
    connection::Phase,
    continuity::Continuity,
    entropy::below,
    event::{Gap, GapReason},
    inbox::{Content, Item},
    requests::{AskedBy, Request},
    spec::{ChannelSpec, CheckedSpec},
    subscription::{Progress, Subscription},
};
use sealwire_protocol::{
    ChannelId, Code, limits,
    wire::{Since, Subscribe, Subscribed, ToRelay, Unsubscribe},
};

impl Client {
    /// Subscribes; connects if need be. Ends with [`Event::SubscribeDone`]. `replay_seconds` asks for what the last so
    /// many seconds brought as well.
    pub fn subscribe(&mut self, now: Now, spec: ChannelSpec, replay_seconds: Option<u32>) -> SubscriptionId {
        let id = SubscriptionId(self.next_id());
        match self.check_subscribe(spec, replay_seconds) {
            Ok(spec) => {
                let replay_seconds = replay_seconds.filter(|seconds| *seconds > 0);
                let progress = Progress::AwaitingSession;
                let subscription = Subscription { spec, replay_seconds, asked_at: now.instant, progress };
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

    /// Gives every new subscription its channel, once a session says what its context is.
    pub(crate) fn resolve_subscriptions(&mut self) {
        let (Some(session), Some(identity)) = (&self.session, &self.identity) else { return };
        let mut refused = Vec::new();
        for (id, subscription) in &mut self.subscriptions {
            if !matches!(subscription.progress, Progress::AwaitingSession) {
                continue;
            }
            match subscription.spec.resolve(identity) {
                Ok(resolved) => {
                    let spec = &subscription.spec;
                    let channel = self.channels.entry(resolved.id).or_insert_with(|| {
                        let keys = spec.keys(session, &resolved.scope);
                        Channel::new(spec.clone(), resolved.scope, keys)
                    });
                    channel.members.push(*id);
                    subscription.progress = Progress::AwaitingSubscribed(resolved.id);
                }
                Err(error) => refused.push((*id, error)),
            }
        }
        for (id, error) in refused {
            self.subscriptions.remove(&id);
            self.events.push_back(Event::SubscribeDone { subscription: id, result: Err(error) });
        }
    }

    /// Brings every channel nearer to what its subscriptions need.
    pub(crate) fn join_channels(&mut self, now: Now) {
        let ids: Vec<ChannelId> = self.channels.keys().copied().collect();
        for id in ids {
            match self.channels.get(&id).map(|channel| channel.wire) {
                Some(Wire::Unsent) => self.join(now, id),
                Some(Wire::AwaitingRetry(at)) if at <= now.instant => self.join(now, id),
                Some(Wire::Live) => self.admit(now, id),
                _ => {}
            }
        }
    }

    /// Joins a channel that is not on the wire: from where its live subscriptions stand, or with the longest replay that
    /// the waiting ones ask for.
    fn join(&mut self, now: Now, id: ChannelId) {
        self.refuse_long_replays(now, id);
        let Some(channel) = self.channels.get_mut(&id) else { return };
        let members: Vec<&Subscription> =
            channel.members.iter().filter_map(|member| self.subscriptions.get(member)).collect();
        let position = members
            .iter()
            .filter_map(|member| match &member.progress {
                Progress::Live(_, continuity) => Some(continuity.position()),
                _ => None,
            })
            .min_by_key(|position| position.offset);
        let replay = members.iter().filter_map(|member| member.replay_seconds).max();
        if position.is_none() {
            // Nobody depends on the old token, so the newest one is shown.
            if let Some(member) = members.iter().max_by_key(|member| member.asked_at) {
                channel.spec = member.spec.clone();
                channel.keys = match &self.session {
                    Some(session) => channel.spec.keys(session, &channel.scope),
                    None => Vec::new(),
                };
            }
        }
        let since = position.map(Since::Position).or(replay.map(Since::ReplaySeconds));
        self.send_subscribe(now, id, since, false);
    }

    /// Takes the waiting subscriptions of a live channel in.
    fn admit(&mut self, now: Now, id: ChannelId) {
        self.refuse_long_replays(now, id);
        let Some(channel) = self.channels.get(&id) else { return };
        let Some(tip) = channel.tip else { return };
        let mut replay = None;
        let mut tokens = Vec::new();
        for member in &channel.members {
            let Some(subscription) = self.subscriptions.get_mut(member) else { continue };
            if !matches!(subscription.progress, Progress::AwaitingSubscribed(_)) {
                continue;
            }
            if subscription.spec.jwt() != channel.spec.jwt() {
                subscription.progress = Progress::AwaitingToken(id);
                tokens.extend(subscription.spec.claims.clone().map(|claims| (*member, claims)));
            } else if subscription.replay_seconds.is_some() {
                replay = replay.max(subscription.replay_seconds);
            } else {
                subscription.progress = Progress::Live(id, Continuity::new(tip, 0));
                self.events.push_back(Event::SubscribeDone { subscription: *member, result: Ok(()) });
            }
        }
        for (member, claims) in tokens {
            self.show_token(now, id, claims, AskedBy::Subscription(member));
        }
        if let Some(seconds) = replay {
            self.send_unsubscribe(now, id, None);
            self.send_subscribe(now, id, Some(Since::ReplaySeconds(seconds)), true);
        }
    }

    fn refuse_long_replays(&mut self, now: Now, id: ChannelId) {
        let (Phase::Live(live), Some(channel)) = (&self.phase, self.channels.get(&id)) else { return };
        let window_ms = live.replay_window_ms;
        let too_long = |member: &&SubscriptionId| {
            self.subscriptions.get(member).is_some_and(|subscription| {
                !subscription.is_live()
                    && subscription
                        .replay_seconds
                        .is_some_and(|seconds| u64::from(seconds) * 1000 > window_ms)
            })
        };
        let refused: Vec<SubscriptionId> = channel.members.iter().filter(too_long).copied().collect();
        for member in refused {
            self.fail_subscription(now, member, replay_too_long(window_ms / 1000));
        }
    }

    fn send_subscribe(&mut self, now: Now, id: ChannelId, since: Option<Since>, rejoins: bool) {
        let Some(channel) = self.channels.get_mut(&id) else { return };
        let deadline = now.instant.after(self.config.request_timeout_ms);
        let request = self.requests.open(deadline, Request::Subscribe(id));
        channel.wire = Wire::AwaitingSubscribed { request, since, rejoins };
        let wire = channel.spec.on_the_wire(&channel.scope);
        let message = Subscribe { request, channel: Some(wire), since, events: Vec::new() };
        self.send(&ToRelay::Subscribe(message));
    }

    fn send_unsubscribe(&mut self, now: Now, id: ChannelId, asked_by: Option<SubscriptionId>) {
        let deadline = now.instant.after(self.config.request_timeout_ms);
        let request = self.requests.open(deadline, Request::Unsubscribe(asked_by));
        self.send(&ToRelay::Unsubscribe(Unsubscribe { request, channel_id: id.into() }));
    }

    /// The relay confirmed a channel.
    pub(crate) fn subscribed(&mut self, now: Now, id: ChannelId, answer: &Subscribed) {
        let Some(channel) = self.channels.get_mut(&id) else { return };
        let Wire::AwaitingSubscribed { request, since, .. } = channel.wire else { return };
        let (Some(position), true) = (answer.position, request == answer.request) else { return };
        if answer.channel_id() != id {
            self.send_unsubscribe(now, answer.channel_id(), None);
            let message = "the relay computed another channel: the session's token and its context disagree";
            return self.end_channel(now, id, &ClientError::new(Code::TokenIdentity, message));
        }
        channel.wire = Wire::Live;
        channel.refused = None;
        channel.reach(position);
        let asked = match since {
            Some(Since::Position(position)) => Some(position),
            _ => None,
        };
        let clock = self.relay_clock;
        let not_before = |subscription: &Subscription| match (since, subscription.replay_seconds) {
            (None, _) => 0,
            (Some(Since::ReplaySeconds(all)), Some(wanted)) if all == wanted => 0,
            (_, wanted) => {
                let asked_at = clock.map_or(0, |clock| clock.at(subscription.asked_at));
                asked_at.saturating_sub(u64::from(wanted.unwrap_or(0)) * 1000)
            }
        };
        for member in &channel.members {
            let Some(subscription) = self.subscriptions.get_mut(member) else { continue };
            let mut gap = None;
            match &mut subscription.progress {
                Progress::Live(_, continuity) => {
                    gap = continuity.resume(position, asked, answer.recovered);
                }
                Progress::AwaitingSubscribed(_) if covers(since, subscription.replay_seconds) => {
                    let continuity = Continuity::new(position, not_before(subscription));
                    subscription.progress = Progress::Live(id, continuity);
                    self.events.push_back(Event::SubscribeDone { subscription: *member, result: Ok(()) });
                    if subscription.replay_seconds.is_some() && !answer.recovered {
                        gap = Some(Gap { from: None, to: position, reason: GapReason::Evicted });
                    }
                }
                _ => {}
            }
            if let Some(gap) = gap {
                let content = Content::Notice(Notice::Gap(gap));
                channel.inbox.push(Item { recipients: vec![*member], content });
            }
        }
        self.deliver(now, id, false);
    }

    /// The relay refused a channel.
    pub(crate) fn subscribe_refused(&mut self, now: Now, id: ChannelId, error: ClientError) {
        if error.is_temporary() {
            self.rejoin_later(now, id, error);
        } else {
            self.end_channel(now, id, &error);
        }
    }

    /// The relay ended a channel that was live.
    pub(crate) fn ended(&mut self, now: Now, id: ChannelId, error: ClientError) {
        if error.is_temporary() {
            self.rejoin_later(now, id, error);
        } else if self.channels.get(&id).is_some_and(|channel| channel.wire == Wire::Live) {
            self.end_channel(now, id, &error);
        }
    }

    fn rejoin_later(&mut self, now: Now, id: ChannelId, error: ClientError) {
        let Some(channel) = self.channels.get_mut(&id) else { return };
        let wait = u64::from(error.retry_after_ms.unwrap_or(1_000));
        let wait = wait + below(&mut *self.entropy, wait.min(5_000) + 1);
        channel.wire = Wire::AwaitingRetry(now.instant.after(wait));
        channel.refused = Some(error);
    }

    /// Ends every subscription of a channel.
    pub(crate) fn end_channel(&mut self, now: Now, id: ChannelId, error: &ClientError) {
        self.deliver(now, id, true);
        let Some(channel) = self.channels.remove(&id) else { return };
        let mut live = Vec::new();
        for member in channel.members {
            let Some(subscription) = self.subscriptions.remove(&member) else { continue };
            if subscription.is_live() {
                live.push(member);
            } else {
                let result = Err(error.clone());
                self.events.push_back(Event::SubscribeDone { subscription: member, result });
            }
        }
        if !live.is_empty() {
            self.events
                .push_back(Event::Notice { subscriptions: live, notice: Notice::Ended(error.clone()) });
        }
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
    fn leave(&mut self, now: Now, id: SubscriptionId, asked_by: Option<SubscriptionId>) -> bool {
        let subscription = self.subscriptions.remove(&id);
        let Some(channel_id) = subscription.and_then(|subscription| subscription.channel()) else {
            return false;
        };
        let Some(channel) = self.channels.get_mut(&channel_id) else { return false };
        channel.members.retain(|member| *member != id);
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
        let timeout = self.config.request_timeout_ms;
        let due = |deadline: Instant| deadline <= now.instant;
        let late: Vec<SubscriptionId> = self
            .subscriptions
            .iter()
            .filter(|(_, subscription)| subscription.deadline(timeout).is_some_and(due))
            .map(|(id, _)| *id)
            .collect();
        for id in late {
            let channel = self.subscriptions.get(&id).and_then(Subscription::channel);
            let refused = channel.and_then(|id| self.channels.get(&id)?.refused.clone());
            let error = refused.unwrap_or_else(|| self.why_no_answer());
            self.fail_subscription(now, id, error);
        }
    }

    /// What to tell a call that waited too long.
    pub(crate) fn why_no_answer(&self) -> ClientError {
        let unreachable = || ClientError::unreachable("the relay did not answer in time");
        self.trouble.clone().unwrap_or_else(unreachable)
    }

    /// Tells every call that waits.
    pub(crate) fn fail_waiting(&mut self, error: &ClientError) {
        let events = &mut self.events;
        self.subscriptions.retain(|id, subscription| {
            if !subscription.is_live() {
                events.push_back(Event::SubscribeDone { subscription: *id, result: Err(error.clone()) });
            }
            subscription.is_live()
        });
        self.fail_publishes(error);
    }
}

/// Whether an answer to `since` serves a subscription that waits for this replay.
fn covers(since: Option<Since>, wanted: Option<u32>) -> bool {
    match (since, wanted) {
        (_, None) => true,
        (Some(Since::ReplaySeconds(seconds)), Some(wanted)) => wanted <= seconds,
        (None | Some(Since::Position(_)), Some(_)) => false,
    }
}

fn replay_too_long(seconds: u64) -> ClientError {
    ClientError::new(Code::ReplayTooLong, format!("a replay goes back at most {seconds} seconds here"))
}
