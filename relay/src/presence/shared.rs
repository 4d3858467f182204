//! The presences of a relay that shares them with others: the waiting for the members at other relays, and the access of
//! the links to the tables.

use super::{
    Owner, Presences,
    limits::TableLimits,
    lock,
    names::{OwnerDigests, SessionNames},
    outbox::Outbox,
    record::Record,
    relays::{BEAT_INTERVAL, LinkCounts, Local},
    table::{RemoteChange, SYNC_TIMEOUT},
};
use crate::{connection::SessionSink, fanout::Sink as _, refused::Refused};
use bytes::Bytes;
use sealwire_protocol::{ChannelId, Code};
use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Instant,
};
use tokio::{sync::Notify, time::timeout};

/// The state that the links and the sessions share.
#[derive(Default)]
pub(super) struct SharedPresence {
    /// True while the broker connects this relay with the others.
    is_reachable: AtomicBool,
    /// Notifies the sessions that wait until a channel is synced.
    synced: Notify,
    counts: Mutex<LinkCounts>,
}

/// Keeps a channel open until its session has entered.
pub(crate) struct Need {
    presences: Arc<Presences>,
    channel: ChannelId,
}

impl Drop for Need {
    fn drop(&mut self) {
        self.presences.change(self.channel, |table| table.unneed(self.channel));
    }
}

impl Presences {
    /// Waits until the members of a channel at all relays are known. Returns `None` if they are.
    pub(crate) fn prepare(
        self: &Arc<Self>,
        channel: ChannelId,
        names: &SessionNames,
    ) -> Option<impl Future<Output = Result<Need, Refused>> + Send + use<>> {
        let shared = self.shared.as_ref()?;
        let now = Instant::now();
        if shared.is_reachable.load(Ordering::Acquire)
            && self.change(channel, |table| table.is_synced(channel))
        {
            return None;
        }
        self.change(channel, |table| table.need(channel, names, now));
        let (presences, need) = (self.clone(), Need { presences: self.clone(), channel });
        Some(async move {
            match timeout(SYNC_TIMEOUT + BEAT_INTERVAL, presences.synced(channel)).await {
                Ok(()) => Ok(need),
                Err(_) => Err(unavailable()),
            }
        })
    }

    async fn synced(&self, channel: ChannelId) {
        let Some(shared) = &self.shared else { return };
        loop {
            let synced = shared.synced.notified();
            tokio::pin!(synced);
            synced.as_mut().enable();
            if self.change(channel, |table| table.is_synced(channel)) {
                return;
            }
            synced.await;
        }
    }

    /// Checks that the relay knows of the members at other relays.
    pub(super) fn check_reachable(&self) -> Result<(), Refused> {
        match &self.shared {
            Some(shared) if !shared.is_reachable.load(Ordering::Acquire) => Err(unavailable()),
            _ => Ok(()),
        }
    }

    /// Returns whether the channel lost its watchers since this session began to watch.
    pub(crate) fn has_lost(&self, channel: ChannelId, session: crate::session_id::SessionId) -> bool {
        self.shared.is_some() && !self.change(channel, |table| table.is_watching(channel, session))
    }

    /// Notes whether the broker connects this relay with the others. If it no longer does, all that the others told is
    /// forgotten, and the watchers are told to watch again.
    pub(super) fn set_reachable(&self, is_reachable: bool) {
        let Some(shared) = &self.shared else { return };
        if shared.is_reachable.swap(is_reachable, Ordering::AcqRel) && !is_reachable {
            tracing::warn!("presence ends until the relay reaches its broker again");
            let mut lost = Vec::new();
            for shard in &self.shards {
                lock(shard)
                    .isolate(Instant::now(), &mut |sink: &SessionSink| lost.push(sink.connection().clone()));
            }
            self.earlier.notify_one();
            lost.iter().for_each(|connection| connection.wake_for_lost());
        }
    }

    pub(super) fn set_link_counts(&self, counts: LinkCounts) {
        if let Some(shared) = &self.shared {
            *shared.counts.lock().unwrap_or_else(PoisonError::into_inner) = counts;
        }
    }

    /// The counters of the messages between relays; `None` if this relay is alone.
    pub(crate) fn link_counts(&self) -> Option<LinkCounts> {
        let shared = self.shared.as_ref()?;
        Some(*shared.counts.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn unavailable() -> Refused {
    Refused::new(
        Code::BrokerUnavailable,
        "the relay cannot reach the other relays to learn who is present; try again",
    )
}

/// The tables, as the links see them.
pub(super) struct LocalPresences<'a> {
    presences: &'a Presences,
    limits: TableLimits,
}

impl<'a> LocalPresences<'a> {
    pub(super) fn new(presences: &'a Presences) -> Self {
        Self { presences, limits: TableLimits::of(&presences.limits.settings()) }
    }
}

impl Local for LocalPresences<'_> {
    fn take_outbox(&mut self) -> Outbox {
        let mut all = Outbox::default();
        self.presences.shards.iter().for_each(|shard| all.append(lock(shard).take_outbox()));
        all
    }

    fn own_members(&mut self, channel: ChannelId, now: Instant) -> Vec<Record> {
        self.presences.change(channel, |table| table.own_members(channel, now))
    }

    fn orphans(&mut self, channel: ChannelId, now: Instant) -> Vec<Record> {
        self.presences.change(channel, |table| table.orphans(channel, now))
    }

    fn own(&mut self, channel: ChannelId, id: super::MemberId, now: Instant) -> Option<Record> {
        self.presences.change(channel, |table| table.own(channel, id, now))
    }

    fn apply_record(&mut self, channel: ChannelId, relay: u64, record: Record, now: Instant) -> bool {
        let OwnerDigests { installation, account } = record.owner;
        let key = |digest| self.presences.limits.local_key(digest);
        let owner = Owner { installation: key(&installation), account: key(&account) };
        let change = RemoteChange::Record(Box::new(record), owner);
        self.presences.change(channel, |table| table.apply(channel, relay, change, self.limits, now))
    }

    fn apply(&mut self, channel: ChannelId, relay: u64, change: RemoteChange, now: Instant) {
        self.presences.change(channel, |table| table.apply(channel, relay, change, self.limits, now));
    }

    fn set_synced(&mut self, channel: ChannelId) {
        let mut touched = Vec::new();
        let mut push = |sink: &SessionSink, frame: &Bytes| {
            if sink.push_live(frame) {
                touched.push(sink.connection().clone());
            }
        };
        self.presences.change(channel, |table| table.set_synced(channel, &mut push));
        for connection in touched {
            self.presences.metrics.sent.add(SessionSink::flush(&connection));
        }
        if let Some(shared) = &self.presences.shared {
            shared.synced.notify_waiters();
        }
    }

    fn orphan(&mut self, channel: ChannelId, relay: u64, now: Instant) {
        let grace = self.presences.limits.settings().presence_grace;
        self.apply(channel, relay, RemoteChange::Orphan(grace), now);
    }
}
