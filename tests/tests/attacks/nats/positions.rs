//! Positions of other streams, of other apps' messages, and of marks.

use super::{QUIET, client::TIMEOUT, intruder, stream_subject};
use crate::{
    case::{Case, case},
    target::{Target, channel, context, random, sealed},
};
use sealwire_protocol::wire::{Position, Since, ToClient};
use sealwire_tests::RawSocket;
use std::collections::HashSet;

const NAME: &str = "positions";
/// The number of channels whose positions are tried, which lie in all streams.
const CHANNELS: usize = 24;

pub(super) const CASES: &[Case] = &[
    case("nats-positions-of-others", |target| {
        // The first message of the attacker's channel precedes the others, the last one follows them.
        let own = publish(&mut target.mallory(), NAME, "first");
        let mut positions = Vec::new();
        for number in 0..CHANNELS {
            let installation = [&target.victim, &target.neighbour, &target.stranger][number % 3];
            let mut socket = target.open_elsewhere(installation, "alice");
            positions.push(publish(&mut socket, &format!("{NAME}-{number}"), "theirs"));
        }
        let last = publish(&mut target.mallory(), NAME, "last");
        let epochs: HashSet<u64> = positions.iter().map(|position| position.epoch).collect();
        assert_eq!(epochs.len(), 4, "the channels do not lie in all streams");
        // A relay denies a position only after two more marks, so one position of each other stream is tried.
        let mut tried = HashSet::new();
        positions.retain(|position| position.epoch == own.epoch || tried.insert(position.epoch));
        for position in positions {
            let (recovered, texts) = resume(target, position, last);
            // A message of the same stream proves what came after it. No other stream proves anything.
            assert_eq!(recovered, position.epoch == own.epoch, "{position:?}");
            assert!(texts.iter().all(|text| ["first", "last"].contains(&&**text)), "{texts:?}");
            if position.epoch == own.epoch && !tried.insert(own.epoch) {
                continue;
            }
            // A position of another epoch or time.
            for forged in [
                Position { epoch: own.epoch, time_ms: position.time_ms ^ 1, ..position },
                Position { epoch: position.epoch ^ 1, ..position },
                Position { offset: position.offset.wrapping_sub(u64::MAX / 2), ..position },
            ] {
                let (recovered, texts) = resume(target, forged, last);
                assert!(!recovered, "{forged:?} for {position:?}");
                assert!(texts.iter().all(|text| ["first", "last"].contains(&&**text)), "{texts:?}");
            }
        }
    }),
    case("nats-marks-as-positions", |target| {
        let cluster = target.cluster.as_ref().unwrap();
        let (stream, _) = stream_subject(target, cluster, NAME);
        let intruder = intruder(cluster);
        let mut streams = HashSet::new();
        while streams.len() < 4 {
            // A mark that waited may have been discarded meanwhile.
            let mut marks = intruder.listen("sealwire.live.*.mark.*");
            let mark = loop {
                let mark = marks.must_hear();
                if !streams.contains(mark.subject.split('.').nth(2).unwrap()) {
                    break mark;
                }
            };
            let parts: Vec<&str> = mark.subject.split('.').collect();
            let epoch = u64::from_str_radix(parts[4], 16).unwrap();
            let sequence = mark.headers.as_ref().and_then(|headers| headers.get("Nats-Sequence"));
            let offset: u64 = sequence.unwrap().as_str().parse().unwrap();
            let (tag, time_ms) = varint(&mark.payload);
            assert_eq!(tag, 8, "the time of a mark is its first field");
            let own = stream == format!("sealwire-{}", parts[2]);
            streams.insert(parts[2].to_owned());
            let position = Position { epoch, offset, time_ms };
            let last = publish(&mut target.mallory(), NAME, "after the mark");
            // A mark of the channel's stream is what a silent client holds. It replays what came after it.
            let (recovered, texts) = resume(target, position, last);
            assert_eq!(recovered, own, "{position:?}");
            assert!(!own || !texts.is_empty(), "nothing follows {position:?}");
            assert!(texts.iter().all(|text| text == "after the mark"), "{texts:?}");
            for forged in [
                Position { offset: offset + 1_000, ..position },
                Position { time_ms: time_ms + 1, ..position },
            ] {
                assert!(!resume(target, forged, last).0, "{forged:?} for {position:?}");
            }
        }
    }),
];

fn publish(socket: &mut RawSocket, name: &str, text: &str) -> Position {
    match socket.publish(channel(name), sealed(text), random()) {
        ToClient::Published(published) => published.position.unwrap(),
        other => panic!("{other:?}"),
    }
}

/// Resumes the attacker's channel at a position, at the relay to which nothing was published. Returns whether the relay says
/// that nothing is missing, and the replayed texts.
fn resume(target: &Target, position: Position, last: Position) -> (bool, Vec<String>) {
    let id = target.victim.channel_id(&context(), NAME);
    let mut socket = target.open_elsewhere(&target.victim, "mallory");
    let subscribed = match socket.subscribe(channel(NAME), Some(Since::Position(position))) {
        ToClient::Subscribed(subscribed) => subscribed,
        other => panic!("{other:?}"),
    };
    assert_eq!(subscribed.channel_id[..], id.0);
    let mut texts = Vec::new();
    // After a recovered position, the last message is among the replayed ones.
    let wait = if subscribed.recovered { TIMEOUT } else { QUIET / 5 };
    while !socket.is_silent(wait) {
        match socket.expect_message() {
            ToClient::Publication(publication) => {
                assert_eq!(publication.channel_id[..], id.0);
                texts.push(String::from_utf8(publication.sealed[80..].to_vec()).unwrap());
                if publication.offset == last.offset {
                    break;
                }
            }
            other => panic!("{other:?}"),
        }
    }
    (subscribed.recovered, texts)
}

/// Reads the tag and the value of a protobuf message's first field, both varints.
fn varint(mut bytes: &[u8]) -> (u64, u64) {
    let mut next = || prost::encoding::decode_varint(&mut bytes).unwrap();
    (next(), next())
}
