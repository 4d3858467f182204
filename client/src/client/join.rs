//! Channels on the wire: joining, rejoining and leaving them as the subscriptions need it.

use crate::{
    Client, ClientError, Event, Notice, Now, SubscriptionId,
    client::connect::Phase,
    client::subscribe::replay_too_long,
    entropy::below,
    event::{Gap, GapReason},
    state::channel::{Channel, Wire},
    state::continuity::{Continuity, Skip},
    state::reorder_buffer::{Content, Item},
    state::requests::{AskedBy, Request},
    state::subscription::{Progress, Subscription},
};
use sealwire_protocol::{
    ChannelId, Code,
    wire::{Since, Subscribe, Subscribed, ToRelay, Unsubscribe},
};

/// A replay has arrived by then.
const REPLAY_MS: u64 = 5_000;

impl Client {
    /// Gives every new subscription its channel, once a session says what its context is.
    pub(crate) fn resolve_subscriptions(&mut self) {
        let (Some(session), Some(identity)) = (&self.session, &self.identity) else { return };
        let mut refused = Vec::new();
        for (id, subscription) in self.subscriptions.iter_mut() {
            if !matches!(subscription.progress, Progress::AwaitingSession) {
                continue;
            }
            match subscription.spec.resolve(identity) {
                Ok(resolved) => {
                    let spec = &subscription.spec;
                    let channel = self.channels.entry(resolved.id, || {
                        let keys = spec.keys(session, &resolved.scope);
                        Channel::new(spec.clone(), resolved.scope, keys)
                    });
                    channel.members.push(id);
                    // The others' tokens are spent, and this one has a token of its own.
                    if channel.wire == Wire::AwaitingToken {
                        channel.wire = Wire::Unsent;
                    }
                    subscription.progress = Progress::AwaitingSubscribed(resolved.id);
                }
                Err(error) => refused.push((id, error)),
            }
        }
        for (id, error) in refused {
            self.subscriptions.remove(&id);
            self.events.push_back(Event::SubscribeDone { subscription: id, result: Err(error) });
        }
    }

    /// Brings every channel nearer to what its subscriptions need.
    pub(crate) fn join_channels(&mut self, now: Now) {
        for id in self.channels.keys() {
            match self.channels.get(&id).map(|channel| channel.wire) {
                Some(Wire::Unsent) => self.join(now, id),
                Some(Wire::AwaitingRetry(at)) if at <= now.instant => self.join(now, id),
                Some(Wire::Live) => {
                    self.admit(now, id);
                    self.show_best_token(now, id);
                }
                _ => {}
            }
        }
    }

    /// Joins a channel that is not on the wire: from where its live subscriptions stand, or with the longest replay that
    /// the waiting ones ask for.
    fn join(&mut self, now: Now, id: ChannelId) {
        self.refuse_long_replays(now, id);
        let Some(channel) = self.channels.get(&id) else { return };
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
        let since = position.map(Since::Position).or(replay.map(Since::ReplaySeconds));
        if let Some(claims) = self.best_token(id).cloned() {
            self.adopt_claims(id, claims);
        }
        self.send_subscribe(now, id, since, false);
    }

    /// Takes the waiting subscriptions of a live channel in.
    fn admit(&mut self, now: Now, id: ChannelId) {
        self.refuse_long_replays(now, id);
        let Some(channel) = self.channels.get(&id) else { return };
        let Some(tip) = channel.tip else { return };
        let mut replay = None;
        let mut tokens = Vec::new();
        let mut admitted = Vec::new();
        for member in &channel.members {
            let Some(subscription) = self.subscriptions.get_mut(member) else { continue };
            if !matches!(subscription.progress, Progress::AwaitingSubscribed(_)) {
                continue;
            }
            if subscription.spec.jwt() != channel.spec.jwt() && !subscription.is_admitted {
                subscription.progress = Progress::AwaitingToken(id);
                tokens.extend(subscription.spec.claims.clone().map(|claims| (*member, claims)));
            } else if subscription.replay_seconds.is_some() {
                replay = replay.max(subscription.replay_seconds);
            } else {
                subscription.progress = Progress::Live(id, Continuity::new(tip, None));
                self.events.push_back(Event::SubscribeDone { subscription: *member, result: Ok(()) });
                admitted.push(*member);
            }
        }
        for member in admitted {
            self.plan_renewal(now, member);
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
        let request = self.requests.open(now.instant, deadline, Request::Subscribe(id));
        channel.wire = Wire::AwaitingSubscribed { request, since, rejoins };
        let wire = channel.spec.on_the_wire(&channel.scope);
        let message = Subscribe { request, channel: Some(wire), since, events: Vec::new() };
        self.send(&ToRelay::Subscribe(message));
    }

    pub(crate) fn send_unsubscribe(&mut self, now: Now, id: ChannelId, asked_by: Option<SubscriptionId>) {
        let deadline = now.instant.after(self.config.request_timeout_ms);
        let request = self.requests.open(now.instant, deadline, Request::Unsubscribe(asked_by));
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
        let skip = |subscription: &Subscription| match (since, subscription.replay_seconds) {
            (None, _) => None,
            (Some(Since::ReplaySeconds(all)), Some(wanted)) if all == wanted => None,
            (_, wanted) => {
                let asked_at = clock.map_or(0, |clock| clock.at(subscription.asked_at));
                let before_ms = asked_at.saturating_sub(u64::from(wanted.unwrap_or(0)) * 1000);
                Some(Skip { before_ms, until: now.instant.after(REPLAY_MS) })
            }
        };
        for member in &channel.members {
            let Some(subscription) = self.subscriptions.get_mut(member) else { continue };
            let mut gap = None;
            match &mut subscription.progress {
                Progress::Live(_, continuity) => {
                    gap = continuity.resume(position, asked, answer.recovered);
                }
                // With another token than the one that the relay took, it has to show its own.
                Progress::AwaitingSubscribed(_)
                    if covers(since, subscription.replay_seconds)
                        && (subscription.is_admitted || subscription.spec.jwt() == channel.spec.jwt()) =>
                {
                    let continuity = Continuity::new(position, skip(subscription));
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
        for member in channel.members.clone() {
            let Some(subscription) = self.subscriptions.get_mut(&member) else { continue };
            let is_shown =
                self.channels.get(&id).is_some_and(|known| known.spec.jwt() == subscription.spec.jwt());
            subscription.renewal.refused &= !is_shown;
            if subscription.is_live() {
                self.plan_renewal(now, member);
            }
        }
        self.deliver(now, id, false);
    }

    /// The relay refused a channel.
    pub(crate) fn subscribe_refused(&mut self, now: Now, id: ChannelId, refused: u32, error: ClientError) {
        let wire = self.channels.get(&id).map(|channel| channel.wire);
        // The refusal of an earlier subscribe, which everybody left, says nothing of the one that is under way.
        if !matches!(wire, Some(Wire::AwaitingSubscribed { request, .. }) if request == refused) {
            return;
        }
        if error.is_temporary() {
            self.rejoin_later(now, id, error);
        } else if !self.token_refused(now, id, &error) {
            self.end_channel(now, id, &error);
        }
    }

    /// The relay ended a channel that was live.
    pub(crate) fn ended(&mut self, now: Now, id: ChannelId, error: ClientError) {
        if error.is_temporary() {
            self.rejoin_later(now, id, error);
        } else if self.channels.get(&id).is_some_and(|channel| channel.wire == Wire::Live)
            && !self.token_refused(now, id, &error)
        {
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
}

/// Whether an answer to `since` serves a subscription that waits for this replay.
fn covers(since: Option<Since>, wanted: Option<u32>) -> bool {
    match (since, wanted) {
        (_, None) => true,
        (Some(Since::ReplaySeconds(seconds)), Some(wanted)) => wanted <= seconds,
        (None | Some(Since::Position(_)), Some(_)) => false,
    }
}
