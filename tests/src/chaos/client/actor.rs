//! The package's client core on real WebSockets, driven as a page drives it, with a record of everything that it reports.

use super::{
    payload,
    socket::{Input, Socket},
    surroundings::Surroundings,
};
use crate::chaos::{
    history::{Place, Seen},
    random::Random,
    tenant::now_ms,
};
use sealwire_client::{
    ChannelSpec, Client, Config, ConnectionId, Draft, Event, Instant, Notice, Now, PublishId, State,
    SubscriptionId, Transmit,
};
use sealwire_protocol::{UnixMillis, wire::Position};
use std::{collections::BTreeMap, time::Instant as StdInstant};
use tokio::{
    sync::mpsc,
    time::{Duration, sleep_until},
};

/// The maximum number of publications of one client that wait for their acknowledgement.
const MAX_PENDING: usize = 64;

/// A client that subscribes, publishes, or both. It runs until the sender of its publications is dropped.
pub(in crate::chaos) struct ChaosClient {
    index: usize,
    tenant: usize,
    around: Surroundings,
    core: Client,
    random: Random,
    start: StdInstant,
    feed: mpsc::UnboundedSender<Input>,
    inputs: mpsc::UnboundedReceiver<Input>,
    socket: Option<(ConnectionId, Socket)>,
    /// The record of each subscription.
    subscriptions: BTreeMap<SubscriptionId, usize>,
    /// The number of each message without an answer.
    pending: BTreeMap<PublishId, usize>,
    was_connected: bool,
}

impl ChaosClient {
    pub(in crate::chaos) fn new(
        index: usize,
        tenant: usize,
        around: Surroundings,
        mut random: Random,
    ) -> Self {
        let (feed, inputs) = mpsc::unbounded_channel();
        Self {
            index,
            tenant,
            around,
            core: Client::new(Config::default(), Box::new(random.fork())),
            random,
            start: StdInstant::now(),
            feed,
            inputs,
            socket: None,
            subscriptions: BTreeMap::new(),
            pending: BTreeMap::new(),
            was_connected: false,
        }
    }

    /// Subscribes to channels, and publishes to the channels that arrive in `publishes` until its sender is dropped.
    pub(in crate::chaos) async fn run(mut self, channels: Vec<usize>, mut publishes: mpsc::Receiver<usize>) {
        for channel in channels {
            let record = self.around.recorder.subscribe(self.index, channel);
            let subscription = self.core.subscribe(self.now(), self.spec(channel), None);
            self.subscriptions.insert(subscription, record);
        }
        loop {
            self.drain();
            let due_at = self.core.poll_timeout().map(|at| self.start + Duration::from_millis(at.0));
            let due = async {
                match due_at {
                    Some(at) => sleep_until(at.into()).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                Some(input) = self.inputs.recv() => self.handle(input),
                channel = publishes.recv(), if self.pending.len() < MAX_PENDING => match channel {
                    Some(channel) => self.publish(channel),
                    None => return,
                },
                () = due => self.core.handle_timeout(self.now()),
            }
        }
    }

    fn now(&self) -> Now {
        let elapsed = u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX);
        Now { instant: Instant(elapsed), unix: UnixMillis(now_ms()) }
    }

    fn spec(&self, channel: usize) -> ChannelSpec {
        ChannelSpec { name: self.around.channels[channel].name.clone(), scope: None, token: None }
    }

    fn handle(&mut self, input: Input) {
        let now = self.now();
        match input {
            Input::Opened(connection) => self.core.handle_opened(now, connection),
            Input::Frame(connection, frame) => self.core.handle_frame(now, connection, Some(frame)),
            Input::Closed(connection, code) => {
                self.socket.take_if(|(current, _)| *current == connection);
                self.core.handle_closed(now, connection, code);
            }
        }
    }

    fn publish(&mut self, channel: usize) {
        let message = self.around.recorder.publish(self.index, channel);
        let payload = payload::write(message, &mut self.random);
        let draft = Draft {
            spec: self.spec(channel),
            event: String::new(),
            payload,
            id: None,
            timeout_ms: None,
            signed: false,
        };
        let publish = self.core.publish_draft(self.now(), draft);
        self.pending.insert(publish, message);
    }

    fn drain(&mut self) {
        loop {
            if let Some(transmit) = self.core.poll_transmit() {
                self.transmit(transmit);
            } else if let Some(event) = self.core.poll_event() {
                self.record(event);
            } else {
                return;
            }
        }
    }

    fn transmit(&mut self, transmit: Transmit) {
        match transmit {
            Transmit::Connect { connection, .. } => {
                let port = self.around.balancer.port();
                self.socket = Some((connection, Socket::open(connection, port, self.feed.clone())));
            }
            Transmit::Send { bytes, .. } => {
                if let Some((_, socket)) = &self.socket {
                    socket.send(bytes.into());
                }
            }
            Transmit::Disconnect { .. } => self.socket = None,
        }
    }

    fn record(&mut self, event: Event) {
        match event {
            Event::SessionRequested { fetch, .. } => {
                let grant = self.around.tenants[self.tenant].grant(&format!("account-{}", self.index));
                self.core.handle_session(self.now(), fetch, grant);
            }
            Event::SubscribeDone { subscription, result } => {
                let refused = |error| Seen::Broken(format!("the subscribe failed: {error:?}"));
                self.see(&[subscription], &result.map_or_else(refused, |()| Seen::Confirmed));
            }
            Event::Message { subscriptions, message } => {
                let seen = match payload::read(&message.payload) {
                    Some(number) => Seen::Message { message: number, place: place(message.position) },
                    None => Seen::Broken("a payload that nobody published".into()),
                };
                self.see(&subscriptions, &seen);
            }
            Event::Notice { subscriptions, notice } => {
                let seen = match notice {
                    Notice::Gap(gap) => Seen::Gap { from: gap.from.map(place), to: place(gap.to) },
                    Notice::Resumed { .. } => return,
                    Notice::Error(error) => Seen::Broken(format!("an unreadable message: {error:?}")),
                    Notice::Ended(error) => Seen::Broken(format!("the subscription ended: {error:?}")),
                };
                self.see(&subscriptions, &seen);
            }
            Event::PublishDone { publish, result } => {
                if let Some(message) = self.pending.remove(&publish) {
                    let place = result.ok().map(|receipt| place(receipt.position));
                    self.around.recorder.published(message, place);
                }
            }
            Event::State { state: State::Connected, .. } => self.connected(),
            _ => {}
        }
    }

    fn connected(&mut self) {
        if std::mem::replace(&mut self.was_connected, true) {
            self.around.recorder.history().reconnects += 1;
        }
    }

    fn see(&self, subscriptions: &[SubscriptionId], seen: &Seen) {
        for record in subscriptions.iter().filter_map(|subscription| self.subscriptions.get(subscription)) {
            self.around.recorder.see(*record, seen.clone());
        }
    }
}

fn place(position: Position) -> Place {
    Place { epoch: position.epoch, offset: position.offset }
}
