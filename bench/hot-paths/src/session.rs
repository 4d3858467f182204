//! The hot paths of a session: verifying tokens and handling frames.

use bytes::{Bytes, BytesMut};
use sealwire_protocol::{
    Scope, UnixMillis, UnixSeconds,
    tokens::{self, Keyring, Permissions, SessionClaims, SigningKey},
    wire::{Channel, Hello, Position, Publish, Subscribe, ToRelay},
};
use sealwire_relay::{
    Decoder, Incoming, Limits, Now, PublishReceipt, SessionAction, SessionConfig, SessionRules, Settings,
    SigningKeys, SubscriptionStart,
};
use std::{
    hint::black_box,
    sync::Arc,
    time::{Duration, Instant},
};

const APP: &str = "ari:cloud:ecosystem::app/6f2a1c3e-7b1d-4a55-9c43-0a5f1c9b7e21";
const INSTALLATION: &str = "ari:cloud:jira::site/2b1f7d0e-93a4-4f0c-8a6e-5d3c1b2a4f68";

pub(crate) fn context() -> Scope {
    let mut context = Scope::default();
    for (property, value) in [("dashboard", "10001"), ("gadget", "10100"), ("module", "absences")] {
        context.insert(property, value).expect("three properties within the limits");
    }
    context
}

fn key() -> SigningKey {
    SigningKey::new("bench", vec![7; 64]).expect("64 bytes are enough")
}

fn keyring() -> Keyring {
    let mut keyring = Keyring::default();
    keyring.insert(APP, key()).expect("the first key");
    keyring
}

fn token(now: Now) -> String {
    let now = now.wall.seconds();
    let times = (now, UnixSeconds(now.0 + 900));
    let account = "5b10ac8d82e05b22cc7d4ef5".to_owned();
    let claims =
        SessionClaims::new(APP.into(), INSTALLATION.into(), account, context(), Permissions::ALL, times);
    tokens::sign(&claims, &key()).expect("the claims are within the limits")
}

fn session_config() -> Arc<SessionConfig> {
    Arc::new(SessionConfig {
        keys: Arc::new(SigningKeys::new(keyring())),
        revocations: Arc::default(),
        hello_timeout: Duration::from_secs(10),
        heartbeat: Duration::from_secs(25),
        replay_window: Duration::from_secs(120),
        limits: Arc::new(Limits::new(unlimited(), Instant::now())),
        stall_detector: Arc::default(),
        marks: Arc::default(),
        has_presence: false,
        names_channels: false,
    })
}

/// The rates are unlimited, so that the loops do not exceed them.
fn unlimited() -> Settings {
    Settings { publish_rate: 1 << 40, publish_burst: 1 << 40, ..Settings::default() }
}

fn channel() -> Option<Channel> {
    let properties = context().iter().map(|(property, _)| property.to_owned()).collect();
    Some(Channel { name: "absences".into(), properties, token: String::new() })
}

pub(crate) fn verify() -> impl FnMut() {
    let (now, keyring) = (Now::read(), keyring());
    let token = token(now);
    move || {
        let claims = tokens::verify::<SessionClaims>(black_box(&token), &keyring, now.wall.seconds());
        black_box(claims.expect("the token is valid"));
    }
}

fn drain(rules: &mut SessionRules) {
    while let Some(action) = rules.poll_action() {
        black_box(action);
    }
}

fn hello_and_subscribe(config: &Arc<SessionConfig>, frames: &[Bytes; 2], now: Now) -> SessionRules {
    let mut rules = SessionRules::new(config.clone(), 1, now);
    frames.iter().for_each(|frame| rules.handle_frame(frame.clone(), now));
    drain(&mut rules);
    let position = Position { epoch: 1, offset: 1, time_ms: 0 };
    rules.handle_subscribed(
        Ok(SubscriptionStart { position, recovered: false, replayed: 0, replay_end: 0 }),
        now,
    );
    drain(&mut rules);
    rules
}

fn opening(now: Now) -> [Bytes; 2] {
    let subscribe = Subscribe { request: 1, channel: channel(), since: None, events: Vec::new() };
    [ToRelay::Hello(Hello { token: token(now) }), ToRelay::Subscribe(subscribe)]
        .map(|message| message.to_bytes().into())
}

pub(crate) fn open() -> impl FnMut() {
    let (now, config) = (Now::read(), session_config());
    let frames = opening(now);
    move || {
        black_box(hello_and_subscribe(&config, &frames, now));
    }
}

/// Handles a publish frame, from the bytes on the socket to the draft and the publisher's acknowledgement.
pub(crate) fn publish() -> impl FnMut() {
    let now = Now::read();
    let mut rules = hello_and_subscribe(&session_config(), &opening(now), now);
    let (sealed, id) = (vec![0; 185].into(), vec![0; 16].into());
    let publish = Publish {
        request: 2,
        channel: channel(),
        event: String::new(),
        sealed,
        id,
        follows: 0,
        content: Default::default(),
    };
    let frame = masked(&ToRelay::Publish(publish).to_bytes());
    let accepted = PublishReceipt {
        position: Position { epoch: 1, offset: 2, time_ms: now.wall.0 },
        time: UnixMillis(now.wall.0),
    };
    let mut decoder = Decoder::default();
    move || {
        let space: &mut BytesMut = decoder.space();
        space.extend_from_slice(&frame);
        let Ok(Some(Incoming::Message(message))) = decoder.decode() else { return };
        rules.handle_frame(message, now);
        while let Some(action) = rules.poll_action() {
            if let SessionAction::Publish(publishing) = action {
                black_box(publishing);
                rules.handle_published(Ok(accepted));
            }
        }
    }
}

/// Encodes a masked frame, as a client does.
fn masked(payload: &[u8]) -> Vec<u8> {
    let mask = [0x5a, 0x11, 0xc3, 0x78];
    let len = u16::try_from(payload.len()).expect("the message is short").to_be_bytes();
    let head = [0x82, 0xfe, len[0], len[1]].into_iter().chain(mask);
    head.chain(payload.iter().enumerate().map(|(index, byte)| byte ^ mask[index % 4])).collect()
}
