//! The attacks of a hostile writer.

use super::{WriterAttack, scene::Scene};
use crate::{
    nats::{client::Heard, forge, intruder},
    target::{random, sealed},
};
use serde_json::{Value, json};
use std::{
    thread,
    time::{Duration, Instant},
};

pub(crate) const ATTACKS: &[WriterAttack] = &[
    WriterAttack { name: "nats-writer-forged-messages", run: forged_messages },
    WriterAttack { name: "nats-writer-forged-marks", run: forged_marks },
    WriterAttack { name: "nats-writer-messages-of-the-future", run: messages_of_the_future },
    WriterAttack { name: "nats-writer-marks-of-the-future", run: marks_of_the_future },
    WriterAttack { name: "nats-writer-forged-sessions", run: forged_sessions },
    WriterAttack { name: "nats-writer-garbage-answers", run: garbage_answers },
    WriterAttack { name: "nats-writer-forged-answers", run: forged_answers },
    WriterAttack { name: "nats-writer-flood", run: flood },
    WriterAttack { name: "nats-writer-removes-the-stream", run: remove_the_stream },
];

/// The duration of attacks that continue.
const DURATION: Duration = Duration::from_secs(3);
/// The number of connections of a flood.
const FLOODERS: usize = 3;
/// The time after which a relay that lacks marks is not ready, and somewhat more.
const OUTDATED: Duration = Duration::from_secs(7);

/// Sends live messages that repeat sequences of the stream, and stores some.
fn forged_messages(scene: &Scene) {
    let payload = forge::stored(1, "event", &sealed("forged"));
    for sequence in [1, 2, 0, 5] {
        for previous in [0, 1, sequence, u64::MAX] {
            let (sequence, previous) = (sequence.to_string(), previous.to_string());
            let headers = [("Nats-Sequence", &*sequence), ("Nats-Last-Sequence", &*previous)];
            scene.intruder.publish_with(&scene.live, &headers, payload.clone());
        }
    }
    for _ in 0..100 {
        scene.intruder.publish(&scene.subject, payload.clone());
    }
    scene.intruder.flush();
}

/// Sends and stores marks of this epoch and of another one.
fn forged_marks(scene: &Scene) {
    let number = &scene.number;
    let mut heard = scene.intruder.listen(&format!("sealwire.{number}.mark.*"));
    let mark = heard.must_hear().subject.to_string();
    let other = format!("sealwire.{number}.mark.00000000000000ff");
    let payload = forge::stored(1, "", b"");
    for subject in [&mark, &other] {
        let live = subject.replacen("sealwire.", "sealwire.live.", 1);
        for sequence in [1, 2, 0] {
            for previous in [0, sequence, u64::MAX] {
                let (sequence, previous) = (sequence.to_string(), previous.to_string());
                let headers = [("Nats-Sequence", &*sequence), ("Nats-Last-Sequence", &*previous)];
                scene.intruder.publish_with(&live, &headers, payload.clone());
            }
        }
        scene.intruder.publish(subject, payload.clone());
    }
    scene.intruder.flush();
    thread::sleep(OUTDATED);
}

/// Sends a live message under a sequence that the stream has not reached.
fn messages_of_the_future(scene: &Scene) {
    let headers = [("Nats-Sequence", "18446744073709551615"), ("Nats-Last-Sequence", "0")];
    scene.intruder.publish_with(&scene.live, &headers, forge::stored(1, "event", &sealed("forged")));
    scene.intruder.flush();
}

/// Sends a live mark under a sequence that the stream has not reached.
fn marks_of_the_future(scene: &Scene) {
    let mut heard = scene.intruder.listen(&format!("sealwire.{}.mark.*", scene.number));
    let live = heard.must_hear().subject.replacen("sealwire.", "sealwire.live.", 1);
    let headers = [("Nats-Sequence", "1000000"), ("Nats-Last-Sequence", "0")];
    scene.intruder.publish_with(&live, &headers, forge::stored(1, "", b""));
    scene.intruder.flush();
    thread::sleep(OUTDATED);
}

/// Claims that the victims' installation and account have all sessions.
fn forged_sessions(scene: &Scene) {
    let installation = &scene.target.victim;
    let (app, id) = (&*installation.app, &*installation.id);
    let names = [
        forge::digest("app", &[app]),
        forge::digest("installation", &[app, id]),
        forge::digest("account", &[app, id, "alice"]),
    ];
    let start = Instant::now();
    while start.elapsed() < DURATION {
        for relay in 0..100_u64 {
            let report = forge::report(1, start.elapsed().as_millis() as u64 + 1, &names, u32::MAX);
            scene.intruder.publish(&format!("sealwire.relays.{relay:016x}"), report);
        }
        scene.intruder.flush();
        thread::sleep(Duration::from_millis(50));
    }
}

/// Answers the relays' requests before NATS does, with bytes that are no answer.
fn garbage_answers(scene: &Scene) {
    answer_all(scene, |number, _| match number % 8 {
        0 => vec![],
        1 => b"{".to_vec(),
        2 => b"null".to_vec(),
        3 => b"{}".to_vec(),
        4 => vec![0xff; 100],
        5 => "[".repeat(100_000).into_bytes(),
        6 => br#"{"error":{"code":500,"err_code":1,"description":"x"}}"#.to_vec(),
        _ => br#"{"state":{"messages":-1},"message":{"seq":"x","data":"?"},"seq":-1}"#.to_vec(),
    });
}

/// Answers the relays' requests before NATS does, with well-formed lies.
fn forged_answers(scene: &Scene) {
    answer_all(scene, |number, subject| {
        let sequence = [0, 1, 1_000_000, u64::MAX][number / 3 % 4];
        let message = json!({ "subject": scene.subject, "seq": sequence, "data": "CAE=", "time": "2026-01-01T00:00:00Z" });
        let state = json!({ "messages": sequence, "first_seq": sequence, "last_seq": sequence, "bytes": 0,
            "consumer_count": 0, "first_ts": "2026-01-01T00:00:00Z", "last_ts": "0001-01-01T00:00:00Z" });
        let body: Value = match number % 3 {
            0 if subject.starts_with("sealwire.") => json!({ "stream": scene.stream, "seq": sequence }),
            0 => json!({ "message": message }),
            1 => {
                json!({ "state": state, "config": {}, "ts": "9999-12-31T23:59:59Z", "cluster": { "leader": "nobody" } })
            }
            _ => json!({ "error": { "code": 404, "err_code": 10_059, "description": "stream not found" } }),
        };
        body.to_string().into_bytes()
    });
}

/// Answers each request of the relays for a while.
fn answer_all(scene: &Scene, body: impl Fn(usize, &str) -> Vec<u8>) {
    let subjects = ["$JS.API.>", "sealwire.*.c.*", "sealwire.*.mark.*", "sealwire.revocations.>"];
    let mut heard: Vec<Heard> = subjects.map(|subject| scene.intruder.listen(subject)).into();
    let (start, mut number) = (Instant::now(), 0);
    let headers = [
        ("Nats-Sequence", "18446744073709551615"),
        ("Nats-Time-Stamp", "x"),
        ("Nats-Subject", &*scene.subject),
    ];
    while start.elapsed() < DURATION {
        for message in heard.iter_mut().filter_map(|heard| heard.next(Duration::from_millis(1))) {
            let Some(reply) = message.reply else { continue };
            number += 1;
            scene.intruder.publish(&reply, body(number, &message.subject));
            scene.intruder.publish_with(&reply, &headers, body(number, &message.subject));
        }
    }
    scene.intruder.flush();
    assert!(number > 0, "the relays sent no request");
}

/// Sends large messages wherever the relays listen, as fast as NATS takes them.
fn flood(scene: &Scene) {
    let names: Vec<[u8; 16]> = (0..4096).map(|_| random()).collect();
    let (report, noise) = (forge::report(1, 1, &names, 1), vec![0xff; 1_000_000]);
    let mark = format!("sealwire.live.{}.mark.00000000000000ff", scene.number);
    let start = Instant::now();
    thread::scope(|scope| {
        for _ in 0..FLOODERS {
            scope.spawn(|| {
                let flooder = intruder(scene.target.cluster.as_ref().unwrap());
                while start.elapsed() < DURATION {
                    for _ in 0..5 {
                        let relay = u64::from_be_bytes(random());
                        flooder.publish(&format!("sealwire.relays.{relay:016x}"), report.clone());
                    }
                    flooder.publish("sealwire.relays.00000000000000aa", noise.clone());
                    flooder.publish("sealwire.revocations.a.b", vec![0xff; 4_000]);
                    for subject in [&scene.live, &mark] {
                        let headers = [("Nats-Sequence", "1"), ("Nats-Last-Sequence", "0")];
                        flooder.publish_with(subject, &headers, noise.clone());
                    }
                    flooder.flush();
                }
            });
        }
    });
}

/// Empties the stream, and removes it.
fn remove_the_stream(scene: &Scene) {
    for api in ["PURGE", "DELETE"] {
        scene.intruder.must_ask(&format!("STREAM.{api}.{}", scene.stream), &json!({}));
        thread::sleep(Duration::from_millis(500));
    }
}
