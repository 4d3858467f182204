//! The driver of a stream at a relay: it looks for the leader, listens there, performs the follower's requests, and writes
//! marks, as the relay's own driver does.

use super::{
    events::{Call, Event, Origin, Step, Told},
    relay::{Link, Live, Search},
    replica::{Message, Subject},
    wires::{Interest, SERVERS, Way},
    world::World,
};
use bytes::Bytes;
use sealwire_relay::{FollowerAction, Leader};
use std::{cell::Cell, rc::Rc};

pub(super) const REQUEST_MS: u64 = 2_000;
const FIRST_PAUSE_MS: u64 = 50;
const MAX_PAUSE_MS: u64 = 1_000;
const MARK_MS: u64 = 900;
const MIN_MARK_MS: u64 = 100;
/// The time that the other servers have to name a leader after the first one.
const SLOWER_MS: u64 = 300;

impl World {
    /// Sends a request to a server. It fails after a while if there is no answer.
    fn ask(&mut self, run: (usize, u64), stream: usize, server: usize, call: Call) {
        let delay = 1 + self.random.below(self.conditions.wire_ms);
        let wire = &mut self.wires[run.0][server];
        let link = self.relays[run.0].streams[stream].link_number;
        let origin = Origin { run, stream, link, server, generation: wire.generation, sent_at: self.now_ms };
        match wire.send(self.now_ms, delay, Way::ToServer) {
            Some(at) => self.queue.at(at, Event::Ask(origin, call)),
            None => self.queue.at(self.now_ms + REQUEST_MS, Event::Told(origin, Told::Failed)),
        }
    }

    /// Sends the answer to a request back to its relay.
    pub(super) fn tell(&mut self, origin: Origin, told: Told) {
        let delay = 1 + self.random.below(self.conditions.wire_ms);
        let jitter = self.random.below(4);
        let late = origin.sent_at + REQUEST_MS;
        let wire = &mut self.wires[origin.run.0][origin.server];
        let is_same = wire.generation == origin.generation;
        match wire.send(self.now_ms, delay, Way::ToRelay).filter(|at| is_same && *at + jitter <= late) {
            Some(at) => self.queue.at(at + jitter, Event::Told(origin, told)),
            None => self.queue.at(late.max(self.now_ms), Event::Told(origin, Told::Failed)),
        }
    }

    /// Begins to look for the leader of a stream, at every server.
    pub(super) fn start_link(&mut self, relay: usize, stream: usize) {
        let run = (relay, self.relays[relay].life);
        let open: Vec<usize> = (0..SERVERS).filter(|server| self.wires[relay][*server].is_open).collect();
        self.relays[relay].streams[stream].search = Search { asked: open.len(), newest: None };
        if open.is_empty() {
            return self.link_failed(relay, stream);
        }
        for server in open {
            self.ask(run, stream, server, Call::FindLeader);
        }
    }

    /// Handles the answer of one server about the leader. The newest term counts, because a leader that lost its office and
    /// does not know it still answers.
    fn searched(&mut self, origin: Origin, found: Option<(usize, u64)>) {
        let Origin { run: (relay, _), stream, .. } = origin;
        let search = &mut self.relays[relay].streams[stream].search;
        search.asked -= 1;
        let is_first = search.newest.is_none() && found.is_some();
        search.newest = search.newest.max(found.map(|(server, term)| (term, server)));
        match (search.asked, search.newest) {
            (0, Some(_)) => self.choose(origin),
            (0, None) => self.link_failed(relay, stream),
            _ if is_first => self.queue.at(self.now_ms + SLOWER_MS, Event::Told(origin, Told::Chosen)),
            _ => {}
        }
    }

    fn choose(&mut self, origin: Origin) {
        if let Some((_, server)) = self.relays[origin.run.0].streams[origin.stream].search.newest {
            self.listen(origin, server);
        }
    }

    fn link_failed(&mut self, relay: usize, stream: usize) {
        let one = &mut self.relays[relay].streams[stream];
        let pause = one.pause_ms;
        one.pause_ms = (pause * 2).min(MAX_PAUSE_MS);
        self.end_link(relay, stream, pause);
    }

    /// Ends the link to a leader, and looks for one again.
    pub(super) fn end_link(&mut self, relay: usize, stream: usize, pause: u64) {
        let run = (relay, self.relays[relay].life);
        let one = &mut self.relays[relay].streams[stream];
        if let Some(link) = one.link.take()
            && self.wires[relay][link.server].generation == link.generation
        {
            self.wires[relay][link.server].interests[stream] = Interest::default();
        }
        one.leader = None;
        one.link_number += 1;
        let link = one.link_number;
        self.act(relay, stream, |follower, _, _| follower.unlinked());
        self.queue.at(self.now_ms + pause, Event::Link { run, stream, link });
    }

    /// Performs the requests of a follower that has a leader.
    pub(super) fn perform_requests(&mut self, relay: usize, stream: usize) {
        let run = (relay, self.relays[relay].life);
        while self.relays[relay].streams[stream].link.as_ref().is_some_and(|link| link.is_linked)
            && let Some(action) = self.relays[relay].streams[stream].actions.pop_front()
        {
            let one = &mut self.relays[relay].streams[stream];
            let Some(link) = &mut one.link else { return };
            let server = link.server;
            let call = match action {
                FollowerAction::Watch(channel) => {
                    if link.watched.insert(channel) {
                        let (generation, number) = (link.generation, one.link_number);
                        let delay = 1 + self.random.below(self.conditions.wire_ms);
                        if let Some(at) = self.wires[relay][server].send(self.now_ms, delay, Way::ToServer) {
                            let sent_at = self.now_ms;
                            let origin = Origin { run, stream, link: number, server, generation, sent_at };
                            self.queue.at(at, Event::Watch(origin, channel));
                        }
                    }
                    continue;
                }
                FollowerAction::Unwatch(channel) => {
                    link.watched.remove(&channel);
                    self.wires[relay][server].interests[stream].channels.remove(&channel);
                    continue;
                }
                FollowerAction::Relink(_) => {
                    self.end_link(relay, stream, 0);
                    continue;
                }
                FollowerAction::FindMarks(request) => Call::FindMarks(request, 0),
                FollowerAction::RenewMark { request, replaces } => Call::RenewMark(request, replaces),
                FollowerAction::ReadStream { request, from } => {
                    Call::ReadStream { request, next: from, info: None, entries: Vec::new(), lagging: 0 }
                }
                FollowerAction::ReadChannel { request, channel, from } => Call::ReadChannel {
                    request,
                    channel,
                    from: from.max(1),
                    found: Vec::new(),
                    step: Step::First,
                },
                FollowerAction::ReadMessage { request, sequence } => Call::ReadMessage(request, sequence),
                FollowerAction::ReadInfo(request) => Call::ReadInfo(request),
                FollowerAction::HastenMark => {
                    let one = &mut self.relays[relay].streams[stream];
                    one.mark_due = one.mark_due.min(one.mark_at + MIN_MARK_MS);
                    continue;
                }
                FollowerAction::Deliver(..)
                | FollowerAction::Answer(..)
                | FollowerAction::End(_)
                | FollowerAction::Reset(_)
                | FollowerAction::Proven(_) => continue,
            };
            self.ask(run, stream, server, call);
        }
    }

    /// Handles the answer to a request of the present link.
    pub(super) fn told(&mut self, origin: Origin, told: Told) {
        let Origin { run: (relay, _), stream, .. } = origin;
        if self.relays[relay].streams[stream].link_number != origin.link {
            return;
        }
        match told {
            Told::Next(call) => self.ask(origin.run, stream, origin.server, call),
            Told::Failed => match self.relays[relay].streams[stream].link.as_ref().map(|link| link.is_linked)
            {
                Some(true) => self.end_link(relay, stream, 0),
                Some(false) => self.link_failed(relay, stream),
                None => self.searched(origin, None),
            },
            Told::Leader(server, term) => self.searched(origin, Some((server, term))),
            Told::Chosen => self.choose(origin),
            Told::Linked(info) if info.leader.server != origin.server.to_string() => {
                self.link_failed(relay, stream)
            }
            Told::Linked(info) => self.linked(relay, stream, info.leader),
            Told::Marks(request, marks) => {
                self.act(relay, stream, |follower, hub, now| follower.marks_found(hub, request, marks, now));
            }
            Told::Stream(request, entries, info) => self.act(relay, stream, |follower, hub, now| {
                follower.stream_read(hub, request, entries, &info, now);
            }),
            Told::Channel(request, channel, publications, info) => {
                self.act(relay, stream, |follower, hub, now| {
                    follower.channel_read(hub, request, channel, publications, &info, now);
                })
            }
            Told::Message(request, sequence, entry) => self.act(relay, stream, |follower, hub, _| {
                follower.message_read(hub, request, sequence, entry.and_then(|entry| entry.time()));
            }),
            Told::Info(request, info) => {
                self.act(relay, stream, |follower, hub, now| {
                    follower.info_received(hub, request, &info, now)
                });
            }
        }
    }

    /// Subscribes at the leader to marks and to the followed channels.
    fn listen(&mut self, origin: Origin, server: usize) {
        let Origin { run: (relay, _), stream, .. } = origin;
        if !self.wires[relay][server].is_open {
            return self.link_failed(relay, stream);
        }
        let generation = self.wires[relay][server].generation;
        let one = &mut self.relays[relay].streams[stream];
        // Later answers of the search are ignored.
        one.link_number += 1;
        let channels: Vec<_> = one.follower.channels().collect();
        one.link = Some(Link {
            server,
            generation,
            watched: channels.iter().copied().collect(),
            is_linked: false,
            early: Vec::new(),
        });
        self.ask(origin.run, stream, server, Call::Link(channels));
    }

    fn linked(&mut self, relay: usize, stream: usize, leader: Leader) {
        let now_ms = self.now_ms;
        let one = &mut self.relays[relay].streams[stream];
        (one.pause_ms, one.known_epoch, one.mark_due) = (FIRST_PAUSE_MS, 0, now_ms);
        let Some(link) = &mut one.link else { return };
        link.is_linked = true;
        let early = std::mem::take(&mut link.early);
        self.act(relay, stream, |follower, _, now| follower.linked(leader, now));
        early.into_iter().for_each(|live| self.take_live(relay, stream, live));
    }

    /// Handles a message that arrives at a relay.
    pub(super) fn live(&mut self, origin: Origin, live: Live) {
        let Origin { run: (relay, _), stream, .. } = origin;
        let one = &mut self.relays[relay].streams[stream];
        let Some(link) = one.link.as_mut().filter(|_| one.link_number == origin.link) else { return };
        if link.generation != self.wires[relay][link.server].generation {
            return;
        }
        if link.is_linked {
            self.take_live(relay, stream, live);
        } else {
            link.early.push(live);
        }
    }

    fn take_live(&mut self, relay: usize, stream: usize, live: Live) {
        if matches!(live, Live::Mark(..)) {
            let one = &mut self.relays[relay].streams[stream];
            (one.mark_due, one.mark_at) = (self.now_ms + MARK_MS + one.mark_spread, self.now_ms);
        }
        self.act(relay, stream, |follower, hub, now| match live {
            Live::Publication(publication, previous) => {
                follower.publication_arrived(hub, publication, previous, now)
            }
            Live::Mark(mark, previous) => follower.mark_arrived(mark, previous),
        });
    }

    /// Advances the followers of a relay, and writes marks that are due.
    pub(super) fn tick(&mut self, relay: usize) {
        for stream in 0..self.relays[relay].streams.len() {
            let is_linked =
                self.relays[relay].streams[stream].link.as_ref().is_some_and(|link| link.is_linked);
            if !is_linked {
                continue;
            }
            let last = self.act(relay, stream, |follower, hub, now| {
                follower.tick(hub, now);
                follower.last_mark()
            });
            let Some((epoch, sequence)) = last else { continue };
            let one = &mut self.relays[relay].streams[stream];
            let Some(server) = one.link.as_ref().map(|link| link.server) else { continue };
            if one.known_epoch != epoch {
                one.known_epoch = epoch;
                one.leader = Some((server, epoch));
                self.publish_waiting(relay, stream);
            }
            self.write_mark_if_due(relay, stream, (server, epoch, sequence));
        }
    }

    fn write_mark_if_due(&mut self, relay: usize, stream: usize, (server, epoch, last): (usize, u64, u64)) {
        let one = &mut self.relays[relay].streams[stream];
        if self.now_ms < one.mark_due {
            return;
        }
        (one.mark_due, one.mark_at) = (self.now_ms + MARK_MS, self.now_ms);
        let message = self.mark(relay, epoch);
        let one = &self.relays[relay].streams[stream];
        let generation = self.wires[relay][server].generation;
        let run = (relay, self.relays[relay].life);
        let origin = Origin { run, stream, link: one.link_number, server, generation, sent_at: self.now_ms };
        let delay = 1 + self.random.below(self.conditions.wire_ms);
        if let Some(at) = self.wires[relay][server].send(self.now_ms, delay, Way::ToServer) {
            self.queue.at(at, Event::Propose { origin, attempt: None, message, expected: Some(last) });
        }
    }

    /// Returns a mark that a relay writes now.
    pub(super) fn mark(&self, relay: usize, epoch: u64) -> Rc<Message> {
        Rc::new(Message {
            subject: Subject::Mark(epoch),
            time: self.relay_now(relay).wall.0,
            stored_at: Cell::new(0),
            id: None,
            sealed: Bytes::new(),
            instance: Cell::new(None),
        })
    }
}
