//! The delivery guarantees to an app, checked with every event that the app receives: each subscription gets the messages
//! published after its confirmation, once and in order, or a gap that covers the missing ones; each call ends once.
//!
//! This file holds the state, and the checks at the end of a schedule; `subscriptions` and `publishes` check the events.

mod publishes;
mod subscriptions;

pub(super) use publishes::PublishCall;
pub(super) use subscriptions::{Stage, Subscription};

use super::{channels::CHANNELS, history::History};
use sealwire_client::{ClientError, PublishId, SubscriptionId};
use sealwire_protocol::{ChannelId, wire::Position};
use std::collections::{BTreeMap, BTreeSet};

/// A position in the history: the index of the epoch, and the offset.
type Location = (usize, u64);

/// The result of a check: an explanation if a guarantee was broken.
type Check = Result<(), String>;

/// The reliability of the relay's clock for a client.
#[derive(Clone, Copy)]
enum RelayClock {
    Reliable,
    /// The relay's clock jumped, and the clients' own clocks stood still for `stopped_ms` in total.
    Jumped {
        stopped_ms: u64,
    },
}

pub(super) struct Model {
    pub(super) history: History,
    ids: [ChannelId; CHANNELS],
    pub(super) subscriptions: BTreeMap<(usize, SubscriptionId), Subscription>,
    publishes: BTreeMap<(usize, PublishId), PublishCall>,
    /// The numbers that a client reported as not sent.
    unsent: BTreeSet<u64>,
    /// The number that was seen at each location.
    numbers: BTreeMap<Location, u64>,
    /// The newest acknowledged number and its offset, for each client, channel and epoch.
    acknowledged: BTreeMap<(usize, usize, usize), (u64, u64)>,
    /// Subscriptions may end: the app failed to provide a token, or the relay's clock jumped.
    pub(super) may_end: bool,
    /// Messages may be unreadable: the app failed to provide a session or a token.
    pub(super) may_be_unreadable: bool,
    /// No publish may fail, because there is no fault.
    pub(super) must_publish: bool,
    pub(super) relay_clock_jumped: bool,
    /// The time for which the clients' own clocks stood still, in total.
    pub(super) stopped_ms: u64,
    pub(super) delivered: usize,
    pub(super) gaps: usize,
}

impl Model {
    pub(super) fn new(history: History) -> Self {
        Self {
            history,
            ids: super::channels::ids(),
            subscriptions: BTreeMap::new(),
            publishes: BTreeMap::new(),
            unsent: BTreeSet::new(),
            numbers: BTreeMap::new(),
            acknowledged: BTreeMap::new(),
            may_end: false,
            may_be_unreadable: false,
            must_publish: false,
            relay_clock_jumped: false,
            stopped_ms: 0,
            delivered: 0,
            gaps: 0,
        }
    }

    /// Checks the guarantees that hold after recovery: every call has ended, and nothing is missing.
    pub(super) fn check_end(&self) -> Check {
        if self.publishes.values().any(PublishCall::is_pending) {
            return Err("a publish never ended".into());
        }
        let (index, epoch) = self.history.current();
        for ((client, id), subscription) in &self.subscriptions {
            let name = format!("subscription {} of client {client}", id.0);
            let channel = self.ids[subscription.channel];
            subscription.check_end(&name, channel, (index, epoch), self.relay_clock())?;
        }
        Ok(())
    }

    fn relay_clock(&self) -> RelayClock {
        let stopped_ms = self.stopped_ms;
        if self.relay_clock_jumped { RelayClock::Jumped { stopped_ms } } else { RelayClock::Reliable }
    }

    /// Returns the location of a position, at which there must be a publication on the channel.
    fn locate(&self, position: Position, channel: usize) -> Result<Location, String> {
        let index = self.history.index(position.epoch).ok_or("a position in an unknown epoch")?;
        if !self.history.epochs[index].is_on(self.ids[channel], position.offset) {
            return Err(format!("no publication on the channel is at {position:?}"));
        }
        Ok((index, position.offset))
    }

    /// Checks that a location has one number only, and that the number was not reported as unsent.
    fn check_number(&mut self, location: Location, number: u64) -> Check {
        if self.unsent.contains(&number) {
            return Err(format!(
                "{number} is at {location:?}, but its publisher was told that it was not sent"
            ));
        }
        let known = *self.numbers.entry(location).or_insert(number);
        if known == number { Ok(()) } else { Err(format!("{number} is at {location:?}, where {known} was")) }
    }
}

/// Returns whether a call failed because its wait ended, and not because the relay or the app refused it.
fn is_unreachable(error: &ClientError) -> bool {
    matches!(error.code.name(), "UNREACHABLE" | "HEARTBEAT_TIMEOUT" | "SHUTTING_DOWN")
}
