//! Several relays in virtual time, and the bus between them, which can lose, repeat and reorder messages.

use crate::presence::relays::{
    Local,
    links::{Links, SETTLE},
    message::LinkMessage,
};
use crate::{
    auth::signing_keys::SigningKeys,
    clock::Now,
    id_digest::IdDigest,
    memory::Memory,
    presence::{
        Entry, MemberId, Owner, SessionNames,
        limits::TableLimits,
        names::OwnerDigests,
        outbox::Outbox,
        record::Record,
        table::{Entering, PresenceTable, RemoteChange},
    },
    session_id::SessionId,
};
use bytes::Bytes;
use sealwire_protocol::{
    ChannelId, UnixMillis,
    wire::{Messages, ToClient},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::{Duration, Instant},
};

pub(super) const GRACE: Duration = Duration::from_secs(15);
pub(super) const TICK: Duration = Duration::from_millis(50);
pub(super) const LIMITS: TableLimits = TableLimits { members: 100, members_per_account: 100, bytes: 1 << 20 };

pub(super) fn keys() -> Arc<SigningKeys> {
    Arc::new(SigningKeys::of_kids(&[("app", "kid")]))
}

pub(super) fn channel(number: u8) -> ChannelId {
    ChannelId([number; 16])
}

pub(super) fn member(number: u8) -> MemberId {
    [number; 16]
}

pub(super) fn names(account: u8) -> SessionNames {
    let account = IdDigest::account("app", "site", &account.to_string());
    SessionNames::new("app".to_owned(), IdDigest::installation("app", "site"), account)
}

pub(super) fn owner(names: &OwnerDigests) -> Owner {
    let key = |digest: &IdDigest| u64::from_be_bytes(digest.as_bytes()[..8].try_into().unwrap());
    Owner { installation: key(&names.installation), account: key(&names.account) }
}

/// The members that a watcher knows, with their numbers.
pub(super) type Known = BTreeMap<Bytes, u64>;

pub(super) struct Relay {
    pub(super) id: u64,
    pub(super) table: PresenceTable<(u8, u64)>,
    pub(super) links: Links,
    pub(super) memory: Arc<Memory>,
    /// The members that each watcher knows, by channel and session.
    pub(super) known: BTreeMap<(u8, u64), Known>,
    /// The number of members that a watcher saw leave.
    pub(super) left: usize,
    pub(super) lost: usize,
    sessions: u64,
    /// The channels that a session waits for.
    waiting: BTreeSet<u8>,
}

impl Local for Relay {
    fn take_outbox(&mut self) -> Outbox {
        self.table.take_outbox()
    }

    fn own_members(&mut self, channel: ChannelId, now: Instant) -> Vec<Record> {
        self.table.own_members(channel, now)
    }

    fn orphans(&mut self, channel: ChannelId, now: Instant) -> Vec<Record> {
        self.table.orphans(channel, now)
    }

    fn own(&mut self, channel: ChannelId, id: MemberId, now: Instant) -> Option<Record> {
        self.table.own(channel, id, now)
    }

    fn apply_record(&mut self, channel: ChannelId, relay: u64, record: Record, now: Instant) -> bool {
        let owner = owner(&record.owner);
        self.table.apply(channel, relay, RemoteChange::Record(Box::new(record), owner), LIMITS, now)
    }

    fn apply(&mut self, channel: ChannelId, relay: u64, change: RemoteChange, now: Instant) {
        self.table.apply(channel, relay, change, LIMITS, now);
    }

    fn set_synced(&mut self, channel: ChannelId) {
        let mut push = deliver(&mut self.known, &mut self.left);
        self.table.set_synced(channel, &mut push);
    }

    fn orphan(&mut self, channel: ChannelId, relay: u64, now: Instant) {
        self.apply(channel, relay, RemoteChange::Orphan(GRACE), now);
    }
}

pub(super) fn deliver<'a>(
    known: &'a mut BTreeMap<(u8, u64), Known>,
    left: &'a mut usize,
) -> impl FnMut(&(u8, u64), &Bytes) + 'a {
    |watcher, frame| {
        for message in Messages::of(frame.clone()) {
            let ToClient::Presence(presence) = ToClient::from_bytes(message.unwrap()).unwrap() else {
                panic!()
            };
            let known = known.entry(*watcher).or_default();
            if presence.is_state {
                known.clear();
            }
            known.extend(presence.entries.iter().map(|entry| (entry.member.clone(), entry.number)));
            for id in &presence.left {
                assert!(known.remove(id).is_some(), "a member left that was not known");
                *left += 1;
            }
        }
    }
}

impl Relay {
    pub(super) fn new(id: u64, now: Instant) -> Self {
        let memory = Arc::<Memory>::default();
        let links = Links::new(id, keys(), memory.clone(), now);
        let table = PresenceTable::shared(memory.clone(), id);
        Self {
            id,
            table,
            links,
            memory,
            known: BTreeMap::new(),
            left: 0,
            lost: 0,
            sessions: 0,
            waiting: BTreeSet::new(),
        }
    }

    pub(super) fn enter(&mut self, place: u8, id: u8, number: u64, now: Now) -> Option<u64> {
        if !self.table.is_synced(channel(place)) {
            if self.waiting.insert(place) {
                self.table.need(channel(place), &names(id), now.monotonic);
            }
            return None;
        }
        self.sessions += 1;
        let names = names(id);
        let owner = owner(&names.owner);
        let entering = Entering {
            session: SessionId(self.sessions),
            owner,
            names: Some(Arc::new(names)),
            entered_before: false,
            entry: Entry { member: member(id), number, sealed: vec![id; 50].into() },
            expires: now.monotonic + Duration::from_secs(900),
        };
        let entered = self.table.enter(channel(place), entering, LIMITS, now);
        if self.waiting.remove(&place) {
            self.table.unneed(channel(place));
        }
        entered.ok().map(|()| self.sessions)
    }

    pub(super) fn watch(&mut self, place: u8, now: Instant) -> u64 {
        self.sessions += 1;
        let mut push = deliver(&mut self.known, &mut self.left);
        let watcher = (SessionId(self.sessions), Some(&names(200)));
        self.table.watch(channel(place), watcher, (place, self.sessions), now, &mut push);
        self.sessions
    }

    pub(super) fn own_ids(&self, place: u8, now: Instant) -> BTreeSet<MemberId> {
        self.table.own_members(channel(place), now).into_iter().map(|record| record.id).collect()
    }
}

/// The relays and the bus between them.
pub(super) struct World {
    pub(super) now: Now,
    pub(super) relays: Vec<Option<Relay>>,
    /// The messages on their way, with their receiver.
    pub(super) bus: Vec<(u64, Vec<u8>)>,
    /// The pairs of relays between which every message is lost.
    pub(super) cut: BTreeSet<(u64, u64)>,
    /// One of so many messages is lost, and one is repeated; 0 for none.
    pub(super) loses_one_of: u64,
    /// The number of messages that arrive before one is lost.
    pub(super) loses_after: Option<u64>,
    pub(super) seed: u64,
}

impl World {
    pub(super) fn new(relays: u64) -> Self {
        let now = Now { monotonic: Instant::now(), wall: UnixMillis(1_800_000_000_000) };
        let relays = (1..=relays).map(|id| Some(Relay::new(id, now.monotonic))).collect();
        let (bus, cut, loses_one_of, loses_after) = (Vec::new(), BTreeSet::new(), 0, None);
        let mut world = Self { now, relays, bus, cut, loses_one_of, loses_after, seed: 1 };
        world.pass(SETTLE + TICK * 2);
        world
    }

    pub(super) fn relay(&mut self, number: usize) -> &mut Relay {
        self.relays[number].as_mut().unwrap()
    }

    fn random(&mut self) -> u64 {
        self.seed = self.seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        self.seed >> 33
    }

    fn strikes(&mut self) -> bool {
        self.loses_one_of > 0 && self.random().is_multiple_of(self.loses_one_of)
    }

    pub(super) fn pass(&mut self, time: Duration) {
        let end = self.now.monotonic + time;
        while self.now.monotonic < end {
            self.now.monotonic += TICK;
            self.now.wall.0 += 50;
            self.step();
        }
    }

    fn step(&mut self) {
        let mut bus = std::mem::take(&mut self.bus);
        if self.strikes() && bus.len() > 1 {
            bus.swap(0, 1);
        }
        for (to, bytes) in bus {
            let (message, _) = LinkMessage::decode(bytes.clone().into(), &keys()).unwrap();
            let is_the_lost_one = self.loses_after == Some(0);
            self.loses_after = self.loses_after.and_then(|left| left.checked_sub(1));
            if self.cut.contains(&(message.from, to)) || is_the_lost_one || self.strikes() {
                continue;
            }
            let times = 1 + usize::from(self.strikes());
            let now = self.now;
            if let Some(mut relay) = self.relays[to as usize - 1].take() {
                for _ in 0..times {
                    with_links(&mut relay, |links, relay| {
                        links.handle_message(bytes.clone().into(), relay, now)
                    });
                }
                self.relays[to as usize - 1] = Some(relay);
            }
        }
        let present: Vec<u64> = self.relays.iter().flatten().map(|relay| relay.id).collect();
        let (now, cut) = (self.now, self.cut.clone());
        for relay in self.relays.iter_mut().flatten() {
            let others: Vec<u64> = present
                .iter()
                .copied()
                .filter(|other| *other != relay.id && !cut.contains(&(*other, relay.id)))
                .collect();
            let messages =
                with_links(relay, |links, relay| links.handle_tick(&others, true, relay, now)).unwrap();
            self.bus.extend(messages);
            let mut lost = 0;
            let mut push = deliver(&mut relay.known, &mut relay.left);
            while relay.table.handle_timeout(now.monotonic, &mut push, &mut |_| lost += 1) {}
            relay.lost += lost;
        }
    }

    pub(super) fn enter(&mut self, relay: usize, place: u8, id: u8, number: u64) -> u64 {
        for _ in 0..100 {
            let now = self.now;
            if let Some(session) = self.relay(relay).enter(place, id, number, now) {
                return session;
            }
            self.pass(TICK);
        }
        panic!("the channel is not synced");
    }

    pub(super) fn watch(&mut self, relay: usize, place: u8) -> u64 {
        let now = self.now.monotonic;
        self.relay(relay).watch(place, now)
    }

    /// Removes a member, from a session of its account that is newer than all others.
    pub(super) fn leave(&mut self, relay: usize, place: u8, id: u8) {
        let names = names(id);
        let owner = owner(&names.owner);
        let (session, now) = ((SessionId(u64::MAX), owner), self.now.monotonic);
        let _ = self.relay(relay).table.leave(channel(place), session, member(id), false, now);
    }

    pub(super) fn depart(&mut self, relay: usize, place: u8, session: u64, id: u8) {
        let now = self.now.monotonic;
        self.relay(relay).table.depart(channel(place), SessionId(session), member(id), GRACE, now);
    }

    pub(super) fn known(&mut self, relay: usize, place: u8, watcher: u64) -> Vec<(u8, u64)> {
        let known = self.relay(relay).known.get(&(place, watcher)).cloned().unwrap_or_default();
        known.into_iter().map(|(id, number)| (id[0], number)).collect()
    }
}

pub(super) fn with_links<R>(relay: &mut Relay, call: impl FnOnce(&mut Links, &mut Relay) -> R) -> R {
    let spare = Links::new(0, keys(), relay.memory.clone(), Instant::now());
    let mut links = std::mem::replace(&mut relay.links, spare);
    let result = call(&mut links, relay);
    relay.links = links;
    result
}
