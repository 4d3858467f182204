//! Attacks through NATS on a relay of a cluster (`nats-`).

mod access;
mod client;
mod content;
mod forge;
mod positions;
mod presence;
mod seen;
mod tokens;
pub(crate) mod writer;

use crate::{
    case::Case,
    cluster::{Cluster, INTRUDER, RELAY_PASSWORD},
    target::{Target, channel, random, sealed},
};
use client::NatsClient;
use sealwire_protocol::wire::ToClient;
use serde_json::json;
use std::time::Duration;

/// The duration without a message after which a test assumes that none follows.
const QUIET: Duration = Duration::from_millis(250);

pub(crate) fn cases() -> Vec<Case> {
    [access::CASES, content::CASES, positions::CASES, presence::CASES, seen::CASES].concat()
}

/// Connects as a user who may do everything in the relays' account.
fn intruder(cluster: &Cluster) -> NatsClient {
    NatsClient::connect(cluster, 0, INTRUDER, RELAY_PASSWORD).unwrap()
}

/// Connects to the leader of a stream, where relays listen to it, as a user who may do everything.
fn intruder_at(cluster: &Cluster, stream: &str) -> NatsClient {
    let leader = cluster.nats.leader_of(stream).expect("the stream has a leader");
    NatsClient::connect(cluster, leader, INTRUDER, RELAY_PASSWORD).unwrap()
}

/// Publishes on a channel of the victim. Returns the name of its stream and its subject.
fn stream_subject(target: &Target, cluster: &Cluster, name: &str) -> (String, String) {
    let id = target.victim.channel_id(&crate::target::context(), name);
    let answer = target.alice().publish(channel(name), sealed("first"), random());
    assert!(matches!(answer, ToClient::Published(_)), "{answer:?}");
    let number = u16::from_be_bytes([id.0[14], id.0[15]]) % 4;
    let (stream, subject) = (format!("sealwire-{number}"), format!("sealwire.{number}.c.{id}"));
    intruder(cluster).must_ask(&format!("STREAM.MSG.GET.{stream}"), &json!({ "last_by_subj": subject }));
    (stream, subject)
}
