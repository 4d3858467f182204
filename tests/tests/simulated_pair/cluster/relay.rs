//! A relay of the cluster: real session rules, hub, subscribers and followers.

use super::{conditions::Conditions, publish::Publishes};
use crate::{
    clients::Seeded,
    relay::{APP, signing_key},
};
use bytes::Bytes;
use sealwire_protocol::{ChannelId, tokens::Keyring};
use sealwire_relay::{
    Follower, FollowerAction, Hub, Limits, Mark, Marks, Now, Publication, SessionConfig, SessionRules,
    SigningKeys, StoredPublication, Subscribers, Ticket,
};
use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet, VecDeque},
    rc::{Rc, Weak},
    sync::Arc,
};

pub(super) const STREAMS: usize = 2;

/// A message to a client's connection, or its end with a code.
pub(super) type Outbox = Rc<RefCell<Vec<(u64, Result<Bytes, u16>)>>>;

pub(super) struct Relay {
    /// A number that grows with each restart.
    pub(super) life: u64,
    pub(super) is_up: bool,
    pub(super) config: Arc<SessionConfig>,
    pub(super) marks: Arc<Marks>,
    pub(super) hub: Hub,
    pub(super) subscribers: Subscribers<(u64, Outbox)>,
    pub(super) sessions: BTreeMap<u64, Session>,
    pub(super) outbox: Outbox,
    pub(super) streams: Vec<Followed>,
    pub(super) publishes: Publishes,
    /// The publications on their way to the subscribers.
    pub(super) backlog: VecDeque<(Arc<Publication>, Rc<()>)>,
    pub(super) backlog_until: u64,
}

pub(super) struct Session {
    pub(super) rules: SessionRules,
    pub(super) channels: BTreeSet<ChannelId>,
    /// The messages that wait for the request before them.
    pub(super) inbox: VecDeque<Bytes>,
    /// The subscribe request that waits for the broker: the channel, its ticket, and whether it was answered.
    pub(super) pending: Option<PendingJoin>,
}

#[derive(Clone, Copy)]
pub(super) struct PendingJoin {
    pub(super) channel: ChannelId,
    pub(super) ticket: Ticket,
    pub(super) is_answered: bool,
}

/// One stream at a relay, as its driver and the connections of clients share it.
#[derive(Default)]
pub(super) struct Followed {
    pub(super) follower: Follower,
    /// The connections whose subscriptions wait for an answer.
    pub(super) answers: BTreeMap<Ticket, u64>,
    pub(super) last_ticket: Ticket,
    pub(super) waves: Waves,
    pub(super) actions: VecDeque<FollowerAction>,
    /// The number of attempts to link to a leader.
    pub(super) link_number: u64,
    pub(super) search: Search,
    pub(super) link: Option<Link>,
    pub(super) pause_ms: u64,
    /// The leader for publications: the server and the epoch.
    pub(super) leader: Option<(usize, u64)>,
    pub(super) known_epoch: u64,
    /// The time at which this relay writes a mark.
    pub(super) mark_due: u64,
    /// The time of the newest mark that arrived or was written.
    pub(super) mark_at: u64,
    pub(super) mark_spread: u64,
}

/// The search for a leader: the number of servers that have not answered, and the newest term with its leader.
#[derive(Clone, Copy, Default)]
pub(super) struct Search {
    pub(super) asked: usize,
    pub(super) newest: Option<(u64, usize)>,
}

/// A connection to a stream's leader.
pub(super) struct Link {
    pub(super) server: usize,
    pub(super) generation: u64,
    pub(super) watched: BTreeSet<ChannelId>,
    pub(super) is_linked: bool,
    /// The messages that arrived before the follower was linked.
    pub(super) early: Vec<Live>,
}

/// A message as it is republished, with the sequence of the one before it on its subject.
pub(super) enum Live {
    Publication(StoredPublication, u64),
    Mark(Mark, u64),
}

/// The deliveries before each proven mark. A mark is sent to clients once they are queued.
#[derive(Default)]
pub(super) struct Waves {
    pub(super) current: Rc<()>,
    earlier: VecDeque<(Mark, Weak<()>)>,
    delivered: Option<Mark>,
}

impl Waves {
    pub(super) fn close(&mut self, mark: Mark) {
        let closed = std::mem::take(&mut self.current);
        self.earlier.push_back((mark, Rc::downgrade(&closed)));
    }

    pub(super) fn delivered(&mut self) -> Option<Mark> {
        while let Some((mark, wave)) = self.earlier.front()
            && wave.strong_count() == 0
        {
            self.delivered = Some(*mark);
            self.earlier.pop_front();
        }
        self.delivered
    }
}

impl Relay {
    pub(super) fn new(life: u64, conditions: &Conditions, random: &mut Seeded, now: Now) -> Self {
        let mut keyring = Keyring::default();
        keyring.insert(APP, signing_key()).expect("the keyring is empty");
        let marks = Arc::new(Marks::default());
        let config = SessionConfig {
            keys: Arc::new(SigningKeys::new(keyring)),
            revocations: Arc::default(),
            hello_timeout: std::time::Duration::from_secs(5),
            heartbeat: conditions.heartbeat,
            replay_window: conditions.hub.replay_window,
            limits: Arc::new(Limits::new(sealwire_relay::Settings::default(), now.monotonic)),
            stall_detector: Arc::default(),
            marks: marks.clone(),
            has_presence: false,
            names_channels: false,
        };
        let followed = |spread| Followed { mark_spread: spread, pause_ms: 50, ..Followed::default() };
        Self {
            life,
            is_up: true,
            config: Arc::new(config),
            marks,
            hub: Hub::new(0, conditions.hub, now),
            subscribers: Subscribers::default(),
            sessions: BTreeMap::new(),
            outbox: Outbox::default(),
            streams: (0..STREAMS).map(|_| followed(random.below(200))).collect(),
            publishes: Publishes::default(),
            backlog: VecDeque::new(),
            backlog_until: 0,
        }
    }

    /// Returns the number of confirmed subscriptions of all sessions.
    pub(super) fn subscriptions(&self) -> usize {
        self.sessions.values().map(|session| session.channels.len()).sum()
    }
}

/// Returns the stream of a channel.
pub(super) fn stream_of(channel: ChannelId) -> usize {
    usize::from(channel.0[0]) % STREAMS
}
