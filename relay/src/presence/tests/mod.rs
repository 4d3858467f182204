//! Tests of the rules in virtual time. A watcher of these tests is a number, and keeps the messages that it was sent.

mod sizes;

use super::{
    Entry, MemberId, Owner,
    counts::PresenceCounts,
    limits::{PresenceError, TableLimits},
    table::{BATCH_WINDOW, Entering, PresenceTable},
};
use crate::{clock::Now, memory::Memory, session_id::SessionId};
use bytes::Bytes;
use sealwire_protocol::{
    ChannelId, UnixMillis,
    limits::MAX_PRESENCE_FRAME,
    wire::{Messages, Presence, ToClient},
};
use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

const CHANNEL: ChannelId = ChannelId([7; 16]);
const ALICE: Owner = Owner { installation: 1, account: 1 };
const BOB: Owner = Owner { installation: 1, account: 2 };
const GRACE: Duration = Duration::from_secs(15);
const LIMITS: TableLimits = TableLimits { members: 1000, members_per_account: 1000, bytes: 512 * 1024 };

/// A message in short: whether it is a state, the members with their numbers, and those that left.
type Brief = (bool, Vec<(u64, u64)>, Vec<u64>);

/// A table with its virtual time and the messages of its watchers.
struct World {
    table: PresenceTable<u64>,
    memory: Arc<Memory>,
    now: Instant,
    limits: TableLimits,
    sent: BTreeMap<u64, Vec<Presence>>,
}

fn member(number: u64) -> MemberId {
    let mut id = [0; 16];
    id[8..].copy_from_slice(&number.to_be_bytes());
    id
}

fn entry(id: u64, number: u64, len: usize) -> Entry {
    Entry { member: member(id), number, sealed: vec![u8::try_from(number).unwrap(); len].into() }
}

fn deliver(sent: &mut BTreeMap<u64, Vec<Presence>>) -> impl FnMut(&u64, &Bytes) {
    |watcher, frame| {
        assert!(frame.len() <= MAX_PRESENCE_FRAME + 10);
        // A frame has the form of a batch of one message.
        for message in Messages::of(frame.clone()) {
            let ToClient::Presence(presence) = ToClient::from_bytes(message.unwrap()).unwrap() else {
                panic!()
            };
            sent.entry(*watcher).or_default().push(presence);
        }
    }
}

impl World {
    fn new() -> Self {
        let memory = Arc::<Memory>::default();
        let table = PresenceTable::new(memory.clone());
        Self { table, memory, now: Instant::now(), limits: LIMITS, sent: BTreeMap::new() }
    }

    fn enter(&mut self, session: u64, owner: Owner, entry: Entry) -> Result<(), PresenceError> {
        let expires = self.now + Duration::from_secs(900);
        self.enter_until(session, owner, entry, expires)
    }

    fn enter_until(
        &mut self,
        session: u64,
        owner: Owner,
        entry: Entry,
        expires: Instant,
    ) -> Result<(), PresenceError> {
        let session = SessionId(session);
        let entering = Entering { session, owner, names: None, entered_before: false, entry, expires };
        let now = Now { monotonic: self.now, wall: UnixMillis(0) };
        self.table.enter(CHANNEL, entering, self.limits, now)
    }

    fn leave(&mut self, session: u64, owner: Owner, id: u64) -> Result<(), PresenceError> {
        self.table.leave(CHANNEL, (SessionId(session), owner), member(id), false, self.now)
    }

    fn depart(&mut self, session: u64, id: u64) {
        self.table.depart(CHANNEL, SessionId(session), member(id), GRACE, self.now);
    }

    fn watch(&mut self, session: u64) {
        self.table.watch(
            CHANNEL,
            (SessionId(session), None),
            session,
            self.now,
            &mut deliver(&mut self.sent),
        );
    }

    /// Lets time pass, and performs what is due at its moment.
    fn pass(&mut self, time: Duration) {
        let end = self.now + time;
        while let Some(at) = self.table.poll_timeout().filter(|at| *at <= end) {
            self.now = self.now.max(at);
            self.table
                .handle_timeout(self.now, &mut deliver(&mut self.sent), &mut |_| panic!("a watcher is lost"));
        }
        self.now = end;
    }

    fn pass_window(&mut self) {
        self.pass(BATCH_WINDOW);
    }

    /// Takes the messages of a watcher.
    fn take(&mut self, watcher: u64) -> Vec<Brief> {
        let number = |id: &Bytes| u64::from_be_bytes(id[8..].try_into().unwrap());
        let brief = |presence: Presence| {
            let entries = presence.entries.iter().map(|entry| (number(&entry.member), entry.number));
            (presence.is_state, entries.collect(), presence.left.iter().map(number).collect())
        };
        self.sent.remove(&watcher).unwrap_or_default().into_iter().map(brief).collect()
    }
}

#[test]
fn a_watcher_gets_the_state_at_once_and_then_changes_in_batches() {
    let mut world = World::new();
    world.enter(1, ALICE, entry(1, 1, 60)).unwrap();
    world.watch(9);
    assert_eq!(world.take(9), [(true, vec![(1, 1)], vec![])]);
    world.enter(2, BOB, entry(2, 1, 60)).unwrap();
    world.pass(BATCH_WINDOW / 2);
    world.enter(1, ALICE, entry(1, 2, 60)).unwrap();
    world.enter(3, BOB, entry(3, 1, 60)).unwrap();
    assert_eq!(world.take(9), []);
    world.pass(BATCH_WINDOW / 2);
    assert_eq!(world.take(9), [(false, vec![(1, 2), (2, 1), (3, 1)], vec![])]);
    world.leave(2, BOB, 2).unwrap();
    world.pass_window();
    assert_eq!(world.take(9), [(false, vec![], vec![2])]);
    let counts =
        PresenceCounts { members: 2, watchers: 1, changes: 4, messages: 3, ..PresenceCounts::default() };
    assert_eq!(world.table.counts(), counts);
}

#[test]
fn versions_have_no_hole_for_each_watcher() {
    let mut world = World::new();
    world.watch(8);
    for session in 1..=3 {
        world.enter(session, ALICE, entry(session, 1, 60)).unwrap();
        if session == 2 {
            // The state waits for the pending change.
            world.watch(9);
            assert_eq!(world.sent.get(&9), None);
        }
        world.pass_window();
    }
    let versions =
        |watcher| world.sent[&watcher].iter().map(|message: &Presence| message.version).collect::<Vec<_>>();
    assert_eq!((versions(8), versions(9)), (vec![0, 1, 2, 3], vec![2, 3]));
}

#[test]
fn a_member_that_returns_within_the_grace_time_is_no_change_and_one_that_does_not_leaves() {
    let mut world = World::new();
    world.watch(9);
    world.enter(1, ALICE, entry(1, 4, 60)).unwrap();
    world.pass_window();
    world.take(9);
    world.depart(1, 1);
    assert_eq!(world.table.counts().in_grace, 1);
    world.watch(8);
    assert!(world.sent[&8][0].entries[0].in_grace);
    world.pass(GRACE - Duration::from_millis(1));
    world.enter(2, ALICE, entry(1, 4, 60)).unwrap();
    world.pass(2 * GRACE);
    assert_eq!(world.take(9), []);
    world.depart(2, 1);
    world.pass(GRACE - Duration::from_millis(1));
    assert_eq!(world.take(9), []);
    world.pass(BATCH_WINDOW + Duration::from_millis(1));
    assert_eq!(world.take(9), [(false, vec![], vec![1])]);
    assert_eq!((world.table.counts().members, world.table.counts().in_grace), (0, 0));
}

#[test]
fn a_member_that_enters_and_leaves_within_one_batch_is_not_told() {
    let mut world = World::new();
    world.watch(9);
    world.take(9);
    world.enter(1, ALICE, entry(1, 1, 60)).unwrap();
    world.leave(1, ALICE, 1).unwrap();
    world.pass_window();
    assert_eq!(world.take(9), []);
    world.enter(1, ALICE, entry(1, 1, 60)).unwrap();
    world.pass_window();
    world.take(9);
    world.leave(1, ALICE, 1).unwrap();
    world.enter(1, ALICE, entry(1, 1, 60)).unwrap();
    world.pass_window();
    assert_eq!(world.take(9), []);
}

#[test]
fn a_grace_time_ends_with_the_tokens_of_the_member() {
    let mut world = World::new();
    let expires = world.now + Duration::from_secs(5);
    world.enter_until(1, ALICE, entry(1, 1, 60), expires).unwrap();
    world.table.extend(CHANNEL, SessionId(1), member(1), expires + Duration::from_secs(2));
    world.depart(1, 1);
    world.pass(Duration::from_millis(6999));
    assert_eq!(world.table.counts().members, 1);
    world.pass(Duration::from_millis(1));
    assert_eq!(world.table.counts().members, 0);
}

#[test]
fn a_member_belongs_to_its_account_and_to_the_newest_session() {
    let mut world = World::new();
    world.enter(2, ALICE, entry(1, 5, 60)).unwrap();
    assert_eq!(world.enter(3, BOB, entry(1, 6, 60)), Err(PresenceError::OtherAccount));
    assert_eq!(world.leave(3, BOB, 1), Err(PresenceError::OtherAccount));
    assert_eq!(world.enter(1, ALICE, entry(1, 6, 60)), Err(PresenceError::NewerSession));
    world.depart(2, 1);
    // In grace, too, the id is the account's.
    assert_eq!(world.enter(3, BOB, entry(1, 6, 60)), Err(PresenceError::OtherAccount));
    world.enter(4, ALICE, entry(1, 6, 60)).unwrap();
    // The end of the former session does not concern the member any more.
    world.depart(2, 1);
    assert_eq!(world.table.counts().in_grace, 0);
    assert_eq!(world.leave(2, ALICE, 1), Err(PresenceError::NewerSession));
    world.leave(4, ALICE, 1).unwrap();
    world.leave(4, ALICE, 1).unwrap();
    world.enter(3, BOB, entry(1, 1, 60)).unwrap();
}

#[test]
fn an_entry_with_a_lower_number_or_other_bytes_under_the_same_number_is_outdated() {
    let mut world = World::new();
    world.enter(1, ALICE, entry(1, 5, 60)).unwrap();
    assert_eq!(world.enter(1, ALICE, entry(1, 4, 60)), Err(PresenceError::Outdated));
    assert_eq!(world.enter(1, ALICE, entry(1, 5, 61)), Err(PresenceError::Outdated));
    world.enter(1, ALICE, entry(1, 5, 60)).unwrap();
    world.enter(1, ALICE, entry(1, 6, 60)).unwrap();
}

#[test]
fn members_and_bytes_of_a_channel_are_limited_and_a_refusal_changes_nothing() {
    let mut world = World::new();
    world.limits = TableLimits { members: 2, bytes: 200, ..LIMITS };
    world.enter(1, ALICE, entry(1, 1, 100)).unwrap();
    assert_eq!(world.enter(2, BOB, entry(2, 1, 101)), Err(PresenceError::Bytes));
    world.enter(2, BOB, entry(2, 1, 100)).unwrap();
    assert_eq!(world.enter(3, BOB, entry(3, 1, 0)), Err(PresenceError::Members));
    assert_eq!(world.enter(2, BOB, entry(2, 2, 101)), Err(PresenceError::Bytes));
    // A smaller entry is accepted although a lower limit is in force meanwhile.
    world.limits = TableLimits { members: 1, bytes: 100, ..LIMITS };
    world.enter(2, BOB, entry(2, 2, 99)).unwrap();
    world.watch(9);
    assert_eq!(world.take(9), [(true, vec![(1, 1), (2, 2)], vec![])]);
}

#[test]
fn a_revocation_ends_the_grace_of_its_account_and_no_other() {
    let mut world = World::new();
    for (session, owner) in [(1, ALICE), (2, BOB), (3, ALICE)] {
        world.enter(session, owner, entry(session, 1, 60)).unwrap();
    }
    world.depart(1, 1);
    world.depart(2, 2);
    world.table.end_graces(&|owner| owner == ALICE, world.now);
    world.watch(9);
    // The session of the third member ends by itself.
    assert_eq!(world.take(9), [(true, vec![(2, 1), (3, 1)], vec![])]);
}
