//! The state machine of one stream at one relay, without I/O: which channels are complete up to which sequence, and
//! whether that is proven. The driver performs its actions and brings the answers; tests drive it in virtual time.
//!
//! The relay listens to the channels that its clients hold, on a connection to the stream's leader. That path can lose
//! messages at an election, at a reconnect, or when the relay is slow. Two mechanisms find every loss:
//!
//! - Each publication carries the sequence of the channel's publication before it. An unknown one is a hole, which is read
//!   at the leader before anything behind it is delivered.
//! - Each second, a relay writes a mark into the stream. A mark that arrives, from the same leader in the same term, over a
//!   connection without loss, proves that everything before it has arrived. After anything else, the stream is read again
//!   from the last proven mark.

mod answers;
mod followed;
mod joins;
mod mark_ring;
mod phase;
mod proof;
mod resync;
#[cfg(test)]
mod tests;
mod types;

pub use types::{
    Entry, EpochMarks, FollowerAction, Leader, Mark, RelinkReason, RequestId, ResetReason, StoredPublication,
    StreamInfo, Ticket,
};

use crate::{
    clock::Now,
    hub::{Draft, Hub, Publication},
    tenant::Tenant,
};
use answers::{Denial, Verification};
use followed::{ChannelState, FollowedChannel, Waiter};
use mark_ring::MarkRing;
use phase::{Arrival, Phase, Proof, Purpose};
use sealwire_protocol::{ChannelId, UnixMillis, wire::Since};
use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    time::{Duration, Instant},
};

/// The time for which a channel without subscriptions is still followed: a page that reloads comes back within it.
const LINGER: Duration = Duration::from_secs(10);
/// The maximum number of remembered acknowledgements: those of the seconds since the last proven mark.
const MAX_RECEIPTS: usize = 65_536;
/// The time without a new mark after which the follower looks for the leader again: the stream may have lost its majority.
const STALE: Duration = Duration::from_secs(4);
/// The time without a new mark after which the follower counts as not following.
const OUTDATED: Duration = Duration::from_secs(5);

/// Follows one stream.
#[derive(Default)]
pub struct Follower {
    phase: Phase,
    leader: Leader,
    /// The epoch of the stream's contents, once it is known.
    epoch: u64,
    /// The newest proven mark. Every publication of a live channel up to it was appended.
    anchor: Option<Mark>,
    /// The oldest mark of the epoch. Contents before it prove nothing.
    origin: Option<Mark>,
    /// The publications after the anchor that were acknowledged to this relay: their sequences and times.
    receipts: VecDeque<(u64, UnixMillis)>,
    marks: MarkRing,
    /// The newest mark of the epoch that arrived.
    last_mark: Option<Mark>,
    /// The highest sequence of a publication that was appended since the stream was last read.
    highest: u64,
    /// The time at which a mark newer than every earlier one was proven.
    renewed_at: Option<Instant>,
    linked_at: Option<Instant>,
    channels: HashMap<ChannelId, FollowedChannel>,
    /// The channels whose last subscription ended, oldest first, with that time.
    unused: VecDeque<(Instant, ChannelId)>,
    /// The positions of clients that are being compared with the stream, by sequence.
    verifications: BTreeMap<u64, Verification>,
    /// The positions that the leader does not have, in the order in which this was found.
    denials: VecDeque<Denial>,
    last_request: RequestId,
    actions: VecDeque<FollowerAction>,
    counts: FollowerCounts,
}

/// Counters of a follower, since its start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FollowerCounts {
    /// The number of times that the stream was read again from the last proven mark.
    pub resyncs: u64,
    /// The number of elections seen.
    pub elections: u64,
    /// The number of holes found in channels.
    pub holes: u64,
    /// The number of holes found between marks, after each of which the stream is read again.
    pub mark_holes: u64,
    /// The number of holes in channels that were filled.
    pub mended: u64,
    /// The number of publications that were found by reading again.
    pub read_back: u64,
    /// The number of times that all subscriptions of the stream were ended.
    pub resets: u64,
    /// The number of channels whose publications were read for new subscriptions.
    pub joins: u64,
}

impl Follower {
    /// Returns the next action for the driver.
    pub fn poll_action(&mut self) -> Option<FollowerAction> {
        self.actions.pop_front()
    }

    /// Returns the counters.
    #[must_use]
    pub fn counts(&self) -> FollowerCounts {
        self.counts
    }

    /// Returns whether everything is proven up to a mark of the last seconds. A leader without a majority still answers, but
    /// no mark is stored.
    #[must_use]
    pub fn is_following(&self, now: Instant) -> bool {
        let is_fresh = self.renewed_at.is_some_and(|at| now.saturating_duration_since(at) <= OUTDATED);
        matches!(self.phase, Phase::Following { .. }) && is_fresh
    }

    /// Returns the newest mark that arrived: the driver writes the next one after it.
    #[must_use]
    pub fn last_mark(&self) -> Option<(u64, u64)> {
        let sequence = self.last_mark.map_or(0, |mark| mark.sequence);
        matches!(self.phase, Phase::Following { .. }).then_some((self.epoch, sequence))
    }

    /// Returns the followed channels. The driver listens to all of them before it calls [`Self::linked`].
    pub fn channels(&self) -> impl Iterator<Item = ChannelId> {
        self.channels.keys().copied()
    }

    /// Handles that the driver listens to the followed channels and to marks, at this leader.
    pub fn linked(&mut self, leader: Leader, now: Now) {
        if !self.leader.server.is_empty() && self.leader != leader {
            self.counts.elections += 1;
        }
        self.leader = leader;
        self.linked_at = Some(now.monotonic);
        match self.anchor {
            None => {
                self.last_mark = None;
                self.find_marks();
            }
            Some(anchor) => self.resync(anchor, None),
        }
    }

    /// Handles that messages may have been lost since the last proven mark, or that there is another leader. Answers to
    /// earlier requests are ignored from here on.
    pub fn unlinked(&mut self) {
        self.phase = Phase::Unlinked;
        self.interrupt();
    }

    /// Advances time.
    pub fn tick(&mut self, hub: &mut Hub, now: Now) {
        while let Some((since, id)) =
            self.unused.pop_front_if(|(since, _)| now.monotonic.saturating_duration_since(*since) >= LINGER)
        {
            // The channel may have been used again meanwhile.
            if self.channels.get(&id).is_some_and(|channel| channel.unused_since == Some(since)) {
                self.channels.remove(&id);
                hub.drop_channel(id);
                self.actions.push_back(FollowerAction::Unwatch(id));
            }
        }
        let since = self.renewed_at.max(self.linked_at);
        let is_stale = since.is_some_and(|at| now.monotonic.saturating_duration_since(at) > STALE);
        if is_stale && !matches!(self.phase, Phase::Unlinked) {
            self.relink(RelinkReason::Election);
        }
    }

    /// Handles a publication that arrived. `previous` is the sequence of the channel's publication before it, or 0.
    pub fn publication_arrived(
        &mut self,
        hub: &mut Hub,
        publication: StoredPublication,
        previous: u64,
        now: Now,
    ) {
        match &mut self.phase {
            Phase::Resyncing { arrived, .. } => arrived.push(Arrival::Publication(publication, previous)),
            Phase::Following { .. } => self.take(hub, publication, previous, now),
            Phase::Unlinked | Phase::FindingMarks { .. } => {}
        }
    }

    /// Takes a publication of a watched channel. One behind a hole waits until the hole is filled.
    fn take(&mut self, hub: &mut Hub, publication: StoredPublication, previous: u64, now: Now) {
        let anchor = self.anchor.map_or(0, |anchor| anchor.sequence);
        let Some(channel) = self.channels.get_mut(&publication.channel) else { return };
        if !channel.is_live() {
            channel.held_back.push((publication, previous));
            return;
        }
        let id = publication.channel;
        let head = hub.head(id).unwrap_or(0);
        if publication.sequence <= head {
            return;
        }
        let known = head.max(anchor);
        if previous > known {
            self.counts.holes += 1;
            channel.held_back.push((publication, previous));
            self.last_request += 1;
            channel.state = ChannelState::Mending { request: self.last_request, from: known + 1 };
            self.actions.push_back(FollowerAction::ReadChannel {
                request: self.last_request,
                channel: id,
                from: known + 1,
            });
            return;
        }
        self.append(hub, publication, now.monotonic, true);
    }

    /// Appends the next publication of a channel. `at` is the time at which it was stored.
    fn append(&mut self, hub: &mut Hub, publication: StoredPublication, at: Instant, deliver: bool) {
        let id = publication.channel;
        let Some(channel) = self.channels.get_mut(&id) else { return };
        let StoredPublication { sequence, time, event, sealed, trace, .. } = publication;
        self.highest = self.highest.max(sequence);
        let previous = hub.head(id).unwrap_or(0);
        let (tenant, id_of_message) = (channel.tenant, Default::default());
        let draft = Draft { channel: id, tenant, event, sealed, trace, id: id_of_message, content: None };
        let publication = Publication::new(draft, sequence, previous, time);
        let publication = hub.append(channel.tenant, publication, at);
        channel.head_time = Some(time);
        if deliver {
            self.actions.push_back(FollowerAction::Deliver(channel.tenant, publication));
        }
    }

    /// Records a publication that the stream acknowledged to this relay. Returns the epoch of the stream's contents. After a
    /// loss of contents, the receipt shows that the message is missing, also if no relay received it.
    pub fn acknowledged(&mut self, sequence: u64, time: UnixMillis) -> u64 {
        if self.anchor.is_some_and(|anchor| sequence > anchor.sequence) {
            if self.receipts.len() == MAX_RECEIPTS {
                self.receipts.pop_front();
            }
            self.receipts.push_back((sequence, time));
        }
        self.epoch
    }

    /// Adds a subscription to a channel. Its answer has the same ticket.
    pub fn subscribe(
        &mut self,
        hub: &mut Hub,
        ticket: Ticket,
        tenant: Tenant,
        id: ChannelId,
        since: Option<Since>,
        now: Now,
    ) {
        let channel = self.channels.entry(id).or_insert_with(|| FollowedChannel::new(tenant));
        channel.subscriptions += 1;
        channel.unused_since = None;
        channel.waiters.push(Waiter { ticket, since });
        if matches!(self.phase, Phase::Following { .. }) {
            self.serve(hub, id, now);
        }
    }

    /// Removes a subscription that was answered.
    pub fn unsubscribe(&mut self, id: ChannelId, now: Now) {
        if let Some(channel) = self.channels.get_mut(&id) {
            channel.subscriptions = channel.subscriptions.saturating_sub(1);
            if channel.subscriptions == 0 {
                channel.unused_since = Some(now.monotonic);
                self.unused.push_back((now.monotonic, id));
            }
        }
    }

    /// Removes a subscription that waits for its answer.
    pub fn cancel(&mut self, ticket: Ticket, id: ChannelId, now: Now) {
        let mut waits = false;
        if let Some(channel) = self.channels.get_mut(&id) {
            let before = channel.waiters.len();
            channel.waiters.retain(|waiter| waiter.ticket != ticket);
            waits |= channel.waiters.len() < before;
        }
        for verification in self.verifications.values_mut() {
            waits |= verification.cancel(ticket);
        }
        let before = self.denials.len();
        self.denials.retain(|denial| !denial.is_of(ticket));
        waits |= self.denials.len() < before;
        if waits {
            self.unsubscribe(id, now);
        }
    }

    fn next_request(&mut self) -> RequestId {
        self.last_request += 1;
        self.last_request
    }

    /// Asks the driver for another leader. Nothing that arrives until then is taken.
    fn relink(&mut self, reason: RelinkReason) {
        self.phase = Phase::Unlinked;
        self.interrupt();
        self.actions.push_back(FollowerAction::Relink(reason));
    }
}

/// Converts a time of the NATS server to the monotonic clock. `server_now` is the server's clock at `now`.
fn instant_of(stored_at: UnixMillis, server_now: UnixMillis, now: Instant) -> Instant {
    let age = Duration::from_millis(server_now.0.saturating_sub(stored_at.0));
    now.checked_sub(age).unwrap_or(now)
}
