//! The links of a relay to all others, by app: which channels this relay needs, whether their members at all relays are
//! known, and which relays are gone. No I/O; time is an argument.

use super::{
    Local, SILENCE,
    link::{Hearing, Link},
    message::{ChannelNews, LinkMessage, MessageError},
};
use crate::{
    auth::signing_keys::SigningKeys,
    clock::Now,
    memory::{Memory, MemoryKind, Reservation},
    presence::MemberId,
    presence::outbox::{ChannelNeed, Touch},
};
use bytes::Bytes;
use sealwire_protocol::ChannelId;
use std::{
    collections::{BTreeMap, BTreeSet},
    mem,
    sync::Arc,
    time::{Duration, Instant},
};

/// The maximum number of other relays.
const MAX_RELAYS: usize = 63;
/// The time without the broker after which presence ends. Most elections of a leader are shorter.
pub(super) const OUTAGE: Duration = Duration::from_secs(6);
/// The time from the first contact with the broker until all other relays were heard.
pub(super) const SETTLE: Duration = Duration::from_millis(1500);
/// The bytes of an entry in the tables of a link, or of a channel that this relay needs.
const ENTRY: usize = 64;

/// All links of a relay.
pub(super) struct Links {
    relay: u64,
    keys: Arc<SigningKeys>,
    apps: BTreeMap<String, AppLinks>,
    /// The apps of the needed channels.
    owners: BTreeMap<ChannelId, String>,
    /// The last number of a stream.
    last_stream: u64,
    /// The time since which the other relays can be reached, or cannot.
    reachable: (bool, Instant),
    held: Reservation,
    pub(super) counts: LinkCounts,
    answers: Vec<(u64, Vec<u8>)>,
    has_warned: bool,
}

/// The counters of links.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct LinkCounts {
    /// Messages of other relays that were applied.
    pub(crate) received: u64,
    pub(crate) sent: u64,
    /// Messages that are malformed, not authenticated, or not for this relay.
    pub(crate) refused: u64,
    /// Members of other relays for which the channel had no room.
    pub(crate) refused_members: u64,
    /// Streams that were asked for again because a message was lost.
    pub(crate) restarts: u64,
    /// The links to relays that are present and do not answer, at the moment.
    pub(crate) unanswered: u64,
}

/// The links for one app.
#[derive(Default)]
struct AppLinks {
    needed: BTreeSet<ChannelId>,
    /// The needed channels whose members at other relays are not known.
    unsynced: BTreeSet<ChannelId>,
    links: BTreeMap<u64, Link>,
}

impl Links {
    pub(super) fn new(relay: u64, keys: Arc<SigningKeys>, memory: Arc<Memory>, now: Instant) -> Self {
        Self {
            relay,
            keys,
            apps: BTreeMap::new(),
            owners: BTreeMap::new(),
            last_stream: 0,
            reachable: (false, now),
            held: Reservation::new(memory, MemoryKind::Presence, 0),
            counts: LinkCounts::default(),
            answers: Vec::new(),
            has_warned: false,
        }
    }

    /// Applies a message of another relay, which arrived on this relay's subject.
    pub(super) fn handle_message(&mut self, bytes: Bytes, local: &mut dyn Local, now: Now) {
        let (mut message, app) = match LinkMessage::decode(bytes, &self.keys) {
            Ok(decoded) => decoded,
            Err(error) => return self.refuse(error),
        };
        let peer = message.from;
        if message.to != self.relay || peer == self.relay {
            return self.refuse(MessageError::Malformed);
        }
        let stream = self.next_stream(now);
        let Some(links) = self.apps.get_mut(&app) else {
            if message.own_stream != 0 {
                let (from, to) = (self.relay, peer);
                let idle = LinkMessage { from, to, stream: message.own_stream, ..LinkMessage::default() };
                self.answers.push((peer, idle.encode(&app, &self.keys)));
            }
            return;
        };
        if !links.links.contains_key(&peer) {
            if links.links.len() >= MAX_RELAYS || message.own_stream == 0 {
                return self.refuse(MessageError::Malformed);
            }
            let link = Link::new((self.relay, peer), stream, links.needed.iter().copied(), now.monotonic);
            links.links.insert(peer, link);
        }
        links.drop_known_orphans(&mut message, self.relay);
        let Some(link) = links.links.get_mut(&peer) else { return };
        let received = link.receive(message, &links.needed, local, now.monotonic);
        self.counts.received += 1;
        self.counts.refused_members += received.refused;
        if received.must_begin_again {
            self.counts.restarts += 1;
            link.listen_again(stream);
        } else if received.is_over {
            link.renew(stream);
        }
    }

    /// Returns the messages that are due, each with its receiver. `others` are the relays that are present, and `is_reachable`
    /// tells whether the broker connects this relay with them. Returns `None` if it has not for [`OUTAGE`].
    pub(super) fn handle_tick(
        &mut self,
        others: &[u64],
        is_reachable: bool,
        local: &mut dyn Local,
        now: Now,
    ) -> Option<Vec<(u64, Vec<u8>)>> {
        let outbox = local.take_outbox();
        self.note_leaves(&outbox.members);
        outbox.channels.into_iter().for_each(|(channel, need)| self.change_need(channel, need));
        if self.reachable.0 != is_reachable {
            self.reachable = (is_reachable, now.monotonic);
        }
        let since = now.monotonic.saturating_duration_since(self.reachable.1);
        if !is_reachable && since >= OUTAGE {
            self.apps.values_mut().for_each(|links| links.links.clear());
            return None;
        }
        if is_reachable {
            self.find_relays(others, local, now);
        }
        let mut messages = mem::take(&mut self.answers);
        self.flush(&outbox.members, local, now.monotonic, &mut messages);
        if is_reachable && since >= SETTLE {
            self.apps.values_mut().for_each(|links| links.sync(others, local));
        }
        self.counts.unanswered = self.apps.values().map(|links| links.unanswered(others)).sum();
        let tables = self.apps.values().map(AppLinks::entries).sum::<usize>();
        let _ = self.held.set(tables * ENTRY);
        self.counts.sent += messages.len() as u64;
        Some(messages)
    }

    /// Notes the members of other relays that left at this one, while the links still know the channels.
    fn note_leaves(&mut self, changes: &BTreeMap<(ChannelId, MemberId), Touch>) {
        for ((channel, id), touch) in changes {
            if let Touch::Left { stamp, is_foreign: true } = touch
                && let Some(links) = self.owners.get(channel).and_then(|app| self.apps.get_mut(app))
            {
                links.links.values_mut().for_each(|link| link.leave(*channel, *id, *stamp));
            }
        }
    }

    fn change_need(&mut self, channel: ChannelId, need: ChannelNeed) {
        match need {
            ChannelNeed::Opened { app } => {
                self.owners.insert(channel, app.clone());
                let links = self.apps.entry(app).or_default();
                links.needed.insert(channel);
                links.unsynced.insert(channel);
                links.links.values_mut().for_each(|link| link.need(channel));
            }
            ChannelNeed::Closed => {
                let Some(app) = self.owners.remove(&channel) else { return };
                if let Some(links) = self.apps.get_mut(&app) {
                    links.needed.remove(&channel);
                    links.unsynced.remove(&channel);
                    links.links.values_mut().for_each(|link| link.unneed(channel));
                }
            }
        }
    }

    /// Opens links to relays that are present, and ends those to relays that are gone.
    fn find_relays(&mut self, others: &[u64], local: &mut dyn Local, now: Now) {
        let mut stream = self.next_stream(now);
        for AppLinks { needed, links, .. } in self.apps.values_mut() {
            // An app without a channel has only the links that are not done yet.
            let others_to_find = if needed.is_empty() { &[] } else { others };
            for peer in others_to_find.iter().take(MAX_RELAYS).filter(|peer| **peer != self.relay) {
                links.entry(*peer).or_insert_with(|| {
                    Link::new((self.relay, *peer), stream, needed.iter().copied(), now.monotonic)
                });
            }
            let mut gone = Vec::new();
            links.retain(|peer, link| {
                if now.monotonic.saturating_duration_since(link.last_heard) < SILENCE {
                    return true;
                }
                match link.hearing {
                    // A relay without presence of the app says nothing.
                    Hearing::Idle => others.contains(peer),
                    // A relay can fall silent while its stream begins again, so its former members may be known.
                    Hearing::Awaited | Hearing::Starting | Hearing::Complete => {
                        needed.iter().for_each(|channel| local.orphan(*channel, *peer, now.monotonic));
                        gone.push(link.last_heard);
                        // A relay that is still present is asked again.
                        stream += 1;
                        link.replace(stream, needed.iter().copied(), now.monotonic);
                        others.contains(peer)
                    }
                }
            });
            for last_heard in gone {
                links.values_mut().for_each(|link| link.hand_on(last_heard));
            }
        }
        self.last_stream = stream;
    }

    fn flush(
        &mut self,
        changes: &BTreeMap<(ChannelId, MemberId), Touch>,
        local: &mut dyn Local,
        now: Instant,
        messages: &mut Vec<(u64, Vec<u8>)>,
    ) {
        let keys = &self.keys;
        for (app, AppLinks { needed, links, .. }) in &mut self.apps {
            links.retain(|peer, link| {
                let mut due = link.flush(needed, changes, local, now);
                let is_over = needed.is_empty() && link.is_done();
                if is_over {
                    due.extend(link.end());
                }
                messages.extend(due.into_iter().map(|message| (*peer, message.encode(app, keys))));
                !is_over
            });
        }
        self.apps.retain(|_, links| !links.needed.is_empty() || !links.links.is_empty());
    }

    /// Returns the numbers of the stream and of the message that a link expects next.
    #[cfg(feature = "fuzzing")]
    pub(super) fn next_message(&self, app: &str, peer: u64) -> Option<(u64, u64)> {
        self.apps.get(app)?.links.get(&peer).map(Link::next_message)
    }

    /// Returns a number that is greater than all before, also than those of an earlier link to the same relay.
    fn next_stream(&mut self, now: Now) -> u64 {
        self.last_stream = now.wall.0.max(self.last_stream + 1);
        self.last_stream
    }

    /// Counts a refused message, and warns of the first one.
    fn refuse(&mut self, reason: MessageError) {
        self.counts.refused += 1;
        if !mem::replace(&mut self.has_warned, true) {
            tracing::warn!(
                %reason,
                "a message about presence at another relay was refused, and so will others; if it is not of a relay of this \
                 cluster, give each cluster a broker_prefix of its own"
            );
        }
    }
}

impl AppLinks {
    /// Removes members of relays that are gone for the sender, but not for this relay: it knows its own members, and those
    /// of the relays that answered.
    fn drop_known_orphans(&self, message: &mut LinkMessage, own: u64) {
        for ChannelNews { channel, records, .. } in &mut message.channels {
            let is_known = |relay: u64| {
                relay == own || self.links.get(&relay).is_some_and(|link| link.is_synced(*channel))
            };
            records.retain(|record| !record.gone.is_some_and(is_known));
        }
    }

    /// Notes the channels whose members at all relays are known.
    fn sync(&mut self, others: &[u64], local: &mut dyn Local) {
        let links = &self.links;
        self.unsynced.retain(|channel| {
            let is_synced = links.iter().all(|(peer, link)| {
                link.is_synced(*channel) || (link.hearing == Hearing::Awaited && !others.contains(peer))
            });
            if is_synced {
                local.set_synced(*channel);
            }
            !is_synced
        });
    }

    /// Returns the number of links to relays that are present and do not answer.
    fn unanswered(&self, others: &[u64]) -> u64 {
        let is_unanswered = |peer: &u64, link: &Link| {
            matches!(link.hearing, Hearing::Awaited | Hearing::Starting) && others.contains(peer)
        };
        self.links.iter().filter(|(peer, link)| is_unanswered(peer, link)).count() as u64
    }

    fn entries(&self) -> usize {
        self.needed.len() + self.links.values().map(Link::entries).sum::<usize>()
    }
}
