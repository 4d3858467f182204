//! The clients' side: client cores with their sessions, and what each subscription was told.

use crate::relay::{APP, signing_key};
use sealwire_client::{
    ChannelSpec, Client, ClientError, Config, ConnectionId, Entropy, Event, GapReason, Notice, SessionGrant,
    SubscriptionId,
};
use sealwire_protocol::{
    EncryptionKey, Scope, UnixSeconds,
    tokens::{Permissions, SessionClaims, sign},
};
use std::collections::BTreeMap;

pub(crate) const INSTALLATION: &str = "ari:cloud:jira::site/1";

/// Reproducible randomness (SplitMix64).
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

/// What a subscription was told, in order.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Told {
    Confirmed,
    Refused(&'static str),
    Payload(String),
    Gap(GapReason),
    Unreadable,
    Ended(&'static str),
}

pub(crate) struct ClientSide {
    pub(crate) core: Client,
    /// The WebSocket that the core believes to have.
    pub(crate) connection: Option<ConnectionId>,
    pub(crate) told: BTreeMap<SubscriptionId, Vec<Told>>,
    pub(crate) published: usize,
    pub(crate) failed: Vec<ClientError>,
    pub(crate) connects: usize,
    pub(crate) fetches: usize,
}

impl ClientSide {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            core: Client::new(Config::default(), Box::new(Seeded(seed))),
            connection: None,
            told: BTreeMap::new(),
            published: 0,
            failed: Vec::new(),
            connects: 0,
            fetches: 0,
        }
    }

    /// Notes what the app is told.
    pub(crate) fn note(&mut self, event: Event) {
        match event {
            Event::SubscribeDone { subscription, result } => {
                let told = result.map_or_else(|error| Told::Refused(error.code.name()), |()| Told::Confirmed);
                self.told.entry(subscription).or_default().push(told);
            }
            Event::Message { subscriptions, message } => {
                for subscription in subscriptions {
                    self.told.entry(subscription).or_default().push(Told::Payload(message.payload.clone()));
                }
            }
            Event::Notice { subscriptions, notice } => {
                let told = match notice {
                    Notice::Gap(gap) => Told::Gap(gap.reason),
                    Notice::Error(_) => Told::Unreadable,
                    Notice::Ended(error) => Told::Ended(error.code.name()),
                };
                for subscription in subscriptions {
                    self.told.entry(subscription).or_default().push(told.clone());
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

/// A session as a resolver mints it.
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
        (&key.scope_keys(APP, INSTALLATION, &context)).into()
    });
    SessionGrant {
        url: "wss://relay.example/v1/realtime".into(),
        token: sign(&claims, &signing_key()).expect("claims within the limits"),
        expires_at: validity.1,
        app: APP.into(),
        installation: INSTALLATION.into(),
        keys: keys.collect(),
        context,
    }
}
