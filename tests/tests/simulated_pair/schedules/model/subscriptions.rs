//! Subscriptions: every message once and in order, a gap for what is missing, and no end without a reason.

use super::{
    super::history::Epoch,
    {Check, Location, Model, RelayClock, is_unreachable},
};
use bytes::Bytes;
use sealwire_client::{ClientError, Gap, GapReason, Notice, SubscriptionId};
use sealwire_protocol::{ChannelId, wire::Position};
use std::collections::BTreeSet;

/// The longest duration of a replay that a client assumes, rounded up.
const REPLAY_MS: u64 = 10_000;

/// The time by which a subscription may end before its token does.
const EARLY_MS: u64 = 100;

#[derive(Clone, Copy, Debug, PartialEq)]
pub(in super::super) enum Stage {
    /// `subscribe` was called and not answered yet.
    Pending,
    Live,
    /// `unsubscribe` was called and not answered yet.
    Unsubscribing,
    Ended,
}

pub(in super::super) struct Subscription {
    pub(in super::super) channel: usize,
    pub(in super::super) stage: Stage,
    replay_seconds: Option<u32>,
    /// The expiry of its token, if it has one without a token function.
    token_ends_at: Option<u64>,
    /// The end of the wait for its confirmation, if it has a limit.
    times_out_at: Option<u64>,
    /// Everything up to this location is accounted for; everything after it is due.
    due_after: Location,
    /// The last location that was reported to the app.
    last_reported: Option<Location>,
    confirmed_at: u64,
    /// The number of messages since `due_after` that could not be opened.
    unreadable: usize,
    /// A gap is due, because a previous relay accepted a message within the replay that was asked for.
    owes_gap: bool,
    /// The last news of the subscription is a gap.
    ends_in_gap: bool,
    /// The sealed messages that it received. A publisher that repeats one may get it accepted again.
    received: BTreeSet<Bytes>,
}

impl Subscription {
    /// Returns the offset after which everything in the epoch is due. If the relay's clock jumped, a client that joined a
    /// replay of another subscription may leave out too much, for as long as replays take by its own clock.
    fn due_after(&self, epoch: &Epoch, relay_clock: RelayClock) -> u64 {
        match relay_clock {
            RelayClock::Reliable => self.due_after.1,
            RelayClock::Jumped { stopped_ms } => {
                self.due_after.1.max(epoch.head_at(self.confirmed_at + REPLAY_MS + stopped_ms))
            }
        }
    }

    /// Checks that nothing is missing after recovery.
    pub(super) fn check_end(
        &self,
        name: &str,
        channel: ChannelId,
        (index, epoch): (usize, &Epoch),
        relay_clock: RelayClock,
    ) -> Check {
        match self.stage {
            Stage::Pending => return Err(format!("{name} was never answered")),
            Stage::Unsubscribing => return Err(format!("the unsubscribe of {name} never ended")),
            Stage::Ended => return Ok(()),
            Stage::Live => {}
        }
        if self.owes_gap {
            return Err(format!("{name} did not report that its replay is incomplete"));
        }
        let since = self.due_after(epoch, relay_clock);
        let missing = epoch.missing(channel, since, u64::MAX, &self.received);
        if self.due_after.0 != index || missing > self.unreadable {
            return Err(format!("{name} received nothing after {:?}", self.due_after));
        }
        Ok(())
    }
}

impl Model {
    pub(in super::super) fn add_subscription(
        &mut self,
        client: usize,
        id: SubscriptionId,
        channel: usize,
        replay_seconds: Option<u32>,
        token_ends_at: Option<u64>,
        times_out_at: Option<u64>,
    ) {
        let subscription = Subscription {
            channel,
            stage: Stage::Pending,
            replay_seconds,
            token_ends_at,
            times_out_at,
            due_after: (0, 0),
            last_reported: None,
            confirmed_at: 0,
            unreadable: 0,
            owes_gap: false,
            ends_in_gap: false,
            received: BTreeSet::new(),
        };
        self.subscriptions.insert((client, id), subscription);
    }

    pub(in super::super) fn mark_unsubscribing(&mut self, client: usize, id: SubscriptionId) {
        if let Some(subscription) = self.subscriptions.get_mut(&(client, id)) {
            subscription.stage = Stage::Unsubscribing;
        }
    }

    pub(in super::super) fn is_subscribed(&self, client: usize) -> bool {
        let mut all = self.subscriptions.iter();
        all.any(|((owner, _), subscription)| *owner == client && subscription.stage == Stage::Live)
    }

    pub(in super::super) fn subscribe_done(
        &mut self,
        client: usize,
        id: SubscriptionId,
        result: Result<(), ClientError>,
        now: u64,
    ) -> Check {
        let Some(subscription) = self.subscriptions.get_mut(&(client, id)) else {
            return Err("an unknown subscription was answered".into());
        };
        if subscription.stage == Stage::Unsubscribing && result.is_err() {
            return Ok(());
        }
        if subscription.stage != Stage::Pending {
            return Err(format!("a subscription was answered while {:?}", subscription.stage));
        }
        if let Err(error) = result {
            subscription.stage = Stage::Ended;
            let has_time = subscription.times_out_at.is_none_or(|at| now < at);
            return if has_time && is_unreachable(&error) {
                Err(format!("a subscribe timed out before its limit: {error}"))
            } else {
                Ok(())
            };
        }
        subscription.stage = Stage::Live;
        let (index, epoch) = self.history.current();
        subscription.due_after = (index, epoch.head());
        subscription.confirmed_at = now;
        if let Some(seconds) = subscription.replay_seconds {
            let start = now.saturating_sub(u64::from(seconds) * 1000);
            subscription.due_after = (index, epoch.head_at(start));
            let channel = self.ids[subscription.channel];
            subscription.owes_gap =
                self.history.epochs[..index].iter().any(|epoch| epoch.has_since(channel, start));
        }
        Ok(())
    }

    pub(in super::super) fn unsubscribe_done(&mut self, client: usize, id: SubscriptionId) -> Check {
        match self.subscriptions.get_mut(&(client, id)) {
            Some(subscription) if subscription.stage == Stage::Unsubscribing => {
                subscription.stage = Stage::Ended;
                Ok(())
            }
            _ => Err("an unsubscribe ended that the app had not called".into()),
        }
    }

    pub(in super::super) fn message(
        &mut self,
        client: usize,
        id: SubscriptionId,
        position: Position,
        number: u64,
    ) -> Check {
        let channel = self.live(client, id)?.channel;
        let location = self.locate(position, channel)?;
        self.check_number(location, number)?;
        self.delivered += 1;
        let epoch = &self.history.epochs[location.0];
        let relay_clock = self.relay_clock();
        let subscription = self.subscriptions.get_mut(&(client, id)).expect("the subscription is live");
        if subscription.last_reported.is_some_and(|last| location <= last) {
            return Err(format!("{location:?} arrived after {:?}", subscription.last_reported));
        }
        subscription.last_reported = Some(location);
        subscription.ends_in_gap = false;
        if !subscription.received.insert(epoch.sealed(location.1).clone()) {
            return Err(format!("{location:?} is the repetition of a message that had arrived before"));
        }
        let due_after = subscription.due_after;
        if location.0 > due_after.0 {
            return Err(format!("{location:?} arrived after {due_after:?} without a gap between the epochs"));
        }
        if location.0 == due_after.0 && location.1 > due_after.1 {
            let since = subscription.due_after(epoch, relay_clock);
            let missing = epoch.missing(self.ids[channel], since, location.1, &subscription.received);
            if missing > subscription.unreadable {
                return Err(format!(
                    "{missing} messages between {due_after:?} and {location:?} are missing without a gap"
                ));
            }
            subscription.due_after = location;
            subscription.unreadable = 0;
        }
        Ok(())
    }

    pub(in super::super) fn notice(
        &mut self,
        client: usize,
        id: SubscriptionId,
        notice: &Notice,
        now: u64,
    ) -> Check {
        self.live(client, id)?;
        match notice {
            Notice::Gap(gap) => self.gap(client, id, *gap, now),
            Notice::Resumed { recovered } => self.resumed(client, id, *recovered),
            Notice::Error(error) => self.unreadable(client, id, error),
            Notice::Ended(error) => self.ended(client, id, error, now),
        }
    }

    fn unreadable(&mut self, client: usize, id: SubscriptionId, error: &ClientError) -> Check {
        let subscription = self.subscriptions.get_mut(&(client, id)).expect("the subscription is live");
        // After a jump of its clock the relay may refuse every token, so that keys stay missing.
        let has_token_function = subscription.token_ends_at.is_none();
        if !self.may_be_unreadable && has_token_function && !self.relay_clock_jumped {
            return Err(format!("a message was unreadable without a reason: {error}"));
        }
        subscription.unreadable += 1;
        subscription.ends_in_gap = false;
        Ok(())
    }

    fn ended(&mut self, client: usize, id: SubscriptionId, error: &ClientError, now: u64) -> Check {
        let subscription = self.subscriptions.get_mut(&(client, id)).expect("the subscription is live");
        // A client knows the relay's time except for the delay of `Welcome`.
        let is_due = subscription.token_ends_at.is_some_and(|ends| now + EARLY_MS >= ends);
        let has_failed = self.may_end && subscription.token_ends_at.is_none();
        if !(is_due || has_failed || self.relay_clock_jumped) {
            return Err(format!("a subscription ended without a reason: {error}"));
        }
        subscription.stage = Stage::Ended;
        Ok(())
    }

    fn gap(&mut self, client: usize, id: SubscriptionId, gap: Gap, now: u64) -> Check {
        self.gaps += 1;
        let Some(index) = self.history.index(gap.to.epoch) else {
            return Err("a gap ends in an unknown epoch".into());
        };
        let to = (index, gap.to.offset);
        let is_current = index == self.history.current().0;
        let epoch = &self.history.epochs[index];
        let relay_clock = self.relay_clock();
        let subscription = self.subscriptions.get_mut(&(client, id)).expect("the subscription is live");
        let channel = self.ids[subscription.channel];
        match (gap.reason, gap.from) {
            (GapReason::Withheld, _) => {
                return Err(format!("an honest relay is said to have left out a message before {to:?}"));
            }
            (GapReason::Skipped, _) => return Err(format!("the relay left out a message before {to:?}")),
            (GapReason::Epoch, Some(from)) if from.epoch == gap.to.epoch => {
                return Err("a gap between epochs is within one epoch".into());
            }
            (GapReason::Evicted, Some(from)) => {
                let since = subscription.due_after(epoch, relay_clock);
                let end = from.offset.saturating_add(1);
                let behind = epoch.missing(channel, since, end, &subscription.received);
                let due_after = subscription.due_after;
                if due_after.0 != index || behind > subscription.unreadable {
                    return Err(format!(
                        "a gap from {from:?} does not cover everything due after {due_after:?}"
                    ));
                }
                let missing = epoch.between(channel, from.offset, to.1.saturating_add(1));
                if missing > 0 && is_current && self.history.is_certainly_cached(from.offset, now) {
                    return Err(format!("a gap to {to:?} that the relay could have filled"));
                }
            }
            _ => {}
        }
        subscription.due_after = subscription.due_after.max(to);
        subscription.last_reported = subscription.last_reported.max(Some(to));
        subscription.unreadable = 0;
        subscription.owes_gap = false;
        // A gap without a beginning is that of the first replay, which a message without its key can delay beyond a reconnect.
        subscription.ends_in_gap = gap.from.is_some();
        Ok(())
    }

    /// Notes a change of the subscription's standing, which separates a resume from an earlier gap.
    pub(in super::super) fn standing(&mut self, client: usize, id: SubscriptionId) -> Check {
        self.live(client, id)?;
        self.subscriptions.get_mut(&(client, id)).expect("the subscription is live").ends_in_gap = false;
        Ok(())
    }

    /// Checks that a resume is reported as recovered if and only if its gap does not precede it.
    fn resumed(&mut self, client: usize, id: SubscriptionId, recovered: bool) -> Check {
        let subscription = self.subscriptions.get_mut(&(client, id)).expect("the subscription is live");
        if recovered == core::mem::replace(&mut subscription.ends_in_gap, false) {
            return Err(format!("a resume is reported with recovered: {recovered}"));
        }
        Ok(())
    }

    fn live(&self, client: usize, id: SubscriptionId) -> Result<&Subscription, String> {
        let subscription = self.subscriptions.get(&(client, id));
        let subscription = subscription.ok_or("an event for an unknown subscription")?;
        if subscription.stage == Stage::Live {
            Ok(subscription)
        } else {
            Err(format!("an event for a subscription that is {:?}", subscription.stage))
        }
    }
}
