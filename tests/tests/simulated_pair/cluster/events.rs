//! The events of the cluster, and the queue of those that are due at some time.

use super::{relay::Live, replica::Message};
use sealwire_protocol::ChannelId;
use sealwire_relay::{Entry, EpochMarks, Replay, RequestId, StoredPublication, StreamInfo, Ticket};
use std::{collections::BTreeMap, rc::Rc};

/// A run of a relay: its number and its life.
pub(super) type Run = (usize, u64);

/// The address of a request of a relay: the stream, the link, and the connection's server and generation.
#[derive(Clone, Copy, Debug)]
pub(super) struct Origin {
    pub(super) run: Run,
    pub(super) stream: usize,
    pub(super) link: u64,
    pub(super) server: usize,
    pub(super) generation: u64,
    pub(super) sent_at: u64,
}

/// A request of a driver, with what its earlier steps brought.
#[derive(Debug)]
pub(super) enum Call {
    /// Looks for the leader at the connection with this index.
    FindLeader,
    /// The state of the stream behind the subscriptions to marks and channels.
    Link(Vec<ChannelId>),
    /// Finds the marks of the newest epoch. The newest one has at least this sequence, or the request fails.
    FindMarks(RequestId, u64),
    /// Writes a mark; see `FollowerAction::RenewMark`.
    RenewMark(RequestId, Option<u64>),
    /// Waits until the message at this sequence, which this request wrote at this time, is stored.
    AwaitStored(RequestId, u64, u64),
    ReadStream {
        request: RequestId,
        next: u64,
        info: Option<StreamInfo>,
        entries: Vec<Entry>,
        lagging: usize,
    },
    ReadChannel {
        request: RequestId,
        channel: ChannelId,
        from: u64,
        found: Vec<StoredPublication>,
        step: Step,
    },
    ReadMessage(RequestId, u64),
    ReadInfo(RequestId),
}

/// The step of reading a channel: the next message at the leader, the ones behind it at any replica, the leader's state.
#[derive(Clone, Copy, Debug)]
pub(super) enum Step {
    First,
    Batch,
    Info,
}

/// The answer to one step of a request.
#[derive(Debug)]
pub(super) enum Told {
    Next(Call),
    Failed,
    /// A server that acts as the leader, and its term.
    Leader(usize, u64),
    /// The time for the other servers to name a leader is over.
    Chosen,
    Linked(StreamInfo),
    Marks(RequestId, Option<EpochMarks>),
    Stream(RequestId, Vec<Entry>, StreamInfo),
    Channel(RequestId, ChannelId, Vec<StoredPublication>, StreamInfo),
    Message(RequestId, u64, Option<Entry>),
    Info(RequestId, StreamInfo),
}

/// A publication of a relay on its way, and its attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Attempt {
    pub(super) task: u64,
    pub(super) number: u64,
}

#[derive(Debug)]
pub(super) enum Acknowledged {
    Stored(u64),
    Duplicate(u64),
    /// The message at the sequence of a duplicate.
    Compared(u64, Option<Entry>),
    Failed,
}

pub(super) enum Event {
    Replicate {
        stream: usize,
        term: u64,
        from: usize,
        to: usize,
        sequence: u64,
    },
    Commit {
        stream: usize,
        term: u64,
        leader: usize,
        /// The server that has the message too.
        to: usize,
        sequence: u64,
    },
    Apply {
        stream: usize,
        term: u64,
        to: usize,
        sequence: u64,
    },
    Republish {
        stream: usize,
        server: usize,
        life: u64,
        sequence: u64,
        message: Rc<Message>,
        previous: u64,
    },
    Elect {
        stream: usize,
        call: u64,
    },
    Start(usize),
    Heal,
    Ask(Origin, Call),
    Told(Origin, Told),
    Watch(Origin, ChannelId),
    Live {
        origin: Origin,
        live: Live,
    },
    /// A relay notices the loss of a connection.
    Lost {
        relay: usize,
        server: usize,
        generation: u64,
    },
    Open {
        relay: usize,
        server: usize,
    },
    Tick(Run),
    Tend(Run),
    Link {
        run: Run,
        stream: usize,
        link: u64,
    },
    StartRelay(usize),
    Answered {
        run: Run,
        connection: u64,
        ticket: Ticket,
        replay: Box<Replay>,
    },
    JoinTimeout {
        run: Run,
        connection: u64,
        ticket: Ticket,
    },
    Ended {
        run: Run,
        connection: u64,
    },
    FanOut(Run),
    /// A message at a server: a mark, or a publication with its attempt.
    Propose {
        origin: Origin,
        attempt: Option<Attempt>,
        message: Rc<Message>,
        expected: Option<u64>,
    },
    Compare {
        origin: Origin,
        attempt: Attempt,
        sequence: u64,
    },
    Acknowledge {
        run: Run,
        attempt: Attempt,
        answer: Acknowledged,
    },
    Retry {
        run: Run,
        attempt: Attempt,
    },
    PublishTimeout {
        run: Run,
        task: u64,
    },
}

#[derive(Default)]
pub(super) struct Queue {
    /// The map moves its entries, so the larger events would cost more than their allocation.
    events: BTreeMap<(u64, u64), Box<Event>>,
    added: u64,
}

impl Queue {
    pub(super) fn at(&mut self, at: u64, event: Event) {
        self.added += 1;
        self.events.insert((at, self.added), Box::new(event));
    }

    pub(super) fn next(&self) -> Option<u64> {
        self.events.keys().next().map(|(at, _)| *at)
    }

    pub(super) fn take_due(&mut self, now: u64) -> Option<Event> {
        let entry = self.events.first_entry().filter(|entry| entry.key().0 <= now)?;
        Some(*entry.remove())
    }
}
