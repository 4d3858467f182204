//! A client under a virtual clock, and the relay's side played by the test.
#![allow(unreachable_pub, reason = "the modules of one test program")]

use sealwire_client::{
    ChannelSpec, Client, ClientError, Config, ConnectionId, Entropy, Event, FetchId, GrantKey, Instant,
    Message, Notice, Now, PublishId, Receipt, SessionGrant, SessionReason, State, SubscriptionId, Transmit,
};
use sealwire_protocol::{
    ChannelAddress, ChannelId, EncryptionKey, Scope, UnixMillis, UnixSeconds, encode_base64url, seal,
    wire::{
        Failed, Goodbye, Ping, Position, Publication, Publish, Published, Refresh, Refreshed, Subscribe,
        Subscribed, ToClient, ToRelay, Unsubscribe, Unsubscribed, Welcome,
    },
};
use std::collections::VecDeque;

pub const APP: &str = "app";
pub const INSTALLATION: &str = "ari:cloud:jira::site/1";
pub const UNIX_START: u64 = 1_800_000_000_000;
pub const SESSION_SECONDS: u64 = 900;
pub const HEARTBEAT_MS: u64 = 25_000;
pub const EPOCH: u64 = 7;

/// Reproducible: a counter through SplitMix64.
pub struct TestEntropy(pub u64);

impl Entropy for TestEntropy {
    fn fill(&mut self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut word = self.0;
            word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            word ^= word >> 31;
            chunk.copy_from_slice(&word.to_le_bytes()[..chunk.len()]);
        }
    }
}

pub fn context() -> Scope {
    serde_json::from_str(r#"{"module":"gadget","dashboard":"10001"}"#).unwrap()
}

pub fn key(number: u8) -> EncryptionKey {
    EncryptionKey::new([number; 32])
}

pub fn grant(keys: &[u8], expires_at: UnixSeconds) -> SessionGrant {
    let context = context();
    let keys = keys.iter().map(|number| {
        let keys = key(*number).scope_keys(APP, INSTALLATION, &context);
        GrantKey {
            id: keys.id().to_string(),
            base: encode_base64url(keys.base()),
            properties: keys
                .properties()
                .map(|(name, key)| (name.to_owned(), encode_base64url(key)))
                .collect(),
        }
    });
    SessionGrant {
        url: "wss://relay.example/v1/realtime".into(),
        token: format!("session-{}", expires_at.0),
        expires_at,
        app: APP.into(),
        installation: INSTALLATION.into(),
        keys: keys.collect(),
        context,
    }
}

pub fn channel(name: &str) -> ChannelSpec {
    ChannelSpec { name: name.into(), scope: None, token: None }
}

pub fn channel_id(name: &str) -> ChannelId {
    let scope = context();
    ChannelAddress { app: APP, installation: INSTALLATION, scope: &scope, claims_tag: None, name }.id()
}

pub fn sealed(key_number: u8, name: &str, event: &str, payload: &str) -> Vec<u8> {
    let scope = context();
    let keys = key(key_number).scope_keys(APP, INSTALLATION, &scope);
    let key = keys.channel_key(&scope, None, name).unwrap();
    seal(&key, [3; 24], channel_id(name), event, UnixMillis(5), payload).unwrap()
}

pub fn publication(name: &str, previous_offset: u64, offset: u64, payload: &str) -> ToClient {
    publication_under(1, name, previous_offset, offset, payload)
}

pub fn publication_under(key: u8, name: &str, previous_offset: u64, offset: u64, payload: &str) -> ToClient {
    ToClient::Publication(Publication {
        channel_id: channel_id(name).into(),
        offset,
        previous_offset,
        time_ms: UNIX_START.saturating_add(offset),
        event: String::new(),
        sealed: sealed(key, name, "", payload).into(),
    })
}

pub fn position(offset: u64) -> Position {
    Position { epoch: EPOCH, offset }
}

pub struct Harness {
    pub client: Client,
    pub now_ms: u64,
    /// By how much the wall clock is ahead, as after a sleep in which the timers stood still.
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
        Self {
            client: Client::new(config, Box::new(TestEntropy(1))),
            now_ms: 1_000,
            asleep_ms: 0,
            connection: None,
            connects: 0,
            disconnects: Vec::new(),
            sent: VecDeque::new(),
            events: VecDeque::new(),
        }
    }

    /// A client whose session is open, with one subscription at offset 10.
    pub fn subscribed(name: &str) -> (Self, SubscriptionId) {
        let mut harness = Self::default();
        let subscription = harness.subscribe(name);
        harness.establish();
        harness.confirm(name, 10);
        harness.expect_subscribed(subscription);
        harness.forget_states();
        (harness, subscription)
    }

    pub fn now(&self) -> Now {
        Now { instant: Instant(self.now_ms), unix: UnixMillis(UNIX_START + self.asleep_ms + self.now_ms) }
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

    /// Lets time pass, with every timeout at its moment.
    pub fn advance(&mut self, ms: u64) {
        let end = self.now_ms + ms;
        let mut timeouts = 0;
        while let Some(Instant(at)) = self.client.poll_timeout().filter(|Instant(at)| *at <= end) {
            timeouts += 1;
            assert!(timeouts <= 100 + ms, "the client asks for the time again and again");
            self.now_ms = self.now_ms.max(at);
            self.client.handle_timeout(self.now());
            self.drain();
        }
        self.now_ms = end;
    }

    /// Lets time pass until the client connects or asks for a session, and says how long that took.
    pub fn advance_to_attempt(&mut self) -> u64 {
        let start = self.now_ms;
        for _ in 0..120_000 {
            if self.connection.is_some()
                || self.events.iter().any(|event| matches!(event, Event::NeedSession { .. }))
            {
                return self.now_ms - start;
            }
            self.advance(1);
        }
        panic!("no attempt within two minutes");
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

    /// Answers everything up to `Welcome`.
    pub fn establish(&mut self) {
        if self.connection.is_none() {
            let fetch = self.expect_need(SessionReason::Connect);
            self.provide(fetch, &[1]);
        }
        self.open();
        self.welcome();
    }

    /// Lets time pass on a healthy connection until the client asks for its next session, and says how long that took.
    pub fn advance_to_refresh(&mut self) -> u64 {
        let start = self.now_ms;
        while !self.events.iter().any(|event| matches!(event, Event::NeedSession { .. })) {
            self.advance(1_000);
            self.ping();
            assert!(matches!(self.sent.pop_front(), Some(ToRelay::Pong(_))));
        }
        self.now_ms - start
    }

    pub fn expect_need(&mut self, reason: SessionReason) -> FetchId {
        let index = self.events.iter().position(|event| matches!(event, Event::NeedSession { .. }));
        match self.events.remove(index.expect("a session is asked for")) {
            Some(Event::NeedSession { fetch, reason: asked }) if asked == reason => fetch,
            other => panic!("{other:?}"),
        }
    }

    pub fn expect_subscribe(&mut self) -> Subscribe {
        match self.sent.pop_front() {
            Some(ToRelay::Subscribe(subscribe)) => subscribe,
            other => panic!("{other:?}"),
        }
    }

    pub fn expect_unsubscribe(&mut self) -> Unsubscribe {
        match self.sent.pop_front() {
            Some(ToRelay::Unsubscribe(unsubscribe)) => unsubscribe,
            other => panic!("{other:?}"),
        }
    }

    pub fn expect_publish(&mut self) -> Publish {
        match self.sent.pop_front() {
            Some(ToRelay::Publish(publish)) => publish,
            other => panic!("{other:?}"),
        }
    }

    pub fn expect_refresh(&mut self) -> Refresh {
        match self.sent.pop_front() {
            Some(ToRelay::Refresh(refresh)) => refresh,
            other => panic!("{other:?}"),
        }
    }

    /// Takes the `Subscribe` that was sent and confirms it.
    pub fn confirm(&mut self, name: &str, offset: u64) -> Subscribe {
        self.confirm_at(name, position(offset), true)
    }

    pub fn confirm_at(&mut self, name: &str, position: Position, recovered: bool) -> Subscribe {
        let subscribe = self.expect_subscribe();
        self.receive(ToClient::Subscribed(Subscribed {
            request: subscribe.request,
            channel_id: channel_id(name).into(),
            position: Some(position),
            recovered,
        }));
        subscribe
    }

    pub fn acknowledge(&mut self, publish: &Publish, offset: u64) {
        self.receive(ToClient::Published(Published {
            request: publish.request,
            position: Some(position(offset)),
            time_ms: 99,
        }));
    }

    pub fn unsubscribed(&mut self, request: u32) {
        self.receive(ToClient::Unsubscribed(Unsubscribed { request }));
    }

    pub fn refreshed(&mut self, request: u32) {
        let expires_at = (UNIX_START + self.now_ms) / 1000 + SESSION_SECONDS;
        self.receive(ToClient::Refreshed(Refreshed { request, expires_at }));
    }

    pub fn refuse(&mut self, request: u32, code: sealwire_protocol::Code, retry_after_ms: u32) {
        let failed = Failed { request, code: code.number(), message: "why".into(), retry_after_ms };
        self.receive(ToClient::Failed(failed));
    }

    pub fn ping(&mut self) {
        self.receive(ToClient::Ping(Ping {}));
    }

    pub fn forget_states(&mut self) {
        self.events.retain(|event| !matches!(event, Event::State { .. }));
    }

    pub fn expect_nothing(&mut self) {
        self.forget_states();
        assert_eq!(self.events, []);
        assert_eq!(self.sent, []);
    }

    pub fn next_event(&mut self) -> Event {
        self.forget_states();
        self.events.pop_front().expect("an event")
    }

    pub fn expect_subscribed(&mut self, subscription: SubscriptionId) {
        assert_eq!(self.next_event(), Event::SubscribeDone { subscription, result: Ok(()) });
    }

    pub fn expect_subscribe_error(&mut self, expected: SubscriptionId) -> ClientError {
        match self.next_event() {
            Event::SubscribeDone { subscription, result: Err(error) } if subscription == expected => error,
            other => panic!("{other:?}"),
        }
    }

    pub fn expect_published(&mut self, expected: PublishId) -> Receipt {
        match self.next_event() {
            Event::PublishDone { publish, result: Ok(receipt) } if publish == expected => receipt,
            other => panic!("{other:?}"),
        }
    }

    pub fn expect_publish_error(&mut self, expected: PublishId) -> ClientError {
        match self.next_event() {
            Event::PublishDone { publish, result: Err(error) } if publish == expected => error,
            other => panic!("{other:?}"),
        }
    }

    pub fn expect_message(&mut self, recipients: &[SubscriptionId]) -> Message {
        match self.next_event() {
            Event::Message { subscriptions, message } => {
                assert_eq!(subscriptions, recipients);
                message
            }
            other => panic!("{other:?}"),
        }
    }

    pub fn expect_payload(&mut self, recipients: &[SubscriptionId], payload: &str) {
        assert_eq!(self.expect_message(recipients).payload, payload);
    }

    pub fn expect_notice(&mut self, recipients: &[SubscriptionId]) -> Notice {
        match self.next_event() {
            Event::Notice { subscriptions, notice } => {
                assert_eq!(subscriptions, recipients);
                notice
            }
            other => panic!("{other:?}"),
        }
    }

    pub fn states(&mut self) -> Vec<State> {
        let states = self.events.iter().filter_map(|event| match event {
            Event::State { state, .. } => Some(*state),
            _ => None,
        });
        let states = states.collect();
        self.forget_states();
        states
    }
}
