//! Subscribing: many subscriptions of the app, but one subscription per channel on the wire.
//!
//! A subscription that joins a confirmed channel is confirmed at once, at the channel's head. If it asks for a replay, the
//! client unsubscribes the channel and subscribes it again with that replay. The other subscriptions drop what they already
//! received, by its position, and miss nothing.

use crate::{
    Client, ClientError, Event, Now, Standing, SubscriptionId,
    state::{
        channel_spec::{ChannelSpec, CheckedSpec},
        subscription::{Progress, Subscription},
    },
};
use sealwire_protocol::{Code, MemberId, decimal, limits};

impl Client {
    /// Subscribes to a channel, and connects if necessary. [`Event::SubscribeDone`] completes the call, however long that
    /// takes. `replay_seconds` also asks for the messages of that many past seconds.
    pub fn subscribe(&mut self, now: Now, spec: ChannelSpec, replay_seconds: Option<u32>) -> SubscriptionId {
        self.subscribe_within(now, spec, replay_seconds, None)
    }

    /// Subscribes like [`Self::subscribe`], but fails if the relay does not confirm the subscription within `timeout_ms`.
    pub fn subscribe_within(
        &mut self,
        now: Now,
        spec: ChannelSpec,
        replay_seconds: Option<u32>,
        timeout_ms: Option<u64>,
    ) -> SubscriptionId {
        self.subscribe_as(now, spec, replay_seconds, timeout_ms, None)
    }

    /// Subscribes to the messages of a channel, or, with a member, to its presence.
    pub(super) fn subscribe_as(
        &mut self,
        now: Now,
        spec: ChannelSpec,
        replay_seconds: Option<u32>,
        timeout_ms: Option<u64>,
        member: Option<(MemberId, u64)>,
    ) -> SubscriptionId {
        let id = SubscriptionId(self.next_id());
        match self.check_subscribe(spec, replay_seconds) {
            Ok(spec) => {
                let replay_seconds = replay_seconds.filter(|seconds| *seconds > 0);
                let mut subscription = Subscription::new(spec, replay_seconds, now.instant, timeout_ms);
                subscription.member = member;
                self.subscriptions.insert(id, subscription);
                self.advance(now);
            }
            Err(error) => {
                self.events.push_back(Event::SubscribeDone { subscription: id, result: Err(error) })
            }
        }
        id
    }

    fn check_subscribe(&self, spec: ChannelSpec, replay: Option<u32>) -> Result<CheckedSpec, ClientError> {
        if self.phase.is_closed() {
            return Err(ClientError::closed());
        }
        if replay.is_some_and(|seconds| seconds > limits::MAX_REPLAY_SECONDS) {
            return Err(replay_too_long(u64::from(limits::MAX_REPLAY_SECONDS)));
        }
        CheckedSpec::check(spec)
    }

    /// Reports the standing of every confirmed subscription that changed.
    pub(super) fn report_standings(&mut self) {
        let is_connected = self.phase.is_connected();
        for (id, subscription) in self.subscriptions.iter_mut() {
            let Progress::Confirmed(channel, _) = subscription.progress() else { continue };
            let receives = self.channels.get(&channel).is_some_and(|channel| channel.receives());
            let standing = if is_connected && receives { Standing::Subscribed } else { Standing::Resuming };
            if subscription.report(standing) {
                self.events.push_back(Event::Standing { subscription: id, standing });
            }
        }
    }
}

pub(super) fn replay_too_long(max_seconds: u64) -> ClientError {
    let seconds = decimal(max_seconds);
    let message = ["a replay covers at most ", &seconds, " seconds here; ask for fewer"].concat();
    ClientError::new(Code::ReplayTooLong, message)
}
