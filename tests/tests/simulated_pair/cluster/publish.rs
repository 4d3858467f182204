//! Publishing: a relay repeats a message under one id until the stream acknowledges it, or until its time is over.

use super::{
    events::{Acknowledged, Attempt, Event, Origin},
    relay::stream_of,
    replica::{Message, Subject},
    wires::Way,
    world::World,
};
use sealwire_protocol::{UnixMillis, wire::Position};
use sealwire_relay::{BrokerError, Draft, Entry, IdReused, PublishReceipt};
use std::{cell::Cell, collections::BTreeMap, rc::Rc};

/// The time after which a message without an acknowledgement is sent again.
const ATTEMPT_MS: u64 = 1_500;
const PAUSE_MS: u64 = 50;
/// The time that a publication has at the broker.
const LIMIT_MS: u64 = 5_000;

/// The publications of a relay that are not acknowledged yet.
#[derive(Default)]
pub(super) struct Publishes {
    tasks: BTreeMap<u64, Task>,
    last: u64,
}

struct Task {
    connection: u64,
    draft: Draft,
    time: UnixMillis,
    /// The number of the attempt.
    attempt: u64,
    /// The leader of the attempt and its epoch, or nothing while there is no leader.
    leader: Option<(usize, u64)>,
    is_waiting: bool,
}

impl Publishes {
    /// Forgets the publications of a connection that is gone.
    pub(super) fn forget(&mut self, connection: u64) {
        self.tasks.retain(|_, task| task.connection != connection);
    }
}

impl World {
    pub(super) fn start_publish(&mut self, relay: usize, connection: u64, draft: Draft) {
        let time = self.relay_now(relay).wall;
        let run = (relay, self.relays[relay].life);
        let publishes = &mut self.relays[relay].publishes;
        publishes.last += 1;
        let task = publishes.last;
        let state = Task { connection, draft, time, attempt: 0, leader: None, is_waiting: true };
        publishes.tasks.insert(task, state);
        self.queue.at(self.now_ms + LIMIT_MS, Event::PublishTimeout { run, task });
        self.attempt(relay, task);
    }

    /// Sends the publications of a stream that waited for a leader.
    pub(super) fn publish_waiting(&mut self, relay: usize, stream: usize) {
        let tasks = self.relays[relay].publishes.tasks.iter();
        let waits = |task: &Task| task.is_waiting && stream_of(task.draft.channel) == stream;
        let waiting: Vec<u64> = tasks.filter(|(_, task)| waits(task)).map(|(id, _)| *id).collect();
        waiting.into_iter().for_each(|task| self.attempt(relay, task));
    }

    /// Sends a publication to the leader, if there is one.
    fn attempt(&mut self, relay: usize, id: u64) {
        let run = (relay, self.relays[relay].life);
        let one = &mut self.relays[relay];
        let Some(task) = one.publishes.tasks.get_mut(&id) else { return };
        let stream = stream_of(task.draft.channel);
        let leader = one.streams[stream].leader;
        (task.leader, task.is_waiting) = (leader, leader.is_none());
        let Some((server, _)) = leader else { return };
        task.attempt += 1;
        let attempt = Attempt { task: id, number: task.attempt };
        let message = Rc::new(Message {
            subject: Subject::Channel(task.draft.channel),
            time: task.time.0,
            stored_at: Cell::new(0),
            id: Some(task.draft.id),
            sealed: task.draft.sealed.clone(),
            instance: Cell::new(None),
        });
        let wire = &mut self.wires[relay][server];
        let origin =
            Origin { run, stream, link: 0, server, generation: wire.generation, sent_at: self.now_ms };
        let delay = 1 + self.random.below(self.conditions.wire_ms);
        if let Some(at) = wire.send(self.now_ms, delay, Way::ToServer) {
            self.queue.at(at, Event::Propose { origin, attempt: Some(attempt), message, expected: None });
        }
        self.queue
            .at(self.now_ms + ATTEMPT_MS, Event::Acknowledge { run, attempt, answer: Acknowledged::Failed });
    }

    /// Sends a server's answer to a publication.
    pub(super) fn acknowledge(&mut self, origin: Origin, attempt: Attempt, answer: Acknowledged) {
        self.acknowledge_later(origin, attempt, answer, (origin.server, 0));
    }

    /// Sends the answer of a server to a publication, after a delay.
    pub(super) fn acknowledge_later(
        &mut self,
        origin: Origin,
        attempt: Attempt,
        answer: Acknowledged,
        (from, delay): (usize, u64),
    ) {
        if !self.servers.reaches(from, origin.server) {
            return;
        }
        let delay = delay + 1 + self.random.below(self.conditions.wire_ms);
        let wire = &mut self.wires[origin.run.0][origin.server];
        if wire.generation != origin.generation {
            return;
        }
        if let Some(at) = wire.send(self.now_ms, delay, Way::ToRelay) {
            self.queue.at(at, Event::Acknowledge { run: origin.run, attempt, answer });
        }
    }

    /// Handles an answer to a publication at its relay.
    pub(super) fn acknowledged(&mut self, relay: usize, attempt: Attempt, answer: Acknowledged) {
        let run = (relay, self.relays[relay].life);
        let Some(task) = self.relays[relay].publishes.tasks.get_mut(&attempt.task) else { return };
        let Some((server, _)) = task.leader.filter(|_| task.attempt == attempt.number) else { return };
        let (stream, time) = (stream_of(task.draft.channel), task.time);
        match answer {
            Acknowledged::Stored(sequence) => self.stored(relay, attempt.task, sequence, time),
            Acknowledged::Duplicate(sequence) => {
                let wire = &mut self.wires[relay][server];
                let origin = Origin {
                    run,
                    stream,
                    link: 0,
                    server,
                    generation: wire.generation,
                    sent_at: self.now_ms,
                };
                if let Some(at) = wire.send(self.now_ms, 1, Way::ToServer) {
                    self.queue.at(at, Event::Compare { origin, attempt, sequence });
                }
            }
            Acknowledged::Compared(sequence, Some(Entry::Publication(first)))
                if first.channel == task.draft.channel =>
            {
                let is_same = first.sealed == task.draft.sealed;
                match is_same {
                    true => self.stored(relay, attempt.task, sequence, first.time),
                    false => self.finish(relay, attempt.task, Err(IdReused.into())),
                }
            }
            // The first one was discarded.
            Acknowledged::Compared(sequence, _) => {
                let now = self.relay_now(relay).wall;
                self.stored(relay, attempt.task, sequence, now);
            }
            Acknowledged::Failed => {
                task.attempt += 1;
                let attempt = Attempt { number: task.attempt, ..attempt };
                self.queue.at(self.now_ms + PAUSE_MS, Event::Retry { run, attempt });
            }
        }
    }

    /// Answers a publication that the stream stored, and tells the follower.
    fn stored(&mut self, relay: usize, task: u64, sequence: u64, time: UnixMillis) {
        let Some(one) = self.relays[relay].publishes.tasks.get(&task) else { return };
        let (channel, stream) = (one.draft.channel, stream_of(one.draft.channel));
        self.model.know((relay, self.relays[relay].life), channel, sequence, time.0);
        let epoch = self.act(relay, stream, |follower, _, _| follower.acknowledged(sequence, time));
        let position = Position { epoch, offset: sequence, time_ms: time.0 };
        self.finish(relay, task, Ok(PublishReceipt { position, time }));
    }

    /// Reads the message that a publication repeats, at the leader.
    pub(super) fn compare(&mut self, origin: Origin, attempt: Attempt, sequence: u64) {
        if self.wires[origin.run.0][origin.server].generation != origin.generation {
            return;
        }
        let leader = self.streams[origin.stream].leader_for(&self.servers, origin.server);
        let answer = leader.map_or(Acknowledged::Failed, |leader| {
            let message = self.streams[origin.stream].replicas[leader].read(sequence);
            Acknowledged::Compared(sequence, message.map(|message| message.entry(sequence)))
        });
        self.acknowledge(origin, attempt, answer);
    }

    /// Sends a publication again.
    pub(super) fn retry(&mut self, relay: usize, attempt: Attempt) {
        let task = self.relays[relay].publishes.tasks.get(&attempt.task);
        if task.is_some_and(|task| task.attempt == attempt.number) {
            self.attempt(relay, attempt.task);
        }
    }

    /// Answers the client that published.
    pub(super) fn finish(&mut self, relay: usize, task: u64, result: Result<PublishReceipt, BrokerError>) {
        let Some(task) = self.relays[relay].publishes.tasks.remove(&task) else { return };
        self.trace(|| format!("relay {relay}: published {result:?}"));
        if let Some(session) = self.relays[relay].sessions.get_mut(&task.connection) {
            session.rules.handle_published(result.map_err(Into::into));
            self.serve(relay, task.connection);
        }
    }
}
