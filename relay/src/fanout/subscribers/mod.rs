//! Who gets the publications of a channel. No I/O: a sink is any value that stands for the
//! receiving end of one session.

mod blocks;

use crate::{
    hub::{History, Publication, Replay},
    session::EventFilter,
    session_id::SessionId,
};
use blocks::Blocks;
use sealwire_protocol::ChannelId;
use std::{collections::HashMap, sync::Arc};

struct Subscriber<S> {
    session: SessionId,
    sink: S,
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
    /// Everything up to this offset was handed to the sink.
    Live { offset: u64 },
}

/// Some of a channel's subscribers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Visited {
    /// The number of these subscribers.
    pub count: usize,
    /// The last of them, where there are more.
    pub last: Option<SessionId>,
}

/// The publications that a subscriber starts with, in this order.
pub struct Opening<'a> {
    /// The subscription's events.
    pub events: &'a EventFilter,
    /// The replay, with events that the subscription does not want.
    pub replay: &'a History,
    /// The publications since the replay that the subscription wants.
    pub later: Vec<&'a Arc<Publication>>,
}

impl Opening<'_> {
    /// All that the subscription wants.
    pub fn publications(&self) -> impl Iterator<Item = &Arc<Publication>> {
        let is_wanted = |publication: &&Arc<Publication>| self.events.accepts(publication.event());
        self.replay.iter().filter(is_wanted).chain(self.later.iter().copied())
    }
}

/// The subscribers of channels, by channel.
pub struct Subscribers<S> {
    channels: HashMap<ChannelId, Blocks<Subscriber<S>>>,
    count: usize,
}

impl<S> Default for Subscribers<S> {
    fn default() -> Self {
        Self { channels: HashMap::new(), count: 0 }
    }
}

impl<S> Subscribers<S> {
    /// Adds a subscriber, or starts it anew. From here on it misses nothing.
    pub fn join(&mut self, channel: ChannelId, session: SessionId, sink: S, events: EventFilter) {
        let stage = Stage::AwaitingReplay(Box::default());
        let subscriber = Subscriber { session, sink, events, stage };
        if self.channels.entry(channel).or_default().insert(subscriber) {
            self.count += 1;
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
        session: SessionId,
        replay: &Replay,
        push: impl FnOnce(&S, Opening<'_>),
    ) {
        let subscriber = self.channels.get_mut(&channel).and_then(|all| all.find(session));
        let Some(Subscriber { sink, events, stage, .. }) = subscriber else { return };
        let Stage::AwaitingReplay(waiting) = stage else { return };
        let waiting = std::mem::take(waiting);
        let replayed = replay.publications.last().map_or(0, |last| last.offset());
        let mut offset = replayed.max(replay.position.offset);
        let mut later = Vec::new();
        for publication in waiting.iter() {
            if publication.offset() > offset {
                offset = publication.offset();
                if events.accepts(publication.event()) {
                    later.push(publication);
                }
            }
        }
        push(sink, Opening { events, replay: &replay.publications, later });
        *stage = Stage::Live { offset };
    }

    /// Removes a subscriber.
    pub fn leave(&mut self, channel: ChannelId, session: SessionId) {
        let Some(subscribers) = self.channels.get_mut(&channel) else { return };
        if subscribers.remove(session) {
            self.count -= 1;
        }
        if subscribers.is_empty() {
            self.channels.remove(&channel);
        }
    }

    /// Hands a publication to everyone who wants it.
    pub fn deliver(&mut self, publication: &Arc<Publication>, mut push: impl FnMut(&S, &Publication)) {
        let publications = std::slice::from_ref(publication).iter();
        self.deliver_to_some(publication.channel(), publications, None, usize::MAX, &mut push);
    }

    /// Hands publications of a channel to those subscribers who want them, of the next `most` subscribers behind
    /// `after`.
    ///
    /// Subscribers may come and go between two calls: the replay of a new one has everything that was published before.
    pub fn deliver_to_some<'a>(
        &mut self,
        channel: ChannelId,
        publications: impl ExactSizeIterator<Item = &'a Arc<Publication>> + Clone,
        after: Option<SessionId>,
        most: usize,
        push: &mut impl FnMut(&S, &Publication),
    ) -> Visited {
        let Some(subscribers) = self.channels.get_mut(&channel) else { return Visited::default() };
        let mut count = 0;
        let is_one = publications.len() == 1;
        let last = subscribers.visit(after, most, |some| {
            count += some.len();
            match publications.clone().next() {
                Some(only) if is_one => some.iter_mut().for_each(|subscriber| subscriber.take(only, push)),
                _ => some.iter_mut().for_each(|subscriber| {
                    publications.clone().for_each(|publication| subscriber.take(publication, push));
                }),
            }
        });
        Visited { count, last }
    }
}

impl<S> Subscriber<S> {
    #[inline]
    fn take(&mut self, publication: &Arc<Publication>, push: &mut impl FnMut(&S, &Publication)) {
        match &mut self.stage {
            Stage::AwaitingReplay(waiting) => waiting.push(publication.clone()),
            Stage::Live { offset } if publication.offset() > *offset => {
                *offset = publication.offset();
                if self.events.accepts(publication.event()) {
                    push(&self.sink, publication);
                }
            }
            // It was part of the replay.
            Stage::Live { .. } => {}
        }
    }
}

impl<S> blocks::Keyed for Subscriber<S> {
    fn key(&self) -> SessionId {
        self.session
    }
}

#[cfg(test)]
mod tests;
