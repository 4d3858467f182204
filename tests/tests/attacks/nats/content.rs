//! Contents from a hostile client of NATS: messages, revocations and reports that no relay writes. It may do everything in the
//! account of the relays. None of it has an effect.

use super::{
    QUIET,
    client::TIMEOUT,
    forge::{self, hex},
    intruder, intruder_at, stream_subject,
};
use crate::{
    case::{Case, case, measured},
    forged::kid,
    growth::Growth,
    target::{Target, channel, context, must_stay_open, random, sealed},
};
use sealwire_protocol::{
    limits,
    tokens::SigningKey,
    wire::{Since, ToClient},
};
use sealwire_tests::{Installation, RawSocket};
use std::time::{Duration, Instant};

/// The purpose of the tags of revocations.
const REVOCATIONS: &str = "sealwire revocation 1";

pub(super) const CASES: &[Case] = &[
    case("nats-malformed-messages", |target| {
        let cluster = target.cluster.as_ref().unwrap();
        let (stream, subject) = stream_subject(target, cluster, "malformed");
        let intruder = intruder_at(cluster, &stream);
        let (mut alice, mut carol) = (target.alice(), target.open(&target.victim, "carol"));
        for socket in [&mut alice, &mut carol] {
            subscribe(socket, "malformed", None);
        }
        for payload in malformed() {
            // The stream numbers and repeats it.
            intruder.publish(&subject, payload.clone());
            // A live message that looks like the stream's.
            let live = subject.replacen("sealwire.", "sealwire.live.", 1);
            intruder.publish_with(&live, &[("Nats-Sequence", "7"), ("Nats-Last-Sequence", "3")], payload);
        }
        intruder.flush();
        must_be_the_next(target, &mut [&mut alice, &mut carol], "malformed");
        // A new subscriber reads all of it.
        let mut late = target.open(&target.victim, "late");
        subscribe(&mut late, "malformed", Some(Since::ReplaySeconds(60)));
        for expected in ["first", "malformed"] {
            assert_eq!(text(&mut late), expected);
        }
        assert!(late.is_quiet(QUIET));
    }),
    case("nats-wrong-headers", |target| {
        let cluster = target.cluster.as_ref().unwrap();
        let (stream, subject) = stream_subject(target, cluster, "headers");
        let intruder = intruder_at(cluster, &stream);
        let mut alice = target.alice();
        subscribe(&mut alice, "headers", None);
        let live = subject.replacen("sealwire.", "sealwire.live.", 1);
        let sequences = ["", "-1", "1.5", "0x10", "x", "18446744073709551616", "9".repeat(4000).leak()];
        let (good, payload) = ("1000000000", forge::stored(1, "", &sealed("forged")));
        for bad in sequences {
            for headers in [
                &[("Nats-Sequence", bad), ("Nats-Last-Sequence", "0")][..],
                &[("Nats-Sequence", good), ("Nats-Last-Sequence", bad)],
                &[("Nats-Sequence", good)],
                &[("Nats-Last-Sequence", "0")],
                &[("Traceparent", bad)],
                &[],
            ] {
                intruder.publish_with(&live, headers, payload.clone());
            }
        }
        intruder.flush();
        must_be_the_next(target, &mut [&mut alice], "headers");
    }),
    case("nats-wrong-subjects", |target| {
        let cluster = target.cluster.as_ref().unwrap();
        let (stream, subject) = stream_subject(target, cluster, "subjects");
        let intruder = intruder_at(cluster, &stream);
        let mut alice = target.alice();
        subscribe(&mut alice, "subjects", None);
        let id = target.victim.channel_id(&context(), "subjects").to_string();
        let own: usize = subject.split('.').nth(1).unwrap().parse().unwrap();
        let payload = forge::stored(1, "", &sealed("forged"));
        for stream in 0..4 {
            let mut ids =
                vec![id.to_uppercase(), id[1..].to_owned(), format!("{id}0"), format!("+{}", &id[1..])];
            ids.extend(["zz".repeat(16), "é".repeat(16), "x".to_owned(), "*".to_owned(), "0".repeat(8_000)]);
            if stream != own {
                // The channel belongs to another stream.
                ids.push(id.clone());
            }
            for id in ids.iter().filter(|id| *id != "*") {
                for kind in ["c", "mark", "x"] {
                    intruder.publish(&format!("sealwire.{stream}.{kind}.{id}"), payload.clone());
                }
            }
            for subject in ["c", "mark", "c.a.b", "x"] {
                intruder.publish(&format!("sealwire.{stream}.{subject}"), payload.clone());
            }
        }
        intruder.flush();
        must_be_the_next(target, &mut [&mut alice], "subjects");
    }),
    case("nats-forged-revocations", |target| {
        let cluster = target.cluster.as_ref().unwrap();
        let intruder = intruder(cluster);
        let mut sessions = [target.alice(), target.open(&target.victim, "alice")];
        let digest = |kind, parts: &[&str]| forge::digest(kind, parts);
        let Installation { app, id, .. } = &target.victim;
        let installation = digest("installation", &[app, id]);
        let account = digest("account", &[app, id, "alice"]);
        let records = [
            forge::revocation(installation, Some(account), u64::MAX),
            forge::revocation(installation, None, u64::MAX),
        ];
        for record in records {
            for tags in wrong_tags(target, &record, REVOCATIONS) {
                let payload = forge::tagged(&record, &tags);
                // Heard at once, and in the log: under names that relays give, and under others.
                for name in ["a.b", &format!("{}.{}", hex(&installation), hex(&account)), "epoch.x"] {
                    intruder.publish(&format!("sealwire.revocations.{name}"), payload.clone());
                }
            }
        }
        for noise in [vec![], vec![0xff; 10], vec![8; 4000]] {
            intruder.publish("sealwire.revocations.c.d", noise.clone());
        }
        intruder.flush();
        // The relays read the log once a second.
        std::thread::sleep(Duration::from_millis(1500));
        sessions.iter_mut().for_each(must_stay_open);
        must_stay_open(&mut target.alice());
        must_stay_open(&mut target.open(&target.victim, "alice"));
        must_have_logged(target, "revocations that no key of this relay signed");
    }),
    measured("nats-forged-reports", |target| {
        let cluster = target.cluster.as_ref().unwrap();
        let intruder = intruder(cluster);
        let growth = Growth::of(target.relays());
        let Installation { app, id, .. } = &target.neighbour;
        let names = [forge::digest("installation", &[app, id]), forge::digest("app", &["nobody"])];
        for relay in 0..2_000_u64 {
            let subject = format!("sealwire.relays.{relay:016x}");
            let report = match relay % 4 {
                0 => vec![0xff; 1000],
                1 => forge::report(2, 1, &names, u32::MAX),
                2 => forge::report(1, u64::MAX, &[[7; 16]; 5000], 1),
                _ => forge::report(1, relay, &names[1..], u32::MAX),
            };
            intruder.publish(&subject, report);
        }
        for subject in [
            "sealwire.relays.x",
            "sealwire.relays.+00000000000000f",
            &format!("sealwire.relays.{}", "f".repeat(4000)),
        ] {
            intruder.publish(subject, forge::report(1, 1, &names, 1));
        }
        intruder.publish("sealwire.relays.00000000000000aa", vec![0; 900_000]);
        intruder.flush();
        let (mut alice, mut carol) = (target.alice(), target.open(&target.victim, "carol"));
        subscribe(&mut alice, "reported", None);
        must_be_the_next(target, &mut [&mut alice], "reported");
        must_stay_open(&mut carol);
        growth.must_be_below(128 << 20);
        must_have_logged(target, "a report of another relay was ignored");
    }),
];

/// Returns contents of messages that no relay writes.
fn malformed() -> Vec<Vec<u8>> {
    let valid = forge::stored(1, "event", &sealed("forged"));
    let mut all = vec![
        vec![0xff; 100],
        vec![0; 100],
        valid[..valid.len() - 1].to_vec(),
        // An event that is not UTF-8.
        [&[0x12, 2, 0xff, 0xff], &*forge::stored(1, "", &sealed("forged"))].concat(),
        forge::stored(1, &"e".repeat(limits::MAX_EVENT_NAME + 1), &sealed("forged")),
        forge::stored(1, "", &vec![1; limits::MAX_SEALED + 1]),
        forge::stored(1, "", &vec![1; 1_000_000]),
        // A length beyond the end, and one of 2^63.
        vec![0x1a, 0xff, 0xff, 0xff, 0x7f],
        [&[0x1a][..], &[0xff; 8], &[0x7f]].concat(),
    ];
    // Groups within groups.
    all.push(vec![0x0b; 10_000]);
    all
}

/// Returns lists of tags of which none is made with a key of the victim's app.
pub(super) fn wrong_tags(target: &Target, record: &[u8], purpose: &str) -> Vec<Vec<(String, Vec<u8>)>> {
    let key = |installation: &Installation| SigningKey::parse(&installation.signing_key).unwrap();
    let victim = kid(&target.victim).to_owned();
    let theirs = key(&target.stranger).tag(purpose, record).to_vec();
    let other_purpose = key(&target.victim).tag(&format!("{purpose} "), record).to_vec();
    vec![
        vec![],
        vec![(victim.clone(), vec![])],
        vec![(victim.clone(), vec![0; 64])],
        // The key of another app at the same relay, under its own name and under the victim's.
        vec![(kid(&target.stranger).to_owned(), theirs.clone())],
        vec![(victim.clone(), theirs.clone())],
        vec![(victim.clone(), other_purpose)],
        vec![(String::new(), theirs.clone()), ("k".repeat(1000), theirs.clone())],
        vec![(victim, theirs); 100],
    ]
}

/// Asserts that each relay logs a text within some seconds.
pub(super) fn must_have_logged(target: &Target, text: &str) {
    for relay in target.relays() {
        let start = Instant::now();
        while !relay.log().contains(text) {
            assert!(start.elapsed() < TIMEOUT, "a relay does not log '{text}'");
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

fn subscribe(socket: &mut RawSocket, name: &str, since: Option<Since>) {
    let answer = socket.subscribe(channel(name), since);
    assert!(matches!(answer, ToClient::Subscribed(_)), "{answer:?}");
}

/// Asserts that the sockets have received nothing, and receive the next publication of a channel of the victim.
fn must_be_the_next(target: &Target, sockets: &mut [&mut RawSocket], name: &str) {
    let answer = target.mallory().publish(channel(name), sealed(name), random());
    assert!(matches!(answer, ToClient::Published(_)), "{answer:?}");
    for socket in sockets {
        assert_eq!(text(socket), name);
        assert!(socket.is_quiet(QUIET));
        must_stay_open(socket);
    }
}

/// Returns the text of the publication that must be the next message.
fn text(socket: &mut RawSocket) -> String {
    match socket.expect_message() {
        ToClient::Publication(publication) => String::from_utf8(publication.sealed[80..].to_vec()).unwrap(),
        other => panic!("{other:?}"),
    }
}
