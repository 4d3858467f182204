//! Keys, grants, channels and publications of one app, installation and context.

use sealwire_client::{ChannelSpec, Draft, Entropy, GrantKey, SessionGrant};
use sealwire_protocol::{
    Certificate, Certified, ChannelAddress, ChannelId, EncryptionKey, Message, Scope, SenderId, Signature,
    Stamp, UnixMillis, UnixSeconds, seal,
    wire::{Position, Publication, ToClient},
};
use std::cell::Cell;

pub const APP: &str = "app";
pub const INSTALLATION: &str = "ari:cloud:jira::site/1";
pub const UNIX_START: u64 = 1_800_000_000_000;
pub const SESSION_SECONDS: u64 = 900;
pub const HEARTBEAT_MS: u64 = 25_000;
pub const EPOCH: u64 = 7;

/// Reproducible randomness: a counter through SplitMix64.
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

thread_local! {
    /// The time of a test, in Unix milliseconds, which its harness sets.
    pub static TIME_MS: Cell<u64> = const { Cell::new(UNIX_START) };
    /// The number of the last publication of [`OTHER`].
    static LAST_NUMBER: Cell<u32> = const { Cell::new(0) };
}

pub fn grant(keys: &[u8], expires_at: UnixSeconds) -> SessionGrant {
    let context = context();
    let keys = keys.iter().map(|number| {
        let keys = key(*number).scope_keys(APP, INSTALLATION, &context);
        GrantKey::new(&keys, format!("signer {number}"))
    });
    SessionGrant {
        url: "wss://relay.example/v1/realtime".into(),
        token: format!("session-{}", expires_at.0),
        issued_at_ms: UnixMillis(TIME_MS.get()),
        expires_at,
        app: APP.into(),
        installation: INSTALLATION.into(),
        keys: keys.collect(),
        context,
        name_tag_key: None,
    }
}

/// Returns the certificate of a page of this account.
pub fn certificate(account: &str, expires_at_ms: u64) -> Certificate {
    let public_key = &[5; Certificate::PUBLIC_KEY_LEN];
    let content = Certified { public_key, expires_at: UnixMillis(expires_at_ms), account };
    content.sign(Signature([6; Signature::LEN]))
}

/// Returns a grant that certifies the page for the account `anna`.
pub fn certified_grant(keys: &[u8], expires_at: UnixSeconds) -> SessionGrant {
    let mut grant = grant(keys, expires_at);
    for key in &mut grant.keys {
        key.certificate = Some(certificate("anna", expires_at.millis().0).to_base64url());
    }
    grant
}

pub fn channel(name: &str) -> ChannelSpec {
    ChannelSpec { name: name.into(), scope: None, token: None }
}

pub fn draft(name: &str, payload: &str, id: Option<&str>, timeout_ms: Option<u64>) -> Draft {
    let (event, payload) = (String::new(), payload.into());
    Draft { spec: channel(name), event, payload, id: id.map(Into::into), timeout_ms, signed: false }
}

pub fn channel_id(name: &str) -> ChannelId {
    let scope = context();
    ChannelAddress { app: APP, installation: INSTALLATION, scope: &scope, claims_tag: None, name }.id()
}

/// The sender of the publications of other clients.
pub const OTHER: SenderId = SenderId([3; 12]);

/// Returns the stamp of the next message of [`OTHER`], which knows nothing about its earlier ones.
pub fn next_stamp() -> Stamp {
    LAST_NUMBER.set(LAST_NUMBER.get() + 1);
    Stamp { number: LAST_NUMBER.get(), confirmed: 0 }
}

pub fn sealed(key_number: u8, name: &str, stamp: Stamp, payload: &str) -> Vec<u8> {
    sealed_at(TIME_MS.get(), key_number, name, stamp, payload)
}

pub fn sealed_at(time_ms: u64, key_number: u8, name: &str, stamp: Stamp, payload: &str) -> Vec<u8> {
    let scope = context();
    let key = key(key_number).scope_key(APP, INSTALLATION, &scope).channel_key(None, name);
    let message = Message { published_at: UnixMillis(time_ms), ..message(stamp, payload) };
    seal(&key, [4; 12], channel_id(name), &message).unwrap()
}

/// Returns a message of another client that is sealed now.
pub fn message(stamp: Stamp, payload: &str) -> Message<'_> {
    let published_at = UnixMillis(TIME_MS.get());
    Message { sender: OTHER, stamp, published_at, event: "", payload, signature: None }
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
        sealed: sealed(key, name, next_stamp(), payload).into(),
    })
}

pub fn position(offset: u64) -> Position {
    Position { epoch: EPOCH, offset, time_ms: UNIX_START.saturating_add(offset) }
}
