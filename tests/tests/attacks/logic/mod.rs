//! Attacks by clients with valid frames and valid tokens (`logic-`).

mod isolation;
mod positions;
mod presence;
mod sessions;
mod tokens;

use crate::{
    case::{Case, case, measured, slow},
    growth::Growth,
    http::{batch, message},
    target::{Target, channel, context, must_fail, must_stay_open, now, random, scope, sealed},
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

/// The duration without a message after which a test assumes that none follows.
const QUIET: Duration = Duration::from_millis(250);

pub(crate) fn cases() -> Vec<Case> {
    [tokens::CASES, positions::CASES, sessions::CASES, isolation::CASES, presence::CASES].concat()
}

/// Returns a copy of an installation with its keys.
fn twin(installation: &Installation) -> Installation {
    Installation {
        app: installation.app.clone(),
        id: installation.id.clone(),
        signing_key: installation.signing_key.clone(),
        encryption_key: installation.encryption_key,
    }
}

/// Asserts that neither installation receives messages that the other publishes on a channel of the same name and context.
fn must_not_meet(target: &Target, one: &Installation, other: &Installation, name: &str) {
    let (mut alice, mut mallory) = (target.open_elsewhere(one, "alice"), target.open(other, "alice"));
    subscribe(&mut alice, channel(name), None);
    subscribe(&mut mallory, channel(name), Some(Since::ReplaySeconds(60)));
    publish(&mut mallory, channel(name), "from mallory");
    publish(&mut alice, channel(name), "from alice");
    assert_eq!(text(&publication(&mut alice)), "from alice");
    assert_eq!(text(&publication(&mut mallory)), "from mallory");
    assert!(alice.is_quiet(QUIET) && mallory.is_quiet(QUIET));
}

/// Asserts that subscribe, publish and HTTP refuse the channel token with this code for the channel `mine`.
fn must_refuse_channel_token(target: &Target, token: &str, code: Code) {
    let with = Channel { token: token.into(), ..channel("mine") };
    let mut mallory = target.mallory();
    must_fail(&mallory.subscribe(with.clone(), None), code);
    must_fail(&mallory.publish(with, sealed("x"), random()), code);
    let answer = target.publish(&batch(&[message(json!({ "channel": "mine", "token": token }))]));
    assert!(answer.contains(code.name()), "{answer}");
    must_stay_open(&mut mallory);
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
    socket.send_message(&ToRelay::Refresh(Refresh {
        request,
        channel_id: channel_id.to_vec().into(),
        token,
    }));
    socket.expect_message()
}

fn subscribe(socket: &mut RawSocket, channel: Channel, since: Option<Since>) -> Subscribed {
    match socket.subscribe(channel, since) {
        ToClient::Subscribed(subscribed) => subscribed,
        other => panic!("{other:?}"),
    }
}

fn publish(socket: &mut RawSocket, channel: Channel, text: &str) -> Published {
    accepted(socket.publish(channel, sealed(text), random()))
}

fn accepted(answer: ToClient) -> Published {
    match answer {
        ToClient::Published(published) => published,
        other => panic!("{other:?}"),
    }
}

fn publication(socket: &mut RawSocket) -> Publication {
    match socket.expect_message() {
        ToClient::Publication(publication) => publication,
        other => panic!("{other:?}"),
    }
}

fn text(publication: &Publication) -> String {
    String::from_utf8(publication.sealed[80..].to_vec()).unwrap()
}
