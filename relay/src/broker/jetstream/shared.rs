//! The state of one stream that its driver and the connections of clients share.

use super::{
    driver::StreamApi,
    follower::{Follower, FollowerAction, Mark, Ticket},
};
use crate::{
    clock::Now,
    critical_task,
    fanout::{Deliveries, Wave},
    hub::{Hub, Replay},
    tenant::Tenant,
};
use sealwire_protocol::{
    ChannelId, UnixMillis,
    wire::{Position, Since},
};
use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex},
};
use tokio::sync::{mpsc, oneshot, watch};

/// The effects of a stream on the relay's clients.
pub(crate) trait ClientEffects: Send + Sync {
    /// Ends every subscription of these channels. Their clients subscribe again.
    fn end_subscriptions(&self, channels: Vec<ChannelId>);

    /// Sets the newest marks up to which everything is queued at the clients, one for each stream that has one.
    fn set_marks(&self, marks: Vec<Position>);
}

/// One stream at this relay.
pub(super) struct SharedStream {
    state: Mutex<StreamState>,
    hub: Arc<Mutex<Hub>>,
    deliveries: Deliveries,
    effects: Arc<dyn ClientEffects>,
    actions: mpsc::UnboundedSender<FollowerAction>,
    /// The connection to the stream's leader.
    leader: watch::Sender<Option<StreamApi>>,
}

struct StreamState {
    follower: Follower,
    answers: HashMap<Ticket, oneshot::Sender<Replay>>,
    last_ticket: Ticket,
    waves: Waves,
}

/// The deliveries before each proven mark. A mark is sent to clients once they are queued.
#[derive(Default)]
struct Waves {
    current: Arc<Wave>,
    earlier: VecDeque<(Mark, std::sync::Weak<Wave>)>,
    delivered: Option<Mark>,
}

/// The maximum number of marks that wait for their deliveries. More than that are as good as none.
const MAX_WAVES: usize = 64;

impl Waves {
    fn close(&mut self, mark: Mark) {
        if self.earlier.len() == MAX_WAVES {
            self.earlier.pop_back();
        }
        let closed = std::mem::take(&mut self.current);
        self.earlier.push_back((mark, Arc::downgrade(&closed)));
    }

    /// Returns the newest mark before which every delivery is queued at its subscribers.
    fn delivered(&mut self) -> Option<Mark> {
        while let Some((mark, wave)) = self.earlier.front()
            && wave.strong_count() == 0
        {
            self.delivered = Some(*mark);
            self.earlier.pop_front();
        }
        self.delivered
    }

    fn clear(&mut self) {
        *self = Self::default();
    }
}

/// A subscription that waits for its answer. Dropping it removes the subscription.
pub(super) struct PendingJoin {
    stream: Arc<SharedStream>,
    channel: ChannelId,
    ticket: Ticket,
    answer: oneshot::Receiver<Replay>,
    is_answered: bool,
}

impl PendingJoin {
    pub(super) async fn answer(mut self) -> Option<Replay> {
        let replay = (&mut self.answer).await.ok();
        self.is_answered = replay.is_some();
        replay
    }
}

impl Drop for PendingJoin {
    fn drop(&mut self) {
        if self.is_answered {
            return;
        }
        let Self { stream, channel, ticket, answer, .. } = self;
        stream.act(|state, _| {
            state.answers.remove(ticket);
            // Answers are sent under the same lock. One that was not taken is a subscription too.
            match answer.try_recv() {
                Ok(_) => state.follower.unsubscribe(*channel, Now::read()),
                Err(_) => state.follower.cancel(*ticket, *channel, Now::read()),
            }
        });
    }
}

impl SharedStream {
    pub(super) fn new(
        hub: Arc<Mutex<Hub>>,
        deliveries: Deliveries,
        effects: Arc<dyn ClientEffects>,
    ) -> (Arc<Self>, mpsc::UnboundedReceiver<FollowerAction>) {
        let (actions, receiver) = mpsc::unbounded_channel();
        let state = StreamState {
            follower: Follower::default(),
            answers: HashMap::new(),
            last_ticket: 0,
            waves: Waves::default(),
        };
        let (leader, _) = watch::channel(None);
        (Arc::new(Self { state: Mutex::new(state), hub, deliveries, effects, actions, leader }), receiver)
    }

    /// Calls the follower and performs its actions in order, under one lock: a subscription's answer and the deliveries
    /// after it do not overtake each other.
    fn act<T>(&self, call: impl FnOnce(&mut StreamState, &mut Hub) -> T) -> T {
        let mut state = critical_task::unpoisoned(self.state.lock());
        let mut hub = critical_task::unpoisoned(self.hub.lock());
        let result = call(&mut state, &mut hub);
        drop(hub);
        let mut ended = Vec::new();
        while let Some(action) = state.follower.poll_action() {
            match action {
                FollowerAction::Deliver(tenant, publication) => {
                    let wave = state.waves.current.clone();
                    self.deliveries.deliver_followed(publication, tenant, wave);
                }
                FollowerAction::Answer(ticket, replay) => {
                    if let Some(answer) = state.answers.remove(&ticket) {
                        // A receiver that is gone takes its subscription back itself.
                        let _ = answer.send(replay);
                    }
                }
                FollowerAction::End(channels) => {
                    state.waves.clear();
                    ended.extend(channels);
                }
                FollowerAction::Proven(mark) => state.waves.close(mark),
                action => {
                    // The driver ends only with the relay.
                    let _ = self.actions.send(action);
                }
            }
        }
        if !ended.is_empty() {
            self.effects.end_subscriptions(ended);
        }
        result
    }

    /// Calls the follower; see [`Self::act`].
    pub(super) fn with<T>(&self, call: impl FnOnce(&mut Follower, &mut Hub) -> T) -> T {
        self.act(|state, hub| call(&mut state.follower, hub))
    }

    pub(super) fn subscribe(
        self: &Arc<Self>,
        tenant: Tenant,
        channel: ChannelId,
        since: Option<Since>,
    ) -> PendingJoin {
        let (sender, answer) = oneshot::channel();
        let ticket = self.act(|state, hub| {
            state.last_ticket += 1;
            let ticket = state.last_ticket;
            state.answers.insert(ticket, sender);
            state.follower.subscribe(hub, ticket, tenant, channel, since, Now::read());
            ticket
        });
        PendingJoin { stream: self.clone(), channel, ticket, answer, is_answered: false }
    }

    pub(super) fn unsubscribe(&self, channel: ChannelId) {
        self.act(|state, _| state.follower.unsubscribe(channel, Now::read()));
    }

    /// Records an acknowledged publication; see [`Follower::acknowledged`]. Returns the epoch of the stream's contents.
    pub(super) fn acknowledged(&self, sequence: u64, time: UnixMillis) -> u64 {
        self.with(|follower, _| follower.acknowledged(sequence, time))
    }

    /// Returns the newest mark before which every delivery is queued at its subscribers.
    pub(super) fn delivered_mark(&self) -> Option<Mark> {
        critical_task::unpoisoned(self.state.lock()).waves.delivered()
    }

    pub(super) fn set_leader(&self, leader: Option<StreamApi>) {
        self.leader.send_replace(leader);
    }

    /// Returns the connection to the leader, once it is known.
    pub(super) fn leader(&self) -> watch::Receiver<Option<StreamApi>> {
        self.leader.subscribe()
    }
}
