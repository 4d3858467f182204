//! Access to NATS: strangers on its network, and users who belong to another cluster of relays.

use super::{
    QUIET,
    client::{NatsClient, TIMEOUT},
    stream_subject,
};
use crate::{
    case::{Case, case},
    cluster::{ANOTHER_PREFIX, ANOTHER_RELAY, NEIGHBOUR, RELAY_PASSWORD},
    target::{channel, must_stay_open, random, sealed},
};
use sealwire_protocol::wire::ToClient;
use sealwire_tests::RawSocket;
use serde_json::json;

pub(super) const CASES: &[Case] = &[
    case("nats-stranger", |target| {
        let cluster = target.cluster.as_ref().unwrap();
        for server in 0..cluster.nats.size() {
            for (user, password) in [
                ("", ""),
                ("relay", ""),
                ("relay", "guess"),
                ("operator", RELAY_PASSWORD),
                ("intruder", "guess"),
            ] {
                let connected = NatsClient::connect(cluster, server, user, password);
                assert!(connected.is_err(), "NATS admits '{user}' with the password '{password}'");
            }
        }
        let channel_id = target.victim.channel_id(&crate::target::context(), "strange");
        let mut alice = target.alice();
        assert!(matches!(alice.subscribe(channel("strange"), None), ToClient::Subscribed(_)));
        let orders = format!(
            "SUB > 1\r\nPUB sealwire.live.0.c.{channel_id} 1\r\nx\r\nPUB $JS.API.STREAM.DELETE.sealwire-0 0\r\n\r\nPING\r\n"
        );
        // Without TLS, the server takes no order at all.
        for greeting in ["", "CONNECT {}\r\n", "CONNECT {\"user\":\"relay\",\"pass\":\"guess\"}\r\n"] {
            let mut socket = RawSocket::connect(cluster.nats.address(0).port());
            socket.send(format!("{greeting}{orders}").as_bytes());
            must_learn_nothing(&socket.text());
        }
        // A server of the stranger's own.
        for password in ["", "guess"] {
            let mut socket = RawSocket::connect(cluster.nats.route_address(0).port());
            let info = json!({ "server_id": "STRANGER", "server_name": "stranger", "cluster": "test", "version": "2.15.1",
                "headers": true, "jetstream": true, "max_payload": 1_048_576, "proto": 1 });
            let connect = json!({ "verbose": false, "user": "route", "pass": password, "name": "STRANGER", "cluster": "test" });
            socket.send(format!("CONNECT {connect}\r\nINFO {info}\r\nRS+ SEALWIRE >\r\nPING\r\n").as_bytes());
            must_learn_nothing(&socket.text());
        }
        assert!(alice.is_quiet(QUIET));
    }),
    case("nats-user-of-another-prefix", |target| {
        let cluster = target.cluster.as_ref().unwrap();
        let inbox = format!("_INBOX.{ANOTHER_PREFIX}");
        let user = NatsClient::connect_with(cluster, 0, ANOTHER_RELAY, RELAY_PASSWORD, &inbox).unwrap();
        let (stream, subject) = stream_subject(target, cluster, "elsewhere");
        let mut alice = target.alice();
        assert!(matches!(alice.subscribe(channel("elsewhere"), None), ToClient::Subscribed(_)));
        for subject in [
            ">",
            "*.>",
            "sealwire.>",
            "sealwire.live.>",
            "sealwire.live.*.c.*",
            "sealwire.relays.*",
            "sealwire.presence.*",
            "sealwire.revocations.*.*",
            "_INBOX.>",
            "_INBOX.sealwire.>",
            "$JS.>",
            "$SYS.>",
        ] {
            user.must_be_refused(subject, |user| user.listen(subject));
        }
        let live = subject.replacen("sealwire.", "sealwire.live.", 1);
        for subject in [
            &*subject,
            &*live,
            "sealwire.relays.00000000000000ff",
            "sealwire.presence.00000000000000ff",
            "sealwire.revocations.a.b",
            &format!("$JS.API.STREAM.INFO.{stream}"),
            &format!("$JS.API.STREAM.MSG.GET.{stream}"),
            &format!("$JS.API.DIRECT.GET.{stream}"),
            &format!("$JS.API.STREAM.DELETE.{stream}"),
            &format!("$JS.API.STREAM.PURGE.{stream}"),
            &format!("$JS.API.CONSUMER.CREATE.{stream}"),
            "$JS.API.STREAM.MSG.GET.sealwire-revocations",
            "$JS.API.STREAM.CREATE.sealwire-0",
            "_INBOX.sealwire.guess",
        ] {
            user.must_be_refused(subject, |user| user.publish(subject, "forged"));
        }
        // Its own prefix is at its service.
        let mut own = user.listen(&format!("{ANOTHER_PREFIX}.relays.*"));
        user.publish(&format!("{ANOTHER_PREFIX}.relays.1"), "own");
        assert_eq!(&*own.must_hear().payload, b"own");
        must_hear_nothing_but(&mut alice, target, "elsewhere");
    }),
    case("nats-user-of-another-account", |target| {
        let cluster = target.cluster.as_ref().unwrap();
        let user = NatsClient::connect(cluster, 0, NEIGHBOUR, RELAY_PASSWORD).unwrap();
        let mut heard = user.listen(">");
        let (stream, subject) = stream_subject(target, cluster, "next door");
        let mut alice = target.alice();
        assert!(matches!(alice.subscribe(channel("next door"), None), ToClient::Subscribed(_)));
        let live = subject.replacen("sealwire.", "sealwire.live.", 1);
        let headers = [("Nats-Sequence", "1000000"), ("Nats-Last-Sequence", "0")];
        for subject in [&subject, &live] {
            user.publish_with(subject, &headers, "forged");
        }
        // A stream of the same name, and copies of the relays' stream, have nothing of it.
        user.must_ask(
            &format!("STREAM.CREATE.{stream}"),
            &json!({ "name": stream, "subjects": [subject.clone()], "storage": "memory" }),
        );
        for (name, key) in [("copy-1", "mirror"), ("copy-2", "sources")] {
            let source = json!({ "name": "sealwire-1" });
            let value = if key == "mirror" { source } else { json!([source]) };
            let mut config = json!({ "name": name, "storage": "memory" });
            config[key] = value;
            let created = user.request(&format!("$JS.API.STREAM.CREATE.{name}"), &config, TIMEOUT).unwrap();
            if created["error"].is_null() {
                std::thread::sleep(QUIET);
                let info = user.must_ask(&format!("STREAM.INFO.{name}"), &json!({}));
                assert_eq!(info["state"]["messages"], 0, "{info}");
            }
        }
        user.flush();
        must_hear_nothing_but(&mut alice, target, "next door");
        for message in heard.all_within(QUIET) {
            let is_own = [&*subject, &*live].contains(&&*message.subject);
            assert!(is_own || !message.subject.starts_with("sealwire."), "{}", message.subject);
            let is_sealed = message.payload.windows(8).any(|part| part == b"among us");
            assert!(!is_sealed, "{}", message.subject);
        }
        for name in [&*stream, "copy-1", "copy-2"] {
            let _ = user.request(&format!("$JS.API.STREAM.DELETE.{name}"), &json!({}), TIMEOUT);
        }
    }),
];

/// Asserts that a server said nothing but its greeting and a refusal, and closed the connection.
fn must_learn_nothing(text: &str) {
    for line in text.lines() {
        let is_harmless = line.starts_with("INFO {") || line.starts_with("-ERR") || line == "PING";
        assert!(is_harmless, "{line:?}");
    }
    assert!(!text.contains("sealwire"), "{text}");
}

/// Asserts that alice receives the next publication of her channel and nothing before or after it.
fn must_hear_nothing_but(alice: &mut RawSocket, target: &crate::target::Target, name: &str) {
    assert!(alice.is_quiet(QUIET));
    let answer = target.mallory().publish(channel(name), sealed("among us"), random());
    assert!(matches!(answer, ToClient::Published(_)), "{answer:?}");
    match alice.expect_message() {
        ToClient::Publication(publication) => assert_eq!(&publication.sealed[80..], b"among us"),
        other => panic!("{other:?}"),
    }
    must_stay_open(alice);
}
