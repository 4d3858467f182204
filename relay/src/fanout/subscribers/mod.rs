//! The subscribers of each channel, and the delivery to them. No I/O: a sink is any value that stands for the receiving
//! end of one session.

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
    state: SubscriberState,
}

enum SubscriberState {
    /// The broker has not returned the replay yet. Publications wait here until it does.
    #[expect(
        clippy::box_collection,
        reason = "nearly all subscribers are live, so the other variant should not make the enum larger"
    )]
    AwaitingReplay(Box<Vec<Arc<Publication>>>),
    /// Every publication up to this offset was handed to the sink.
    Live { offset: u64 },
    /// The relay cannot prove any more that the subscriber misses nothing. Its session ends the subscription.
    Lost,
}

/// The result of a delivery to some of a channel's subscribers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Visited {
    /// The number of visited subscribers.
    pub count: usize,
    /// The last visited subscriber, if more follow.
    pub last: Option<SessionId>,
}

/// The publications that a new subscriber receives before live ones: first `replay`, then `later`.
pub struct CatchUp<'a> {
    /// The subscription's event filter.
    pub events: &'a EventFilter,
    /// The replay, not filtered yet.
    pub replay: &'a History,
    /// The publications since the replay, filtered.
    pub later: Vec<&'a Arc<Publication>>,
}

impl CatchUp<'_> {
    /// Iterates over all publications that the filter accepts.
    pub fn publications(&self) -> impl Iterator<Item = &Arc<Publication>> {
        let is_accepted = |publication: &&Arc<Publication>| self.events.accepts(publication.event());
        self.replay.iter().filter(is_accepted).chain(self.later.iter().copied())
    }
}

/// The subscribers of all channels, by channel.
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
    /// Adds a subscriber, or resets it if it exists. Publications from now on are kept for it until [`Self::catch_up`].
    pub fn subscribe(&mut self, channel: ChannelId, session: SessionId, sink: S, events: EventFilter) {
        let state = SubscriberState::AwaitingReplay(Box::default());
        let subscriber = Subscriber { session, sink, events, state };
        if self.channels.entry(channel).or_default().insert(subscriber) {
            self.count += 1;
        }
    }

    /// Returns the number of subscriptions, over all channels.
    #[must_use]
    pub fn len(&self) -> usize {
        self.count
    }

    /// Returns the number of subscriptions to a channel.
    #[must_use]
    pub fn len_of(&self, channel: ChannelId) -> usize {
        self.channels.get(&channel).map_or(0, Blocks::len)
    }

    /// Visits up to `max` channels from number `first` on with their number of subscriptions, in an order that lasts until
    /// the next change. Returns the number of all channels.
    pub fn visit_channels(&self, first: usize, max: usize, mut visit: impl FnMut(ChannelId, usize)) -> usize {
        let some = self.channels.iter().skip(first).take(max);
        some.for_each(|(channel, subscribers)| visit(*channel, subscribers.len()));
        self.channels.len()
    }

    /// Returns whether there are no subscriptions.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Hands a subscriber its replay and the publications since it was added. From then on the subscriber is live. Returns
    /// true instead if [`Self::lose`] ended the delivery to it meanwhile.
    pub fn catch_up(
        &mut self,
        channel: ChannelId,
        session: SessionId,
        replay: &Replay,
        push: impl FnOnce(&S, CatchUp<'_>),
    ) -> bool {
        let subscriber = self.channels.get_mut(&channel).and_then(|all| all.find(session));
        let Some(Subscriber { sink, events, state, .. }) = subscriber else { return false };
        let SubscriberState::AwaitingReplay(waiting) = state else {
            return matches!(state, SubscriberState::Lost);
        };
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
        push(sink, CatchUp { events, replay: &replay.publications, later });
        *state = SubscriberState::Live { offset };
        false
    }

    /// Ends the delivery to all present subscribers of a channel, and calls `visit` for each.
    pub fn lose(&mut self, channel: ChannelId, mut visit: impl FnMut(&S)) {
        let Some(subscribers) = self.channels.get_mut(&channel) else { return };
        subscribers.visit(None, usize::MAX, |some| {
            for subscriber in some {
                subscriber.state = SubscriberState::Lost;
                visit(&subscriber.sink);
            }
        });
    }

    /// Returns whether [`Self::lose`] ended the delivery to a subscriber.
    pub fn is_lost(&mut self, channel: ChannelId, session: SessionId) -> bool {
        let subscriber = self.channels.get_mut(&channel).and_then(|all| all.find(session));
        matches!(subscriber, Some(Subscriber { state: SubscriberState::Lost, .. }))
    }

    /// Removes a subscriber.
    pub fn unsubscribe(&mut self, channel: ChannelId, session: SessionId) {
        let Some(subscribers) = self.channels.get_mut(&channel) else { return };
        if subscribers.remove(session) {
            self.count -= 1;
        }
        if subscribers.is_empty() {
            self.channels.remove(&channel);
        }
    }

    /// Delivers a publication to all subscribers of its channel whose filters accept it.
    pub fn deliver(&mut self, publication: &Arc<Publication>, mut push: impl FnMut(&S, &Publication)) {
        let publications = std::slice::from_ref(publication).iter();
        self.deliver_to_some(publication.channel(), publications, None, usize::MAX, &mut push);
    }

    /// Delivers publications of a channel to up to `max` subscribers after `after`, as their filters accept them.
    ///
    /// Subscribers may be added and removed between two calls: a new one has the earlier publications in its replay.
    pub fn deliver_to_some<'a>(
        &mut self,
        channel: ChannelId,
        publications: impl ExactSizeIterator<Item = &'a Arc<Publication>> + Clone,
        after: Option<SessionId>,
        max: usize,
        push: &mut impl FnMut(&S, &Publication),
    ) -> Visited {
        let Some(subscribers) = self.channels.get_mut(&channel) else { return Visited::default() };
        let mut count = 0;
        let is_one = publications.len() == 1;
        let last = subscribers.visit(after, max, |some| {
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
        match &mut self.state {
            SubscriberState::AwaitingReplay(waiting) => waiting.push(publication.clone()),
            SubscriberState::Live { offset } if publication.offset() > *offset => {
                *offset = publication.offset();
                if self.events.accepts(publication.event()) {
                    push(&self.sink, publication);
                }
            }
            // The publication was part of the replay, or the subscription is about to end.
            SubscriberState::Live { .. } | SubscriberState::Lost => {}
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
