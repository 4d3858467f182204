//! Channels on the wire: subscribed, subscribed again with a replay, and confirmed for each of their members.

use crate::{
    Client, ClientError, Event, Notice, Now, SubscriptionId,
    client::subscribe::replay_too_long,
    entropy::below,
    event::{Gap, GapReason},
    state::{
        channel::{Channel, WireState},
        continuity::{Continuity, Skip},
        own_entry::Sent,
        phase::Phase,
        presence::{Presence, presence_id},
        requests::{Request, TokenSource},
        subscription::{Progress, Subscription},
    },
};
use sealwire_protocol::{
    ChannelId, Code,
    wire::{Position, PresenceWatch, Since, Subscribe, Subscribed, ToRelay, Unsubscribe},
};

/// The time within which a replay arrives.
const REPLAY_TIMEOUT_MS: u64 = 5_000;

impl Client {
    /// Assigns every new subscription to its channel, once a session determines the context.
    pub(super) fn resolve_subscriptions(&mut self) {
        let (Some(session), Some(identity)) = (&self.session, &self.identity) else { return };
        let mut refused = Vec::new();
        for (id, subscription) in self.subscriptions.iter_mut() {
            if !matches!(subscription.progress(), Progress::AwaitingSession) {
                continue;
            }
            match subscription.spec().resolve(identity) {
                Ok(resolved) => {
                    let (spec, member) = (subscription.spec(), subscription.member);
                    let channel_id = if member.is_some() { presence_id(resolved.id) } else { resolved.id };
                    let channel =
                        self.channels.entry(channel_id, || Channel::new(spec.clone(), resolved, session));
                    if let (Some((member, entered_at)), None) = (member, &channel.presence) {
                        channel.presence = Some(Box::new(Presence::new(member, entered_at)));
                    }
                    channel.add_member(id);
                    subscription.set_progress(Progress::AwaitingSubscribed(channel_id));
                }
                Err(error) => refused.push((id, error)),
            }
        }
        for (id, error) in refused {
            self.subscriptions.remove(&id);
            self.events.push_back(Event::SubscribeDone { subscription: id, result: Err(error) });
        }
    }

    /// Takes the next step for every channel.
    pub(super) fn join_channels(&mut self, now: Now) {
        for id in self.channels.keys() {
            match self.channels.get(&id).map(Channel::wire) {
                Some(WireState::Unsent) => self.join(now, id),
                Some(WireState::AwaitingRetry(at)) if at <= now.instant => self.join(now, id),
                Some(WireState::Subscribed) => {
                    self.admit(now, id);
                    self.send_best_token(now, id);
                }
                _ => {}
            }
        }
    }

    /// Subscribes a channel from the lowest position of its confirmed members, or, if there are none, with the longest replay
    /// that a member asks for.
    fn join(&mut self, now: Now, id: ChannelId) {
        self.refuse_long_replays(now, id);
        let Some(channel) = self.channels.get(&id) else { return };
        let members: Vec<&Subscription> =
            channel.members().iter().filter_map(|member| self.subscriptions.get(member)).collect();
        let position = members
            .iter()
            .filter_map(|member| match member.progress() {
                Progress::Confirmed(_, continuity) => Some(continuity.position()),
                _ => None,
            })
            .min_by_key(|position| position.offset);
        let replay = members.iter().filter_map(|member| member.replay_seconds()).max();
        let since = position.map(Since::Position).or(replay.map(Since::ReplaySeconds));
        if let Some(claims) = self.best_token(id).cloned() {
            self.set_channel_token(id, claims);
        }
        self.send_subscribe(now, id, since, false);
    }

    /// Confirms the waiting members of a confirmed channel: at once, after the relay accepted their token, or after a replay.
    fn admit(&mut self, now: Now, id: ChannelId) {
        self.refuse_long_replays(now, id);
        let Some(channel) = self.channels.get(&id) else { return };
        let Some(head) = channel.head() else { return };
        let mut replay = None;
        let mut tokens = Vec::new();
        let mut confirmed = Vec::new();
        for member in channel.members() {
            let Some(subscription) = self.subscriptions.get_mut(member) else { continue };
            if !matches!(subscription.progress(), Progress::AwaitingSubscribed(_)) {
                continue;
            }
            if !subscription.is_admitted_with(channel.jwt()) {
                subscription.set_progress(Progress::AwaitingToken(id));
                tokens.extend(subscription.claims().cloned().map(|claims| (*member, claims)));
            } else if subscription.replay_seconds().is_some() {
                replay = replay.max(subscription.replay_seconds());
            } else {
                subscription.set_progress(Progress::Confirmed(id, Continuity::new(head, None)));
                self.events.push_back(Event::SubscribeDone { subscription: *member, result: Ok(()) });
                confirmed.push(*member);
            }
        }
        for member in confirmed {
            self.report_members(id, member);
            self.plan_renewal(now, member);
        }
        for (member, claims) in tokens {
            self.send_token(now, id, claims, TokenSource::Subscription(member));
        }
        if let Some(seconds) = replay {
            self.send_unsubscribe(now, id, None);
            self.send_subscribe(now, id, Some(Since::ReplaySeconds(seconds)), true);
        }
    }

    /// Fails the waiting members that ask for a longer replay than the relay serves.
    fn refuse_long_replays(&mut self, now: Now, id: ChannelId) {
        let (Phase::Connected(connection), Some(channel)) = (&self.phase, self.channels.get(&id)) else {
            return;
        };
        let window_ms = connection.replay_window_ms();
        let is_too_long = |member: &&SubscriptionId| {
            self.subscriptions.get(member).is_some_and(|subscription| {
                let replay_ms = subscription.replay_seconds().map(|seconds| u64::from(seconds) * 1000);
                !subscription.is_confirmed() && replay_ms.is_some_and(|replay_ms| replay_ms > window_ms)
            })
        };
        let refused: Vec<SubscriptionId> = channel.members().iter().filter(is_too_long).copied().collect();
        for member in refused {
            self.fail_subscription(now, member, replay_too_long(window_ms / 1000));
        }
    }

    pub(super) fn send_subscribe(&mut self, now: Now, id: ChannelId, since: Option<Since>, rejoins: bool) {
        let deadline = self.request_deadline(now);
        let Some(channel) = self.channels.get_mut(&id) else { return };
        let request = self.requests.add(now.instant, deadline, Request::Subscribe(id));
        channel.await_subscribed(request, since, rejoins);
        if let Some(presence) = &mut channel.presence {
            presence.await_state();
            if !rejoins {
                presence.own.sent = Sent::No;
            }
            let watch = PresenceWatch { request, channel: Some(channel.to_wire()) };
            return self.send(&ToRelay::PresenceWatch(watch));
        }
        let message = Subscribe { request, channel: Some(channel.to_wire()), since, events: Vec::new() };
        self.send(&ToRelay::Subscribe(message));
    }

    pub(super) fn send_unsubscribe(&mut self, now: Now, id: ChannelId, caller: Option<SubscriptionId>) {
        let deadline = self.request_deadline(now);
        let request = self.requests.add(now.instant, deadline, Request::Unsubscribe(caller));
        self.send(&ToRelay::Unsubscribe(Unsubscribe { request, channel_id: id.into() }));
    }

    /// Handles the relay's confirmation of a channel.
    pub(super) fn channel_confirmed(&mut self, now: Now, id: ChannelId, answer: &Subscribed) {
        let Some(channel) = self.channels.get_mut(&id) else { return };
        let WireState::AwaitingSubscribed { request, since, .. } = channel.wire() else { return };
        let (Some(position), true) = (answer.position, request == answer.request) else { return };
        if answer.channel_id() != id {
            match self.presence_mut(id) {
                Some(_) => self.send_unwatch(now, answer.channel_id(), None),
                None => self.send_unsubscribe(now, answer.channel_id(), None),
            }
            let message = "the relay computed another channel: the session's token and its context disagree; \
                           mint the session with sealwire/resolver";
            return self.end_channel(now, id, &ClientError::new(Code::TokenIdentity, message));
        }
        channel.confirm(position, requested_position(since), answer.recovered);
        self.confirm_members(now, id, answer, since);
        let members = self.channels.get(&id).map_or_else(Vec::new, |channel| channel.members().to_vec());
        for member in members {
            let Some(subscription) = self.subscriptions.get_mut(&member) else { continue };
            if self.channels.get(&id).is_some_and(|channel| channel.jwt() == subscription.jwt()) {
                subscription.renewal.accept();
            }
            if subscription.is_confirmed() {
                self.plan_renewal(now, member);
            }
        }
        // The standing precedes everything that the resume delivers.
        self.report_standings();
        self.deliver(now, id, false);
    }

    /// Resumes the confirmed members of a channel and confirms those that the answer to `since` serves. Reports their gaps.
    fn confirm_members(&mut self, now: Now, id: ChannelId, answer: &Subscribed, since: Option<Since>) {
        let (Some(channel), Some(position)) = (self.channels.get_mut(&id), answer.position) else { return };
        let requested = requested_position(since);
        let clock = self.relay_clock;
        let skip = |subscription: &Subscription| match (since, subscription.replay_seconds()) {
            (None, _) => None,
            (Some(Since::ReplaySeconds(all)), Some(wanted)) if all == wanted => None,
            (_, wanted) => {
                let requested_at = clock.map_or(0, |clock| clock.at(subscription.requested_at()));
                let before_ms = requested_at.saturating_sub(u64::from(wanted.unwrap_or(0)) * 1000);
                Some(Skip { before_ms, end: answer.replay_end, until: now.instant.after(REPLAY_TIMEOUT_MS) })
            }
        };
        let mut joined = Vec::new();
        for member in channel.members().to_vec() {
            let Some(subscription) = self.subscriptions.get_mut(&member) else { continue };
            let mut gap = None;
            // A channel that is subscribed again for the replay of another member was never interrupted.
            let is_resumed = subscription.is_resuming();
            if let Some(continuity) = subscription.continuity_mut() {
                gap = continuity.resume(position, requested, answer.recovered);
            } else if matches!(subscription.progress(), Progress::AwaitingSubscribed(_))
                && covers(since, subscription.replay_seconds())
                // Otherwise the relay must accept the subscription's own token first.
                && subscription.is_admitted_with(channel.jwt())
            {
                let continuity = Continuity::new(position, skip(subscription));
                subscription.set_progress(Progress::Confirmed(id, continuity));
                self.events.push_back(Event::SubscribeDone { subscription: member, result: Ok(()) });
                joined.push(member);
                if subscription.replay_seconds().is_some() && !answer.recovered {
                    gap = Some(Gap { from: None, to: position, reason: GapReason::Evicted });
                }
            }
            if let Some(gap) = gap {
                channel.buffer.push_notice(vec![member], Notice::Gap(gap));
            }
            if is_resumed {
                channel.buffer.push_notice(vec![member], Notice::Resumed { recovered: gap.is_none() });
            }
        }
        for member in joined {
            self.report_members(id, member);
        }
    }

    /// Handles the relay's refusal of a channel.
    pub(super) fn channel_refused(&mut self, now: Now, id: ChannelId, refused: u32, error: ClientError) {
        let wire = self.channels.get(&id).map(Channel::wire);
        // The refusal of an earlier subscribe, whose subscriptions have all left, says nothing about the pending one.
        if !matches!(wire, Some(WireState::AwaitingSubscribed { request, .. }) if request == refused) {
            return;
        }
        if error.is_temporary() {
            self.rejoin_later(now, id, error);
        } else if !self.channel_token_rejected(now, id, &error) {
            self.end_channel(now, id, &error);
        }
    }

    /// Handles that the relay ended a confirmed channel.
    pub(super) fn channel_ended(&mut self, now: Now, id: ChannelId, error: ClientError) {
        if error.is_temporary() {
            self.rejoin_later(now, id, error);
        } else if self.channels.get(&id).is_some_and(|channel| channel.wire() == WireState::Subscribed)
            && !self.channel_token_rejected(now, id, &error)
        {
            self.end_channel(now, id, &error);
        }
    }

    fn rejoin_later(&mut self, now: Now, id: ChannelId, error: ClientError) {
        let Some(channel) = self.channels.get_mut(&id) else { return };
        let wait = u64::from(error.retry_after_ms.unwrap_or(1_000));
        let wait = wait + below(&mut *self.entropy, wait.min(5_000) + 1);
        channel.await_retry(now.instant.after(wait), error);
    }
}

/// Returns the position that a subscribe named, if any.
fn requested_position(since: Option<Since>) -> Option<Position> {
    match since {
        Some(Since::Position(position)) => Some(position),
        _ => None,
    }
}

/// Returns true if an answer to `since` serves a subscription that waits for a replay of `wanted` seconds.
fn covers(since: Option<Since>, wanted: Option<u32>) -> bool {
    match (since, wanted) {
        (_, None) => true,
        (Some(Since::ReplaySeconds(seconds)), Some(wanted)) => wanted <= seconds,
        (None | Some(Since::Position(_)), Some(_)) => false,
    }
}
