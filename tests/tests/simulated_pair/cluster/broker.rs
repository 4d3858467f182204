//! One stream at a relay: the actions of its follower, and the deliveries to the subscribers.

use super::{events::Event, world::World};
use sealwire_relay::{Follower, FollowerAction, Hub, Now};

impl World {
    /// Calls a follower and performs its actions in order. The requests among them wait for the driver.
    pub(super) fn act<T>(
        &mut self,
        relay: usize,
        stream: usize,
        call: impl FnOnce(&mut Follower, &mut Hub, Now) -> T,
    ) -> T {
        let now = self.relay_now(relay);
        let one = &mut self.relays[relay];
        let result = call(&mut one.streams[stream].follower, &mut one.hub, now);
        while let Some(action) = self.relays[relay].streams[stream].follower.poll_action() {
            self.trace(|| format!("relay {relay}, stream {stream}: {action:?}"));
            self.perform_shared(relay, stream, action);
        }
        self.perform_requests(relay, stream);
        result
    }

    fn perform_shared(&mut self, relay: usize, stream: usize, action: FollowerAction) {
        let run = (relay, self.relays[relay].life);
        match action {
            FollowerAction::Deliver(_, publication) => {
                let (offset, time_ms) = (publication.offset(), publication.time().0);
                self.model.know(run, publication.channel(), offset, time_ms);
                let one = &mut self.relays[relay];
                let wave = one.streams[stream].waves.current.clone();
                one.backlog.push_back((publication, wave));
                one.backlog_until =
                    one.backlog_until.max(self.now_ms + self.random.below(self.conditions.fan_out_ms));
                let at = one.backlog_until;
                self.queue.at(at, Event::FanOut(run));
            }
            FollowerAction::Answer(ticket, replay) => {
                let one = &mut self.relays[relay];
                let Some(connection) = one.streams[stream].answers.remove(&ticket) else { return };
                let session = one.sessions.get_mut(&connection);
                if let Some(pending) = session.and_then(|session| session.pending.as_mut())
                    && pending.ticket == ticket
                {
                    pending.is_answered = true;
                }
                let at = self.now_ms + self.random.below(3);
                let replay = Box::new(replay);
                self.queue.at(at, Event::Answered { run, connection, ticket, replay });
            }
            FollowerAction::End(channels) => {
                let one = &mut self.relays[relay];
                one.streams[stream].waves = Default::default();
                let mut connections = Vec::new();
                for channel in channels {
                    one.subscribers.lose(channel, |(connection, _)| connections.push(*connection));
                }
                for connection in connections {
                    let at = self.now_ms + self.random.below(3);
                    self.queue.at(at, Event::Ended { run, connection });
                }
            }
            FollowerAction::Proven(mark) => self.relays[relay].streams[stream].waves.close(mark),
            action => self.relays[relay].streams[stream].actions.push_back(action),
        }
    }

    /// Hands the oldest publication of the backlog to its subscribers.
    pub(super) fn fan_out(&mut self, relay: usize) {
        let one = &mut self.relays[relay];
        let Some((publication, _wave)) = one.backlog.pop_front() else { return };
        one.subscribers.deliver(&publication, |(connection, outbox), publication| {
            outbox.borrow_mut().push((*connection, Ok(publication.message())));
        });
    }

    /// Renews the marks for clients, and removes expired publications.
    pub(super) fn tend(&mut self, relay: usize) {
        let now = self.relay_now(relay);
        let one = &mut self.relays[relay];
        while one.hub.expire(now.monotonic) {}
        let marks = one.streams.iter_mut().filter_map(|stream| stream.waves.delivered());
        let marks = marks.map(|mark| mark.position()).collect();
        one.marks.set(marks);
    }
}
