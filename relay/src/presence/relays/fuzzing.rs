//! One relay whose links get the messages of a fuzzer.

use super::{
    Local, SILENCE,
    links::{Links, SETTLE},
    message::{LinkMessage, MAX_GRACE},
};
use crate::{
    auth::signing_keys::SigningKeys,
    clock::Now,
    id_digest::IdDigest,
    memory::Memory,
    presence::{
        MemberId, Owner, SessionNames,
        limits::TableLimits,
        outbox::Outbox,
        record::Record,
        table::{PresenceTable, RemoteChange},
    },
    session_id::SessionId,
};
use sealwire_protocol::{ChannelId, UnixMillis};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};

const OWN: u64 = 1;
const PEERS: [u64; 2] = [2, 3];
const LIMITS: TableLimits = TableLimits { members: 4, members_per_account: 4, bytes: 1024 };
const GRACE: Duration = Duration::from_secs(15);
/// The time between two messages.
const TICK: Duration = Duration::from_millis(50);

/// Decodes a message between relays, and encodes it again.
pub(crate) fn recode(keys: &SigningKeys, bytes: &[u8]) -> Option<Vec<u8>> {
    let (message, app) = LinkMessage::decode(bytes.to_vec().into(), keys).ok()?;
    Some(message.encode(&app, keys))
}

/// Gives messages to a relay that watches two channels, and asserts that it keeps its limits, and that nothing of the senders is
/// left two minutes after they fell silent.
pub(crate) fn follow(keys: &Arc<SigningKeys>, app: &str, messages: &[&[u8]]) {
    let mut relay = Fuzzed::new(keys, app);
    relay.pass(&PEERS, SETTLE, TICK);
    for message in messages {
        relay.pass(&PEERS, TICK, TICK);
        relay.receive(message, app, keys);
        let members = relay.local.0.counts().remote_members;
        assert!(members <= 2 * 2 * LIMITS.members as u64, "the channels have {members} members");
    }
    relay.pass(&[], SILENCE + MAX_GRACE + TICK, Duration::from_secs(1));
    assert_eq!(relay.local.0.counts().remote_members, 0, "a member outlives its relay");
    assert!(relay.local.0.held_bytes() <= relay.held, "memory of the members is still held");
}

/// The relay, with the time and the memory that its watchers need.
struct Fuzzed {
    local: Tables,
    links: Links,
    now: Now,
    held: usize,
}

struct Tables(PresenceTable<()>);

impl Fuzzed {
    fn new(keys: &Arc<SigningKeys>, app: &str) -> Self {
        let now = Now { monotonic: Instant::now(), wall: UnixMillis(1_800_000_000_000) };
        let memory = Arc::<Memory>::default();
        let links = Links::new(OWN, keys.clone(), memory.clone(), now.monotonic);
        let mut table = PresenceTable::shared(memory, OWN);
        let names = SessionNames::new(app.to_owned(), IdDigest::app(app), IdDigest::app(app));
        for place in [1, 2] {
            let watcher = (SessionId(place.into()), Some(&names));
            table.watch(ChannelId([place; 16]), watcher, (), now.monotonic, &mut |(), _| ());
        }
        let held = table.held_bytes();
        Self { local: Tables(table), links, now, held }
    }

    fn pass(&mut self, others: &[u64], time: Duration, tick: Duration) {
        let end = self.now.monotonic + time;
        while self.now.monotonic < end {
            self.now.monotonic += tick;
            self.now.wall.0 += u64::try_from(tick.as_millis()).unwrap_or_default();
            self.links.handle_tick(others, true, &mut self.local, self.now);
            while self.local.0.handle_timeout(self.now.monotonic, &mut |(), _| (), &mut |()| ()) {}
        }
    }

    /// Handles a message without a tag, which the app's key signs.
    fn receive(&mut self, message: &[u8], app: &str, keys: &SigningKeys) {
        let tagged = LinkMessage::tag(message.to_vec(), app, keys);
        let Ok((mut message, _)) = LinkMessage::decode(tagged.into(), keys) else { return };
        (message.from, message.to) = (PEERS[usize::from(message.from.is_multiple_of(2))], OWN);
        // The fuzzer cannot guess the numbers of a stream.
        if message.stream != 0
            && let Some(next) = self.links.next_message(app, message.from)
        {
            (message.stream, message.sequence) = next;
        }
        self.links.handle_message(message.encode(app, keys).into(), &mut self.local, self.now);
    }
}

impl Local for Tables {
    fn take_outbox(&mut self) -> Outbox {
        self.0.take_outbox()
    }

    fn own_members(&mut self, channel: ChannelId, now: Instant) -> Vec<Record> {
        self.0.own_members(channel, now)
    }

    fn orphans(&mut self, channel: ChannelId, now: Instant) -> Vec<Record> {
        self.0.orphans(channel, now)
    }

    fn own(&mut self, channel: ChannelId, id: MemberId, now: Instant) -> Option<Record> {
        self.0.own(channel, id, now)
    }

    fn apply_record(&mut self, channel: ChannelId, relay: u64, record: Record, now: Instant) -> bool {
        let key = |digest: IdDigest| u64::from(digest.as_bytes()[0]);
        let owner =
            Owner { installation: key(record.owner.installation), account: key(record.owner.account) };
        self.0.apply(channel, relay, RemoteChange::Record(Box::new(record), owner), LIMITS, now)
    }

    fn apply(&mut self, channel: ChannelId, relay: u64, change: RemoteChange, now: Instant) {
        self.0.apply(channel, relay, change, LIMITS, now);
    }

    fn set_synced(&mut self, channel: ChannelId) {
        self.0.set_synced(channel, &mut |(), _| ());
    }

    fn orphan(&mut self, channel: ChannelId, relay: u64, now: Instant) {
        self.apply(channel, relay, RemoteChange::Orphan(GRACE), now);
    }
}
