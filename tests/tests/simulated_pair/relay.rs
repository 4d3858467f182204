//! A simulated relay: session rules, hub and subscribers, driven without tasks or sockets.

use bytes::Bytes;
use sealwire_protocol::{
    ChannelId,
    tokens::{Keyring, SigningKey},
    wire::{Hello, Publish, Since, ToClient, ToRelay},
};
use sealwire_relay::{
    EndReason, Hub, HubLimits, Limits, Now, Publishing, Replay, SessionAction, SessionConfig, SessionId,
    SessionRules, SigningKeys, Subscribers, SubscriptionStart,
};
use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
    rc::Rc,
    sync::Arc,
    time::{Duration, Instant},
};

pub(crate) const APP: &str = "app";

/// The connection through which the app's resolver publishes. Messages to it are discarded.
const RESOLVER: u64 = u64::MAX;

/// One thing that the relay sends, with the connection.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Outgoing {
    Message(u64, Bytes),
    Close(u64, u16),
}

/// One act of the hub, for the model that checks it.
pub(crate) enum HubEvent {
    /// A message was accepted and has its offset.
    Published { channel: ChannelId, offset: u64, sealed: Bytes, content: Option<[u8; 16]>, bytes: usize },
    /// A subscription was answered with its position.
    Subscribed { channel: ChannelId, since: Option<Since>, replay: Replay },
}

/// The settings that differ between schedules.
#[derive(Clone, Copy)]
pub(crate) struct RelaySettings {
    pub(crate) limits: HubLimits,
    pub(crate) heartbeat: Duration,
    /// Heartbeats carry a mark, as with a broker that several relays share.
    pub(crate) sends_marks: bool,
}

type Outbox = Rc<RefCell<Vec<Outgoing>>>;

struct Session {
    rules: SessionRules,
    channels: BTreeSet<ChannelId>,
}

pub(crate) struct Relay {
    hub: Hub,
    sends_marks: bool,
    config: Arc<SessionConfig>,
    subscribers: Subscribers<(u64, Outbox)>,
    sessions: BTreeMap<u64, Session>,
    outbox: Outbox,
    /// The number of clients' messages that the session rules refused.
    pub(crate) refusals: usize,
    pub(crate) hub_events: Vec<HubEvent>,
}

pub(crate) fn signing_key() -> SigningKey {
    SigningKey::new("key", vec![7; 64]).expect("the key has a valid size")
}

impl Relay {
    pub(crate) fn new(epoch: u64, replay_bytes: usize, now: Now) -> Self {
        let limits = HubLimits { replay_window: Duration::from_secs(120), replay_bytes };
        let heartbeat = Duration::from_secs(25);
        Self::with(epoch, RelaySettings { limits, heartbeat, sends_marks: false }, now)
    }

    pub(crate) fn with(epoch: u64, settings: RelaySettings, now: Now) -> Self {
        let RelaySettings { limits, heartbeat, sends_marks } = settings;
        let mut keyring = Keyring::default();
        keyring.insert(APP, signing_key()).expect("the keyring is empty");
        let config = SessionConfig {
            keys: Arc::new(SigningKeys::new(keyring)),
            revocations: Arc::default(),
            hello_timeout: Duration::from_secs(5),
            heartbeat,
            replay_window: limits.replay_window,
            limits: Arc::new(Limits::new(sealwire_relay::Settings::default(), now.monotonic)),
            stall_detector: Arc::default(),
            marks: Arc::default(),
            has_presence: false,
            names_channels: false,
        };
        Self {
            hub: Hub::new(epoch, limits, now),
            sends_marks,
            config: Arc::new(config),
            subscribers: Subscribers::default(),
            sessions: BTreeMap::new(),
            outbox: Outbox::default(),
            refusals: 0,
            hub_events: Vec::new(),
        }
    }

    /// Applies changed settings, as a reload does.
    pub(crate) fn apply_settings(&self, settings: sealwire_relay::Settings) {
        self.config.limits.set(settings);
    }

    pub(crate) fn accept(&mut self, connection: u64, now: Now) {
        let rules = SessionRules::new(self.config.clone(), 0, now);
        self.sessions.insert(connection, Session { rules, channels: BTreeSet::new() });
    }

    pub(crate) fn receive(&mut self, connection: u64, message: Bytes, now: Now) {
        if let Some(session) = self.sessions.get_mut(&connection) {
            session.rules.handle_frame(message, now);
            self.act(connection, now);
        }
    }

    /// Ends a session for a reason other than its messages.
    pub(crate) fn end_session(&mut self, connection: u64, reason: EndReason, now: Now) {
        if let Some(session) = self.sessions.get_mut(&connection) {
            session.rules.handle_end(reason);
            self.act(connection, now);
        }
    }

    /// Publishes as the app's resolver does.
    pub(crate) fn publish(&mut self, token: String, publish: Publish, now: Now) {
        self.accept(RESOLVER, now);
        for message in [ToRelay::Hello(Hello { token }), ToRelay::Publish(publish)] {
            self.receive(RESOLVER, message.to_bytes().into(), now);
        }
        self.remove(RESOLVER, now);
    }

    pub(crate) fn connections(&self) -> Vec<u64> {
        self.sessions.keys().copied().collect()
    }

    /// Removes a connection whose socket has closed.
    pub(crate) fn remove(&mut self, connection: u64, now: Now) {
        let Some(session) = self.sessions.remove(&connection) else { return };
        for channel in session.channels {
            self.subscribers.unsubscribe(channel, SessionId(connection));
            self.hub.unsubscribe(channel, now);
        }
    }

    /// Returns the time of the next timeout in milliseconds since `start`, rounded up.
    pub(crate) fn timeout_ms(&self, start: Instant) -> Option<u64> {
        let at = self.sessions.values().filter_map(|session| session.rules.poll_timeout()).min()?;
        let since = at.saturating_duration_since(start);
        Some(u64::try_from(since.as_micros().div_ceil(1000)).unwrap_or(u64::MAX))
    }

    pub(crate) fn handle_timeout(&mut self, now: Now) {
        if self.sends_marks {
            // Every publication so far is on its way to its subscribers.
            self.config.marks.set(vec![self.hub.newest()]);
        }
        for connection in self.sessions.keys().copied().collect::<Vec<_>>() {
            if let Some(session) = self.sessions.get_mut(&connection) {
                session.rules.handle_timeout(now);
            }
            self.act(connection, now);
        }
    }

    pub(crate) fn take_outgoing(&mut self) -> Vec<Outgoing> {
        self.outbox.take()
    }

    /// Returns the number of subscriptions of all sessions.
    pub(crate) fn subscriptions(&self) -> usize {
        self.sessions.values().map(|session| session.channels.len()).sum()
    }

    fn act(&mut self, connection: u64, now: Now) {
        loop {
            let Some(session) = self.sessions.get_mut(&connection) else { return };
            let Some(action) = session.rules.poll_action() else { return };
            match action {
                SessionAction::Send(message) => self.send(connection, &message),
                SessionAction::Subscribe { channel, tenant, since, events } => {
                    if !session.channels.insert(channel) {
                        self.hub.unsubscribe(channel, now);
                    }
                    let outbox = (connection, self.outbox.clone());
                    self.subscribers.subscribe(channel, SessionId(connection), outbox, events);
                    let replay = self.hub.subscribe(tenant, channel, since, now);
                    session.rules.handle_subscribed(Ok(SubscriptionStart::of(&replay)), now);
                    self.hub_events.push(HubEvent::Subscribed { channel, since, replay: replay.clone() });
                    self.act(connection, now);
                    self.subscribers.catch_up(channel, SessionId(connection), &replay, |outbox, catch_up| {
                        catch_up.publications().for_each(|publication| push(outbox, publication.message()));
                    });
                }
                SessionAction::Unsubscribe(channel) => {
                    session.channels.remove(&channel);
                    self.subscribers.unsubscribe(channel, SessionId(connection));
                    self.hub.unsubscribe(channel, now);
                }
                SessionAction::Publish(Publishing(draft)) => {
                    let (channel, sealed, content) = (draft.channel, draft.sealed.clone(), draft.content);
                    let outcome =
                        self.hub.publish(draft, now).expect("no client uses one id for two messages");
                    if let Some(publication) = &outcome.publication {
                        let (offset, bytes) = (publication.offset(), publication.frame().len());
                        self.hub_events.push(HubEvent::Published { channel, offset, sealed, content, bytes });
                    }
                    session.rules.handle_published(Ok(outcome.receipt));
                    self.act(connection, now);
                    if let Some(publication) = outcome.publication {
                        self.subscribers
                            .deliver(&publication, |outbox, publication| push(outbox, publication.message()));
                    }
                }
                SessionAction::Name(_) | SessionAction::Presence(_) => {}
                SessionAction::Audit(_) => self.refusals += 1,
                SessionAction::Close(code) => {
                    if connection != RESOLVER {
                        self.outbox.borrow_mut().push(Outgoing::Close(connection, code as u16));
                    }
                    self.remove(connection, now);
                }
            }
        }
    }

    fn send(&self, connection: u64, message: &ToClient) {
        push(&(connection, self.outbox.clone()), message.to_bytes().into());
    }
}

fn push((connection, outbox): &(u64, Outbox), message: Bytes) {
    if *connection == RESOLVER {
        return;
    }
    outbox.borrow_mut().push(Outgoing::Message(*connection, message));
}
