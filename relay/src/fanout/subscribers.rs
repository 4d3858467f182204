//! Who gets the publications of a channel. No I/O: an outlet is whatever takes a publication for one connection.

use crate::{
    hub::{Publication, Replay},
    session::EventFilter,
};
use sealwire_protocol::ChannelId;
use std::{collections::HashMap, sync::Arc};

/// Names a connection of this relay; grows, so that the subscribers of a channel stay sorted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnectionId(pub u64);

struct Subscriber<O> {
    connection: ConnectionId,
    outlet: O,
    events: EventFilter,
    stage: Stage,
}

enum Stage {
    /// The replay has not come yet; what is published meanwhile waits.
    #[expect(
        clippy::box_collection,
        reason = "nearly all subscribers are live, and theirs is the size that counts"
    )]
    AwaitingReplay(Box<Vec<Arc<Publication>>>),
    /// Everything up to this offset was handed to the outlet.
    Live { offset: u64 },
}

/// The subscribers of channels, by channel.
pub struct Subscribers<O> {
    channels: HashMap<ChannelId, Vec<Subscriber<O>>>,
    count: usize,
}

impl<O> Default for Subscribers<O> {
    fn default() -> Self {
        Self { channels: HashMap::new(), count: 0 }
    }
}

impl<O> Subscribers<O> {
    /// Adds a subscriber, or starts it anew. From here on it misses nothing.
    pub fn join(&mut self, channel: ChannelId, connection: ConnectionId, outlet: O, events: EventFilter) {
        let subscribers = self.channels.entry(channel).or_default();
        let subscriber =
            Subscriber { connection, outlet, events, stage: Stage::AwaitingReplay(Box::default()) };
        match subscribers.binary_search_by_key(&connection, |subscriber| subscriber.connection) {
            Ok(index) => subscribers[index] = subscriber,
            Err(index) => {
                subscribers.insert(index, subscriber);
                self.count += 1;
            }
        }
    }

    /// Subscriptions, over all channels.
    #[must_use]
    pub fn len(&self) -> usize {
        self.count
    }

    /// Whether nobody subscribes to anything.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Hands out the replay and what was published since the subscriber joined; from here on it is live.
    pub fn open(
        &mut self,
        channel: ChannelId,
        connection: ConnectionId,
        replay: &Replay,
        outlet: impl FnOnce(&O, &[&Publication]),
    ) {
        let Some(subscriber) = self.find(channel, connection) else { return };
        let Stage::AwaitingReplay(waiting) = &mut subscriber.stage else { return };
        let waiting = std::mem::take(waiting);
        let mut offset = replay.position.offset;
        let mut wanted = Vec::with_capacity(replay.publications.len() + waiting.len());
        for publication in replay.publications.iter().chain(waiting.iter()).map(Arc::as_ref) {
            if publication.offset() > offset {
                offset = publication.offset();
                if subscriber.events.accepts(publication.event()) {
                    wanted.push(publication);
                }
            }
        }
        outlet(&subscriber.outlet, &wanted);
        subscriber.stage = Stage::Live { offset };
    }

    /// Removes a subscriber.
    pub fn leave(&mut self, channel: ChannelId, connection: ConnectionId) {
        let Some(subscribers) = self.channels.get_mut(&channel) else { return };
        if let Ok(index) = subscribers.binary_search_by_key(&connection, |subscriber| subscriber.connection) {
            subscribers.remove(index);
            self.count -= 1;
        }
        if subscribers.is_empty() {
            self.channels.remove(&channel);
        }
    }

    /// Hands a publication to everyone who wants it.
    pub fn deliver(&mut self, publication: &Arc<Publication>, mut outlet: impl FnMut(&O, &Publication)) {
        let Some(subscribers) = self.channels.get_mut(&publication.channel()) else { return };
        for subscriber in subscribers {
            match &mut subscriber.stage {
                Stage::AwaitingReplay(waiting) => waiting.push(publication.clone()),
                Stage::Live { offset } if publication.offset() > *offset => {
                    *offset = publication.offset();
                    if subscriber.events.accepts(publication.event()) {
                        outlet(&subscriber.outlet, publication);
                    }
                }
                // It was part of the replay.
                Stage::Live { .. } => {}
            }
        }
    }

    fn find(&mut self, channel: ChannelId, connection: ConnectionId) -> Option<&mut Subscriber<O>> {
        let subscribers = self.channels.get_mut(&channel)?;
        let index = subscribers.binary_search_by_key(&connection, |subscriber| subscriber.connection).ok()?;
        subscribers.get_mut(index)
    }
}

#[cfg(test)]
mod tests;
