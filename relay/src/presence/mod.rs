//! Presence: the members of channels, with the sealed entry of each, and the sessions that watch them. Relays keep them in
//! memory only. Sessions call [`Presences`].
//!
//! - `table/` has the rules, without I/O: entering, leaving, grace times, the members of other relays. `channel.rs` and
//!   `member.rs` are its state, `limits.rs` its limits and errors.
//! - `pieces.rs` encodes the messages to watchers.
//! - `relays/` has the links to the other relays on one broker. The table notes in `outbox.rs` what they have to hear, and
//!   they hear it as a `record.rs`. `shared.rs` joins the two, and makes sessions wait for the answers of other relays.

mod census;
mod channel;
mod counts;
mod limits;
mod member;
mod names;
mod outbox;
mod pieces;
mod record;
mod relays;
mod shared;
mod table;

pub(crate) use census::ChannelCount;
pub(crate) use counts::PresenceCounts;
pub(crate) use names::SessionNames;
pub(crate) use relays::PresenceTask;
#[cfg(feature = "fuzzing")]
pub(crate) use relays::fuzzing;
pub(crate) use shared::Need;
pub(crate) use table::Entering;

pub use crate::member_id::MemberId;

use crate::{
    activity::Observation,
    broker::Broker,
    clock::Now,
    connection::SessionSink,
    critical_task,
    fanout::Sink as _,
    limits::{Limit, Limits},
    memory::Memory,
    metrics::Metrics,
    refused::Refused,
    session_id::SessionId,
};
use bytes::Bytes;
use limits::{PresenceError, TableLimits};
use sealwire_protocol::{ChannelId, Code};
use shared::SharedPresence;
use std::{
    fmt,
    future::pending,
    sync::{Arc, Mutex, MutexGuard},
    time::Instant,
};
use table::PresenceTable;
use tokio::{
    sync::Notify,
    task::yield_now,
    time::{Instant as TokioInstant, sleep_until},
};
use tokio_util::sync::CancellationToken;

/// The number of independently locked tables, over which the channels are spread.
const SHARDS: usize = 8;

/// The account that a member belongs to, as keyed hashes of its names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Owner {
    /// The installation; see [`Tenant::installation`](crate::Tenant).
    pub installation: u64,
    /// The account in the installation.
    pub account: u64,
}

/// A member's entry, as its client sealed it.
#[derive(Clone, PartialEq, Eq)]
pub struct Entry {
    /// The id of the member.
    pub member: MemberId,
    /// The number of the entry. A later one has a greater number.
    pub number: u64,
    /// The sealed bytes.
    pub sealed: Bytes,
}

/// Prints neither the id nor the entry.
impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { number, sealed, .. } = self;
        f.debug_struct("Entry").field("number", number).field("sealed", &sealed.len()).finish_non_exhaustive()
    }
}

/// The presence of all channels of a relay.
pub(crate) struct Presences {
    shards: [Mutex<PresenceTable<SessionSink>>; SHARDS],
    limits: Arc<Limits>,
    metrics: Arc<Metrics>,
    memory: Arc<Memory>,
    broker: Arc<dyn Broker>,
    /// `None` if this relay is alone.
    shared: Option<SharedPresence>,
    /// Wakes [`Self::run`] for an earlier deadline.
    earlier: Notify,
    observation: Observation,
}

impl Presences {
    pub(crate) fn new(
        limits: Arc<Limits>,
        memory: &Arc<Memory>,
        metrics: Arc<Metrics>,
        broker: Arc<dyn Broker>,
        shared_by: Option<u64>,
    ) -> Self {
        let table = || match shared_by {
            Some(relay) => PresenceTable::shared(memory.clone(), relay),
            None => PresenceTable::new(memory.clone()),
        };
        let shards = [(); SHARDS].map(|()| Mutex::new(table()));
        let shared = shared_by.map(|_| SharedPresence::default());
        let (memory, earlier, observation) = (memory.clone(), Notify::new(), Observation::default());
        Self { shards, limits, metrics, memory, broker, shared, earlier, observation }
    }

    /// Tells an observer of the activity of members.
    pub(crate) fn observed_by(self, observation: Observation) -> Self {
        if observation.is_on() {
            self.shards.iter().for_each(|shard| lock(shard).keep_activities());
        }
        Self { observation, ..self }
    }

    /// Makes a session a member of a channel, or replaces the entry of its member. The member leaves at its expiry, if its
    /// session is broken then.
    pub(crate) fn enter(&self, channel: ChannelId, entering: Entering) -> Result<(), Refused> {
        if !self.broker.has_presence() {
            let message = "this relay has no presence, because its broker does not support it";
            return Err(Refused::new(Code::PresenceUnsupported, message));
        }
        self.check_reachable()?;
        let (limits, now) = (TableLimits::of(&self.limits.settings()), Now::read());
        let entered = self.change(channel, |table| table.enter(channel, entering, limits, now));
        entered.map_err(|error| match error {
            PresenceError::Members => self.limits.refuse(Limit::PresenceMembers),
            PresenceError::MembersOfAccount => self.limits.refuse(Limit::PresenceMembersPerAccount),
            PresenceError::Bytes => self.limits.refuse(Limit::PresenceBytes),
            error => error.refused(),
        })
    }

    /// Removes a member of an account. Does nothing if a newer session than this one has the member.
    pub(crate) fn leave(
        &self,
        channel: ChannelId,
        session: SessionId,
        owner: Owner,
        (member, entered_before): (MemberId, bool),
    ) -> Result<(), Refused> {
        let now = Instant::now();
        self.change(channel, |table| table.leave(channel, (session, owner), member, entered_before, now))
            .map_err(PresenceError::refused)
    }

    /// Sets the time at which a member leaves if its session is broken.
    pub(crate) fn extend(&self, channel: ChannelId, session: SessionId, member: MemberId, expires: Instant) {
        self.change(channel, |table| table.extend(channel, session, member, expires));
    }

    /// Queues the state of a channel for a session, at once or with the next changes, and all later changes. In a cluster, the
    /// state waits until the members at all relays are known.
    pub(crate) fn watch(
        &self,
        channel: ChannelId,
        (session, names): (SessionId, Option<&SessionNames>),
        sink: SessionSink,
    ) {
        let now = Instant::now();
        let mut push = |sink: &SessionSink, frame: &Bytes| {
            // The connection's task makes this call, and flushes afterwards.
            sink.push_live(frame);
        };
        self.change(channel, |table| table.watch(channel, (session, names), sink, now, &mut push));
    }

    pub(crate) fn unwatch(&self, channel: ChannelId, session: SessionId) {
        self.change(channel, |table| table.unwatch(channel, session));
    }

    /// Begins the grace time of a member whose session is broken.
    pub(crate) fn depart(&self, channel: ChannelId, session: SessionId, member: MemberId) {
        let (now, grace) = (Instant::now(), self.limits.settings().presence_grace);
        self.change(channel, |table| table.depart(channel, session, member, grace, now));
    }

    /// Removes the members in grace of an installation, or of one of its accounts, because a revocation may cover them.
    pub(crate) fn end_graces(&self, installation: u64, account: Option<u64>) {
        let is_covered = |owner: Owner| {
            owner.installation == installation && account.is_none_or(|account| account == owner.account)
        };
        self.end_graces_of(&is_covered);
    }

    /// Removes all members in grace, because a signing key of one of them may have been removed.
    pub(crate) fn end_all_graces(&self) {
        self.end_graces_of(&|_| true);
    }

    fn end_graces_of(&self, is_covered: &dyn Fn(Owner) -> bool) {
        let now = Instant::now();
        for shard in &self.shards {
            let mut table = lock(shard);
            table.end_graces(is_covered, now);
            self.observe(&mut table);
        }
        self.earlier.notify_one();
    }

    /// Delivers changes and ends grace times, until the relay has ended.
    pub(crate) async fn run(self: Arc<Self>, ended: CancellationToken) {
        let (mut touched, mut lost) = (Vec::new(), Vec::new());
        loop {
            let next = self.shards.iter().filter_map(|shard| lock(shard).poll_timeout()).min();
            let due = async {
                match next {
                    Some(at) => sleep_until(TokioInstant::from_std(at)).await,
                    None => pending().await,
                }
            };
            tokio::select! {
                () = ended.cancelled() => return,
                () = self.earlier.notified() => {}
                () = due => {}
            }
            for shard in &self.shards {
                let mut push = |sink: &SessionSink, frame: &Bytes| {
                    if sink.push_live(frame) {
                        touched.push(sink.connection().clone());
                    }
                };
                let mut lose = |sink: &SessionSink| lost.push(sink.connection().clone());
                while self.handle_timeout(shard, &mut push, &mut lose) {}
                lost.drain(..).for_each(|connection| connection.wake_for_lost());
                for connection in touched.drain(..) {
                    self.metrics.sent.add(SessionSink::flush(&connection));
                }
                yield_now().await;
            }
        }
    }

    /// Performs the earliest thing that is due in a table. Returns whether there was one.
    fn handle_timeout(
        &self,
        shard: &Mutex<PresenceTable<SessionSink>>,
        push: &mut dyn FnMut(&SessionSink, &Bytes),
        lose: &mut dyn FnMut(&SessionSink),
    ) -> bool {
        let mut table = lock(shard);
        let was_due = table.handle_timeout(Instant::now(), push, lose);
        self.observe(&mut table);
        was_due
    }

    /// Tells the observer of a table's activities, while the table is locked, so that they keep their order.
    fn observe(&self, table: &mut PresenceTable<SessionSink>) {
        table.take_activities().iter().for_each(|activity| self.observation.observe(activity));
    }

    pub(crate) fn counts(&self) -> PresenceCounts {
        let mut counts = PresenceCounts::default();
        self.shards.iter().for_each(|shard| counts.add(lock(shard).counts()));
        counts
    }

    /// Calls the table of a channel, and wakes [`Self::run`] if the next deadline became earlier.
    fn change<R>(&self, channel: ChannelId, change: impl FnOnce(&mut PresenceTable<SessionSink>) -> R) -> R {
        let mut table = lock(&self.shards[usize::from(channel.0[0]) % SHARDS]);
        let before = table.poll_timeout();
        let result = change(&mut table);
        let after = table.poll_timeout();
        self.observe(&mut table);
        drop(table);
        if after.is_some_and(|after| before.is_none_or(|before| after < before)) {
            self.earlier.notify_one();
        }
        result
    }
}

fn lock(shard: &Mutex<PresenceTable<SessionSink>>) -> MutexGuard<'_, PresenceTable<SessionSink>> {
    critical_task::unpoisoned(shard.lock())
}

#[cfg(test)]
mod tests;
