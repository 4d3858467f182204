//! The Sealwire protocol for the load generator: tokens like those of a resolver, and a fast reader of publications.

use anyhow::{Context as _, Result};
use bytes::Bytes;
use sealwire_protocol::{
    Scope, UnixSeconds, encode_base64url,
    tokens::{self, BackendClaims, Permissions, SessionClaims, SigningKey},
    wire::{Channel, Hello, Pong, Position, Publish, Since, Subscribe, ToRelay},
};
use std::time::{SystemTime, UNIX_EPOCH};

pub(crate) const APP: &str = "ari:cloud:ecosystem::app/6f2a1c3e-7b1d-4a55-9c43-0a5f1c9b7e21";
pub(crate) const INSTALLATION: &str = "ari:cloud:jira::site/2b1f7d0e-93a4-4f0c-8a6e-5d3c1b2a4f68";
const PROPERTIES: [(&str, &str); 3] = [("dashboard", "10001"), ("gadget", "10100"), ("module", "absences")];

/// Returns the signing key in the form of the relay's configuration.
pub(crate) fn signing_key() -> String {
    format!("bench.{}", encode_base64url([7; 64]))
}

/// Returns the time of issue and the time of expiry of a token.
fn times(lifetime: u64) -> (UnixSeconds, UnixSeconds) {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    (UnixSeconds(now - 5), UnixSeconds(now + lifetime))
}

fn key() -> Result<SigningKey> {
    SigningKey::parse(&signing_key()).context("the signing key of the benchmark is invalid")
}

/// Returns the context of every session.
pub(crate) fn context() -> Result<Scope> {
    let mut context = Scope::default();
    for (property, value) in PROPERTIES {
        context.insert(property, value)?;
    }
    Ok(context)
}

/// Signs a session token for account `number`. Returns it with its expiry.
pub(crate) fn session_token(number: usize) -> Result<(String, UnixSeconds)> {
    let account = format!("5b10ac8d82e05b22cc7d{number:08}");
    let times = times(900);
    let claims =
        SessionClaims::new(APP.into(), INSTALLATION.into(), account, context()?, Permissions::ALL, times);
    Ok((tokens::sign(&claims, &key()?)?, times.1))
}

/// Signs a token for `POST /v1/publish`.
pub(crate) fn backend_token() -> Result<String> {
    Ok(tokens::sign(&BackendClaims::new(APP.into(), INSTALLATION.into(), times(200)), &key()?)?)
}

/// Returns the scope of every channel, as `POST /v1/publish` expects it.
pub(crate) fn scope() -> serde_json::Value {
    PROPERTIES
        .iter()
        .map(|(property, value)| ((*property).to_owned(), serde_json::Value::from(*value)))
        .collect()
}

/// Returns the name of a channel.
pub(crate) fn channel_name(number: u32) -> String {
    format!("c{number}")
}

fn channel(number: u32) -> Channel {
    Channel {
        name: channel_name(number),
        properties: PROPERTIES.iter().map(|(property, _)| (*property).to_owned()).collect(),
        token: String::new(),
    }
}

pub(crate) fn hello(number: usize) -> Result<Vec<u8>> {
    Ok(ToRelay::Hello(Hello { token: session_token(number)?.0 }).to_bytes())
}

pub(crate) fn subscribe(number: u32, since: Option<Position>) -> Vec<u8> {
    let since = since.map(Since::Position);
    let message = Subscribe { request: 1, channel: Some(channel(number)), since, events: Vec::new() };
    ToRelay::Subscribe(message).to_bytes()
}

pub(crate) fn publish(number: u32, id: u64, sealed: &[u8]) -> Vec<u8> {
    let mut unique = [0; 16];
    unique[..8].copy_from_slice(&id.to_be_bytes());
    ToRelay::Publish(Publish {
        request: 1,
        channel: Some(channel(number)),
        event: String::new(),
        sealed: Bytes::copy_from_slice(sealed),
        id: Bytes::copy_from_slice(&unique),
        follows: 0,
        content: Default::default(),
    })
    .to_bytes()
}

pub(crate) fn pong() -> Vec<u8> {
    ToRelay::Pong(Pong {}).to_bytes()
}

/// The field numbers of `ToClient`, which identify the kind of a message.
pub(crate) mod kind {
    pub(crate) const WELCOME: u8 = 1;
    pub(crate) const SUBSCRIBED: u8 = 3;
    pub(crate) const PUBLICATION: u8 = 5;
    pub(crate) const PUBLISHED: u8 = 6;
    pub(crate) const PING: u8 = 10;
}

pub(crate) fn message_kind(message: &[u8]) -> u8 {
    message.first().map_or(0, |tag| tag >> 3)
}

/// The fields of a publication that the load generator checks.
pub(crate) struct Publication<'a> {
    pub(crate) offset: u64,
    pub(crate) previous_offset: u64,
    pub(crate) sealed: &'a [u8],
}

/// Decodes a `Publication` whose fields are in ascending order.
pub(crate) fn publication(message: &[u8]) -> Option<Publication<'_>> {
    let mut rest = message.get(1..)?;
    varint(&mut rest)?;
    let mut publication = Publication { offset: 0, previous_offset: 0, sealed: &[] };
    while let Some((tag, after)) = rest.split_first() {
        rest = after;
        let value = varint(&mut rest)?;
        match tag >> 3 {
            2 => publication.offset = value,
            3 => publication.previous_offset = value,
            4 => {}
            field => {
                let (bytes, after) = rest.split_at_checked(usize::try_from(value).ok()?)?;
                rest = after;
                if field == 6 {
                    publication.sealed = bytes;
                }
            }
        }
    }
    Some(publication)
}

fn varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use sealwire_protocol::wire::{self, ToClient};

    #[test]
    fn a_publication_of_the_relays_encoder_is_decoded() {
        let message = ToClient::Publication(wire::Publication {
            channel_id: vec![9; 16].into(),
            offset: 300,
            previous_offset: 299,
            time_ms: 1_700_000_000_000,
            event: "e".into(),
            sealed: vec![5; 200].into(),
        })
        .to_bytes();
        assert_eq!(message_kind(&message), kind::PUBLICATION);
        let read = publication(&message).unwrap();
        assert_eq!((read.offset, read.previous_offset, read.sealed), (300, 299, &[5; 200][..]));
    }
}
