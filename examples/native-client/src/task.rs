//! The shell of the client core: a task that gives it a WebSocket, the clocks, randomness and sessions.

use crate::{
    exchange::{Command, Confirmed, Incoming, Sessions},
    socket::{Input, Socket},
};
use sealwire_client::{
    Client, ClientError, Config, ConnectionId, EnterId, Entropy, Event, FetchId, Instant, Notice, Now,
    PublishId, Receipt, SessionReason, SubscriptionId, Transmit,
};
use sealwire_protocol::UnixMillis;
use std::{
    collections::BTreeMap,
    time::{Duration, Instant as StdInstant, SystemTime},
};
use tokio::{
    sync::{mpsc, oneshot},
    time::sleep_until,
};

/// The task that owns the core.
pub(crate) struct Task {
    core: Client,
    start: StdInstant,
    sessions: Sessions,
    feed: mpsc::UnboundedSender<Input>,
    inputs: mpsc::UnboundedReceiver<Input>,
    socket: Option<(ConnectionId, Socket)>,
    subscribing: BTreeMap<SubscriptionId, oneshot::Sender<Result<Confirmed, ClientError>>>,
    publishing: BTreeMap<PublishId, oneshot::Sender<Result<Receipt, ClientError>>>,
    /// The calls to enter or leave a presence.
    entering: BTreeMap<EnterId, oneshot::Sender<Result<(), ClientError>>>,
    subscriptions: BTreeMap<SubscriptionId, mpsc::UnboundedSender<Incoming>>,
}

impl Task {
    pub(crate) fn new(sessions: Sessions) -> Self {
        let (feed, inputs) = mpsc::unbounded_channel();
        Self {
            core: Client::new(Config::default(), Box::new(SystemEntropy)),
            start: StdInstant::now(),
            sessions,
            feed,
            inputs,
            socket: None,
            subscribing: BTreeMap::new(),
            publishing: BTreeMap::new(),
            entering: BTreeMap::new(),
            subscriptions: BTreeMap::new(),
        }
    }

    /// Runs until the last handle is dropped.
    pub(crate) async fn run(mut self, mut commands: mpsc::UnboundedReceiver<Command>) {
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
                command = commands.recv() => match command {
                    Some(command) => self.obey(command),
                    None => break,
                },
                Some(input) = self.inputs.recv() => self.handle(input),
                () = due => self.core.handle_timeout(self.now()),
            }
        }
        self.core.close();
        self.drain();
    }

    /// Reads both clocks.
    fn now(&self) -> Now {
        let unix = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        Now { instant: Instant(millis(self.start.elapsed())), unix: UnixMillis(millis(unix)) }
    }

    fn obey(&mut self, command: Command) {
        let now = self.now();
        match command {
            Command::Subscribe { channel, replay_seconds, answer } => {
                let id = self.core.subscribe(now, channel, replay_seconds);
                self.subscribing.insert(id, answer);
            }
            Command::Watch { channel, answer } => {
                let id = self.core.subscribe_presence(now, channel, None, None);
                self.subscribing.insert(id, answer);
            }
            Command::Enter { presence, data, answer } => {
                let id = self.core.enter(now, presence, data, false);
                self.entering.insert(id, answer);
            }
            Command::Leave { presence, answer } => {
                let id = self.core.leave(now, presence);
                self.entering.insert(id, answer);
            }
            Command::Unsubscribe(id) => {
                self.subscriptions.remove(&id);
                self.core.unsubscribe(now, id);
            }
            Command::Publish { channel, payload, answer } => {
                let id = self.core.publish(now, channel, String::new(), payload);
                self.publishing.insert(id, answer);
            }
        }
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
            Input::Session(fetch, Ok(grant)) => self.core.handle_session(now, fetch, grant),
            Input::Session(fetch, Err(error)) => self.core.handle_session_failed(now, fetch, error),
        }
    }

    /// Performs everything that the core asks for.
    fn drain(&mut self) {
        loop {
            if let Some(transmit) = self.core.poll_transmit() {
                self.transmit(transmit);
            } else if let Some(event) = self.core.poll_event() {
                self.report(event);
            } else {
                return;
            }
        }
    }

    fn transmit(&mut self, transmit: Transmit) {
        match transmit {
            Transmit::Connect { connection, url } => {
                self.socket = Some((connection, Socket::open(connection, url, self.feed.clone())));
            }
            Transmit::Send { bytes, .. } => {
                if let Some((_, socket)) = &self.socket {
                    socket.send(bytes.into());
                }
            }
            Transmit::Disconnect { .. } => self.socket = None,
        }
    }

    fn report(&mut self, event: Event) {
        match event {
            Event::SessionRequested { fetch, reason, .. } => self.request_session(fetch, reason),
            Event::SubscribeDone { subscription, result } => {
                let Some(answer) = self.subscribing.remove(&subscription) else { return };
                let confirmed = result.map(|()| {
                    let (events, received) = mpsc::unbounded_channel();
                    self.subscriptions.insert(subscription, events);
                    (subscription, received)
                });
                // A caller that waits no longer drops its subscription.
                if let Err(Ok((id, _))) = answer.send(confirmed) {
                    self.obey(Command::Unsubscribe(id));
                }
            }
            Event::PublishDone { publish, result } => {
                if let Some(answer) = self.publishing.remove(&publish) {
                    // The caller may wait no longer.
                    let _ = answer.send(result);
                }
            }
            Event::EnterDone { enter, result } => {
                if let Some(answer) = self.entering.remove(&enter) {
                    let _ = answer.send(result);
                }
            }
            Event::Members { subscriptions, .. } => {
                for id in subscriptions {
                    let members = self.core.members(id);
                    self.tell(&[id], || Incoming::Members(members.clone()));
                }
            }
            Event::Message { subscriptions, message } => {
                self.tell(&subscriptions, || Incoming::Message(message.clone()));
            }
            Event::Notice { subscriptions, notice } => match notice {
                Notice::Resumed { recovered } => {
                    self.tell(&subscriptions, || Incoming::Resumed { recovered });
                }
                Notice::Gap(gap) => self.tell(&subscriptions, || Incoming::Gap(gap)),
                Notice::Error(error) => self.tell(&subscriptions, || Incoming::Unreadable(error.clone())),
                Notice::Ended(error) => {
                    self.tell(&subscriptions, || Incoming::Ended(error.clone()));
                    subscriptions.iter().for_each(|id| drop(self.subscriptions.remove(id)));
                }
            },
            _ => {}
        }
    }

    fn tell(&self, subscriptions: &[SubscriptionId], incoming: impl Fn() -> Incoming) {
        for events in subscriptions.iter().filter_map(|id| self.subscriptions.get(id)) {
            // A subscription that was dropped a moment ago hears nothing.
            let _ = events.send(incoming());
        }
    }

    fn request_session(&self, fetch: FetchId, reason: SessionReason) {
        let (session, feed) = ((self.sessions)(reason), self.feed.clone());
        tokio::spawn(async move {
            // The client may have ended.
            let _ = feed.send(Input::Session(fetch, session.await));
        });
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// The system's randomness.
struct SystemEntropy;

impl Entropy for SystemEntropy {
    fn fill(&mut self, bytes: &mut [u8]) {
        getrandom::fill(bytes).expect("the system has randomness");
    }
}
