//! The client, its clock, and its outputs so far.

use super::fixtures::*;
use sealwire_client::{
    ChannelSpec, Client, Config, ConnectionId, Draft, Event, FetchId, Instant, Now, PublishId, SessionGrant,
    SessionReason, SubscriptionId, Transmit,
};
use sealwire_protocol::{
    UnixMillis, UnixSeconds,
    wire::{Goodbye, ToClient, ToRelay, Welcome},
};
use std::collections::VecDeque;

pub struct Harness {
    pub client: Client,
    pub now_ms: u64,
    /// The lead of the wall clock over the timers, as after a sleep in which the timers stood still.
    pub asleep_ms: u64,
    pub connection: Option<ConnectionId>,
    pub connects: u32,
    pub disconnects: Vec<u16>,
    pub sent: VecDeque<ToRelay>,
    pub events: VecDeque<Event>,
}

impl Default for Harness {
    fn default() -> Self {
        Self::with(Config::default())
    }
}

impl Harness {
    pub fn with(config: Config) -> Self {
        Self::new(config, 1)
    }

    /// Creates a harness with other randomness.
    pub fn seeded(seed: u64) -> Self {
        Self::new(Config::default(), seed << 32)
    }

    fn new(config: Config, seed: u64) -> Self {
        Self {
            client: Client::new(config, Box::new(TestEntropy(seed))),
            now_ms: 1_000,
            asleep_ms: 0,
            connection: None,
            connects: 0,
            disconnects: Vec::new(),
            sent: VecDeque::new(),
            events: VecDeque::new(),
        }
    }

    /// Creates a connected client with one confirmed subscription at offset 10.
    pub fn subscribed(name: &str) -> (Self, SubscriptionId) {
        Self::default().with_subscription(name)
    }

    /// Subscribes to a channel, which the relay confirms at offset 10.
    pub fn with_subscription(mut self, name: &str) -> (Self, SubscriptionId) {
        let subscription = self.subscribe(name);
        self.establish();
        self.confirm(name, 10);
        self.expect_subscribed(subscription);
        self.forget_states();
        (self, subscription)
    }

    pub fn now(&self) -> Now {
        let unix_ms = UNIX_START + self.asleep_ms + self.now_ms;
        TIME_MS.set(unix_ms);
        Now { instant: Instant(self.now_ms), unix: UnixMillis(unix_ms) }
    }

    pub fn subscribe(&mut self, name: &str) -> SubscriptionId {
        self.subscribe_with(channel(name), None)
    }

    pub fn subscribe_with(&mut self, spec: ChannelSpec, replay: Option<u32>) -> SubscriptionId {
        let subscription = self.client.subscribe(self.now(), spec, replay);
        self.drain();
        subscription
    }

    pub fn unsubscribe(&mut self, subscription: SubscriptionId) {
        self.client.unsubscribe(self.now(), subscription);
        self.drain();
    }

    pub fn publish(&mut self, name: &str, payload: &str) -> PublishId {
        let publish = self.client.publish(self.now(), channel(name), String::new(), payload.into());
        self.drain();
        publish
    }

    /// Publishes with a timeout.
    pub fn publish_within(&mut self, name: &str, payload: &str, timeout_ms: u64) -> PublishId {
        let publish = self.client.publish_draft(self.now(), draft(name, payload, None, Some(timeout_ms)));
        self.drain();
        publish
    }

    /// Publishes a message that the page signs.
    pub fn publish_signed(&mut self, name: &str, payload: &str) -> PublishId {
        let draft = Draft { signed: true, ..draft(name, payload, None, None) };
        let publish = self.client.publish_draft(self.now(), draft);
        self.drain();
        publish
    }

    pub fn drain(&mut self) {
        while let Some(transmit) = self.client.poll_transmit() {
            match transmit {
                Transmit::Connect { connection, url } => {
                    assert_eq!(url, "wss://relay.example/v1/realtime");
                    assert_eq!(self.connection, None, "one connection at a time");
                    self.connection = Some(connection);
                    self.connects += 1;
                }
                Transmit::Send { connection, bytes } => {
                    assert_eq!(self.connection, Some(connection));
                    self.sent.push_back(ToRelay::from_bytes(bytes.into()).unwrap());
                }
                Transmit::Disconnect { connection, code } => {
                    assert_eq!(self.connection.take(), Some(connection));
                    self.disconnects.push(code);
                }
            }
        }
        while let Some(event) = self.client.poll_event() {
            self.events.push_back(event);
        }
    }

    /// Advances the clock and handles every timeout when it is due.
    pub fn advance(&mut self, ms: u64) {
        let end = self.now_ms + ms;
        let mut timeouts = 0;
        while let Some(Instant(at)) = self.client.poll_timeout().filter(|Instant(at)| *at <= end) {
            timeouts += 1;
            assert!(timeouts <= 100 + ms, "the client sets its timeout again and again");
            self.now_ms = self.now_ms.max(at);
            self.client.handle_timeout(self.now());
            self.drain();
        }
        self.now_ms = end;
        self.now();
    }

    /// Advances the clock until the client connects or requests a session. Returns the time that passed.
    pub fn advance_to_attempt(&mut self) -> u64 {
        let start = self.now_ms;
        for _ in 0..1_000 {
            if self.connection.is_some()
                || self.events.iter().any(|event| matches!(event, Event::SessionRequested { .. }))
            {
                return self.now_ms - start;
            }
            let Instant(at) = self.client.poll_timeout().expect("the client has a next attempt");
            self.advance(at.saturating_sub(self.now_ms));
        }
        panic!("no attempt within a thousand timeouts");
    }

    pub fn receive(&mut self, message: ToClient) {
        let connection = self.connection.expect("a connection");
        let bytes = message.to_bytes().into();
        self.client.handle_frame(self.now(), connection, Some(bytes));
        self.drain();
    }

    pub fn cut(&mut self, code: Option<u16>) {
        let connection = self.connection.take().expect("a connection");
        self.client.handle_closed(self.now(), connection, code);
        self.drain();
    }

    pub fn goodbye(&mut self, code: sealwire_protocol::Code, reconnect_after_ms: u32) {
        self.receive(ToClient::Goodbye(Goodbye {
            code: code.number(),
            message: "why".into(),
            reconnect_after_ms,
        }));
    }

    pub fn provide(&mut self, fetch: FetchId, keys: &[u8]) {
        self.provide_with(fetch, keys, grant);
    }

    /// Provides a session that certifies the page for the account `anna`.
    pub fn provide_certified(&mut self, fetch: FetchId, keys: &[u8]) {
        self.provide_with(fetch, keys, certified_grant);
    }

    fn provide_with(
        &mut self,
        fetch: FetchId,
        keys: &[u8],
        grant: impl Fn(&[u8], UnixSeconds) -> SessionGrant,
    ) {
        self.now();
        let expires_at = UnixSeconds((UNIX_START + self.now_ms) / 1000 + SESSION_SECONDS);
        self.client.handle_session(self.now(), fetch, grant(keys, expires_at));
        self.drain();
    }

    pub fn open(&mut self) {
        let connection = self.connection.expect("a connection");
        self.client.handle_opened(self.now(), connection);
        self.drain();
    }

    pub fn welcome(&mut self) {
        assert!(matches!(self.sent.pop_front(), Some(ToRelay::Hello(_))));
        let relay_now = UNIX_START + self.now_ms;
        self.receive(ToClient::Welcome(Welcome {
            max_frame: 144 * 1024,
            max_subscriptions: 256,
            heartbeat_ms: u32::try_from(HEARTBEAT_MS).unwrap(),
            replay_window_ms: 120_000,
            expires_at: relay_now / 1000 + SESSION_SECONDS,
            now_ms: relay_now,
        }));
    }

    /// Answers the client's steps up to the `Welcome`.
    pub fn establish(&mut self) {
        if self.connection.is_none() {
            let fetch = self.expect_session_request(SessionReason::Connect);
            self.provide(fetch, &[1]);
        }
        self.open();
        self.welcome();
    }

    /// Advances the clock on a healthy connection until the client requests its next session. Returns the time that passed.
    pub fn advance_to_refresh(&mut self) -> u64 {
        let start = self.now_ms;
        while !self.events.iter().any(|event| matches!(event, Event::SessionRequested { .. })) {
            self.advance(1_000);
            self.ping();
            assert!(matches!(self.sent.pop_front(), Some(ToRelay::Pong(_))));
        }
        self.now_ms - start
    }
}
