//! Simulated clients: a client core with the events that its subscriptions received, and the sessions that the app
//! grants.

use crate::relay::{APP, signing_key};
use sealwire_client::{
    ChannelSpec, Client, ClientError, Config, ConnectionId, Entropy, Event, GapReason, GrantKey, Notice,
    SessionGrant, SubscriptionId,
};
use sealwire_protocol::{
    EncryptionKey, Scope, UnixMillis, UnixSeconds,
    tokens::{Permissions, SessionClaims, sign},
};
use std::collections::BTreeMap;

pub(crate) const INSTALLATION: &str = "ari:cloud:jira::site/1";

/// A reproducible source of randomness (SplitMix64).
pub(crate) struct Seeded(pub(crate) u64);

impl Seeded {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = self.0;
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        word ^ (word >> 31)
    }

    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }
}

impl Entropy for Seeded {
    fn fill(&mut self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            chunk.copy_from_slice(&self.next().to_le_bytes()[..chunk.len()]);
        }
    }
}

/// One event of a subscription.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Received {
    Confirmed,
    Refused(&'static str),
    Payload(String),
    Gap(GapReason),
    Unreadable,
    Ended(&'static str),
}

pub(crate) struct SimulatedClient {
    pub(crate) core: Client,
    /// The WebSocket that the core considers open.
    pub(crate) connection: Option<ConnectionId>,
    pub(crate) received: BTreeMap<SubscriptionId, Vec<Received>>,
    pub(crate) published: usize,
    pub(crate) failed: Vec<ClientError>,
    pub(crate) connects: usize,
    pub(crate) fetches: usize,
}

impl SimulatedClient {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            core: Client::new(Config::default(), Box::new(Seeded(seed))),
            connection: None,
            received: BTreeMap::new(),
            published: 0,
            failed: Vec::new(),
            connects: 0,
            fetches: 0,
        }
    }

    /// Records an event for the app.
    pub(crate) fn record(&mut self, event: Event) {
        match event {
            Event::SubscribeDone { subscription, result } => {
                let received = result
                    .map_or_else(|error| Received::Refused(error.code.name()), |()| Received::Confirmed);
                self.received.entry(subscription).or_default().push(received);
            }
            Event::Message { subscriptions, message } => {
                for subscription in subscriptions {
                    self.received
                        .entry(subscription)
                        .or_default()
                        .push(Received::Payload(message.payload.clone()));
                }
            }
            Event::Notice { subscriptions, notice } => {
                let received = match notice {
                    Notice::Gap(gap) => Received::Gap(gap.reason),
                    Notice::Resumed { .. } => return,
                    Notice::Error(_) => Received::Unreadable,
                    Notice::Ended(error) => Received::Ended(error.code.name()),
                };
                for subscription in subscriptions {
                    self.received.entry(subscription).or_default().push(received.clone());
                }
            }
            Event::PublishDone { result: Ok(_), .. } => self.published += 1,
            Event::PublishDone { result: Err(error), .. } => self.failed.push(error),
            _ => {}
        }
    }
}

pub(crate) fn spec(name: &str) -> ChannelSpec {
    ChannelSpec { name: name.into(), scope: None, token: None }
}

pub(crate) fn context() -> Scope {
    let mut context = Scope::default();
    context.insert("module", "gadget").expect("a property");
    context.insert("dashboard", "10001").expect("a property");
    context
}

/// Returns a session as a resolver grants it.
pub(crate) fn grant(keys: &[u8], now_ms: u64, lifetime_s: u64) -> SessionGrant {
    let context = context();
    let validity = (UnixSeconds(now_ms / 1000), UnixSeconds(now_ms / 1000 + lifetime_s));
    let claims = SessionClaims::new(
        APP.into(),
        INSTALLATION.into(),
        "account".into(),
        context.clone(),
        Permissions::ALL,
        validity,
    );
    let keys = keys.iter().map(|number| {
        let key = EncryptionKey::new([*number; 32]);
        GrantKey::new(&key.scope_keys(APP, INSTALLATION, &context), String::new())
    });
    SessionGrant {
        url: "wss://relay.example/v1/realtime".into(),
        token: sign(&claims, &signing_key()).expect("claims within the limits"),
        issued_at_ms: UnixMillis(now_ms),
        expires_at: validity.1,
        app: APP.into(),
        installation: INSTALLATION.into(),
        keys: keys.collect(),
        context,
        name_tag_key: None,
    }
}
