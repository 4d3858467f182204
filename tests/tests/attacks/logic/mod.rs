//! What a client asks for with good frames and good tokens.

mod isolation;
mod positions;
mod sessions;
mod tokens;

use crate::{
    case::{Case, case, patient},
    http::{batch, message},
    target::{Target, channel, context, must_fail, must_live, now, random, scope, sealed},
};
use sealwire_protocol::{
    ChannelAddress, Code, UnixSeconds, limits,
    tokens::{ChannelClaims, Permissions, SessionClaims, SigningKey, sign},
    wire::{
        Channel, End, Hello, Position, Publication, Published, Refresh, Session, Since, Subscribe,
        Subscribed, ToClient, ToRelay, Unsubscribe,
    },
};
use sealwire_tests::{Installation, RawSocket};
use serde_json::json;
use std::{collections::HashSet, time::Duration};

/// How long nothing must come.
const QUIET: Duration = Duration::from_millis(250);

pub(crate) fn cases() -> Vec<Case> {
    [tokens::CASES, positions::CASES, sessions::CASES, isolation::CASES].concat()
}

/// The same keys.
fn twin(installation: &Installation) -> Installation {
    Installation {
        app: installation.app.clone(),
        id: installation.id.clone(),
        signing_key: installation.signing_key.clone(),
        encryption_key: installation.encryption_key,
    }
}

/// Neither gets what the other publishes on a channel that is alike in everything else.
fn never_meet(target: &Target, one: &Installation, other: &Installation, name: &str) {
    let (mut alice, mut mallory) = (target.open(one, "alice"), target.open(other, "alice"));
    joined(&mut alice, channel(name), None);
    joined(&mut mallory, channel(name), Some(Since::ReplaySeconds(60)));
    published(&mut mallory, channel(name), "from mallory");
    published(&mut alice, channel(name), "from alice");
    assert_eq!(text(&publication(&mut alice)), "from alice");
    assert_eq!(text(&publication(&mut mallory)), "from mallory");
    assert!(alice.is_quiet(QUIET) && mallory.is_quiet(QUIET));
}

/// The channel token must be refused with this code by subscribe, publish and HTTP, for the channel `mine`.
fn refuses_channel_token(target: &Target, token: &str, code: Code) {
    let with = Channel { token: token.into(), ..channel("mine") };
    let mut mallory = target.mallory();
    must_fail(&mallory.subscribe(with.clone(), None), code);
    must_fail(&mallory.publish(with, sealed("x"), random()), code);
    let answer = target.publish(&batch(&[message(json!({ "channel": "mine", "token": token }))]));
    assert!(answer.contains(code.name()), "{answer}");
    must_live(&mut mallory);
}

fn session(target: &Target, account: &str, context: &sealwire_protocol::Scope, can: Permissions) -> String {
    let times = (UnixSeconds(now() - 5), UnixSeconds(now() + 600));
    let Installation { app, id, .. } = &target.victim;
    let claims = SessionClaims::new(app.clone(), id.clone(), account.into(), context.clone(), can, times);
    sign(&claims, &SigningKey::parse(&target.victim.signing_key).unwrap()).unwrap()
}

fn channel_token(
    installation: &Installation,
    name: &str,
    tag: u8,
    can: Permissions,
    lifetime: u64,
) -> String {
    let times = (UnixSeconds(now() - 5), UnixSeconds(now() + lifetime));
    let Installation { app, id, signing_key, .. } = installation;
    let claims = ChannelClaims::new(app.clone(), id.clone(), name.into(), [tag; 32], can, times);
    sign(&claims, &SigningKey::parse(signing_key).unwrap()).unwrap()
}

fn refresh(socket: &mut RawSocket, channel_id: &[u8], token: String) -> ToClient {
    let request = socket.request();
    socket.message(&ToRelay::Refresh(Refresh { request, channel_id: channel_id.to_vec().into(), token }));
    socket.expect()
}

fn joined(socket: &mut RawSocket, channel: Channel, since: Option<Since>) -> Subscribed {
    match socket.subscribe(channel, since) {
        ToClient::Subscribed(subscribed) => subscribed,
        other => panic!("{other:?}"),
    }
}

fn published(socket: &mut RawSocket, channel: Channel, text: &str) -> Published {
    accepted(socket.publish(channel, sealed(text), random()))
}

fn accepted(answer: ToClient) -> Published {
    match answer {
        ToClient::Published(published) => published,
        other => panic!("{other:?}"),
    }
}

fn publication(socket: &mut RawSocket) -> Publication {
    match socket.expect() {
        ToClient::Publication(publication) => publication,
        other => panic!("{other:?}"),
    }
}

fn text(publication: &Publication) -> String {
    String::from_utf8(publication.sealed[64..].to_vec()).unwrap()
}
