//! What a client asks for with good frames and good tokens.

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

pub(crate) const CASES: &[Case] = &[
    case("logic-cross-app", |target| {
        // Everything alike but the app.
        let twin = Installation { id: target.victim.id.clone(), ..twin(&target.stranger) };
        never_meet(target, &target.victim, &twin, "cross-app");
    }),
    case("logic-cross-installation", |target| {
        never_meet(target, &target.victim, &target.neighbour, "cross-installation")
    }),
    case("logic-cross-context", |target| {
        let mut victim = target.open(&target.victim, "alice");
        joined(&mut victim, channel("cross-context"), None);
        let other =
            target.victim.session("mallory", &scope(&[("module", "absences"), ("dashboard", "10002")]), 600);
        let mut mallory = RawSocket::open(target.port, &other);
        joined(&mut mallory, channel("cross-context"), None);
        published(&mut mallory, channel("cross-context"), "from the other dashboard");
        let mut alice = target.open(&target.victim, "alice");
        published(&mut alice, channel("cross-context"), "among us");
        assert_eq!(text(&publication(&mut victim)), "among us");
        assert_eq!(text(&publication(&mut mallory)), "from the other dashboard");
        assert!(mallory.is_quiet(QUIET));
    }),
    case("logic-part-of-a-context", |target| {
        // Neither a subset nor a superset of the properties is the same channel.
        let mut victim = target.open(&target.victim, "alice");
        joined(&mut victim, channel("parts"), None);
        let mut mallory = target.mallory();
        for properties in [&["dashboard"][..], &["module"], &[]] {
            let part = Channel {
                properties: properties.iter().map(|&name| name.to_owned()).collect(),
                ..channel("parts")
            };
            published(&mut mallory, part, "from elsewhere");
        }
        assert!(victim.is_quiet(QUIET));
    }),
    case("logic-property-not-in-the-context", |target| {
        let mut mallory = target.mallory();
        for properties in [
            vec!["board"],
            vec!["dashboard", "issue"],
            vec!["10001"],
            vec!["DASHBOARD"],
            vec!["dashboard\0"],
            vec![""],
            vec!["module"; 17],
            vec!["module", "module"],
        ] {
            let properties = properties.into_iter().map(str::to_owned).collect();
            let answer = mallory.subscribe(Channel { properties, ..channel("x") }, None);
            must_fail(&answer, Code::ScopeRefused);
        }
        must_live(&mut mallory);
    }),
    case("logic-names-that-run-together", |target| {
        // Parts that read alike when they are joined without their lengths.
        let mut ids = HashSet::new();
        let installation = |id: &str| Installation { id: id.to_owned(), ..twin(&target.victim) };
        for (id, pairs, name) in [
            ("ab", &[("p", "c")][..], "d"),
            ("a", &[("p", "c")], "bd"),
            ("ab", &[("pc", "x")], "d"),
            ("ab", &[("p", "cd")], "x"),
            ("ab", &[], "pcd"),
            ("ab", &[("p", "c"), ("q", "d")], "d"),
            ("ab", &[("p", "cqd")], "d"),
            ("ab", &[("p", "c")], "d\0"),
        ] {
            let mut socket =
                RawSocket::open(target.port, &installation(id).session("mallory", &scope(pairs), 600));
            let properties = pairs.iter().map(|(name, _)| (*name).to_owned()).collect();
            let subscribed =
                joined(&mut socket, Channel { name: name.into(), properties, token: String::new() }, None);
            assert!(ids.insert(subscribed.channel_id), "two channels are one");
        }
    }),
    case("logic-token-of-another-channel", |target| {
        refuses_channel_token(
            target,
            &channel_token(&target.victim, "theirs", 1, Permissions::ALL, 600),
            Code::TokenChannel,
        );
    }),
    case("logic-token-of-another-installation", |target| {
        refuses_channel_token(
            target,
            &channel_token(&target.neighbour, "mine", 1, Permissions::ALL, 600),
            Code::TokenInstallation,
        );
    }),
    case("logic-token-of-another-app", |target| {
        refuses_channel_token(
            target,
            &channel_token(&target.stranger, "mine", 1, Permissions::ALL, 600),
            Code::TokenApp,
        );
    }),
    case("logic-token-of-another-kind", |target| {
        refuses_channel_token(target, &target.victim.backend(), Code::TokenAudience);
        refuses_channel_token(
            target,
            &target.victim.session("mallory", &context(), 600),
            Code::TokenAudience,
        );
    }),
    case("logic-other-claims", |target| {
        // Another tag is another channel, and none is another one still.
        let with = |tag| Channel {
            token: channel_token(&target.victim, "claims", tag, Permissions::ALL, 600),
            ..channel("claims")
        };
        let (mut alice, mut mallory) = (target.open(&target.victim, "alice"), target.mallory());
        joined(&mut alice, with(1), None);
        joined(&mut mallory, with(2), None);
        published(&mut mallory, with(2), "to my own");
        assert_eq!(text(&publication(&mut mallory)), "to my own");
        published(&mut mallory, channel("claims"), "without claims");
        assert!(alice.is_quiet(QUIET) && mallory.is_quiet(QUIET));
    }),
    case("logic-publish-without-permission", |target| {
        let only = Permissions { subscribe: true, publish: false };
        let mut mallory = RawSocket::open(target.port, &session(target, "mallory", &context(), only));
        let answer = mallory.publish(channel("read-only"), sealed("x"), random());
        must_fail(&answer, Code::PermissionMissing);
        let mut mallory = target.mallory();
        let token = channel_token(&target.victim, "read-only", 1, only, 600);
        let answer =
            mallory.publish(Channel { token: token.clone(), ..channel("read-only") }, sealed("x"), random());
        must_fail(&answer, Code::PermissionMissing);
        let answer = target.publish(&batch(&[message(json!({ "channel": "read-only", "token": token }))]));
        assert!(answer.contains("PERMISSION_MISSING"), "{answer}");
    }),
    case("logic-subscribe-without-permission", |target| {
        let only = Permissions { subscribe: false, publish: true };
        let mut mallory = RawSocket::open(target.port, &session(target, "mallory", &context(), only));
        must_fail(&mallory.subscribe(channel("write-only"), None), Code::PermissionMissing);
        let mut mallory = target.mallory();
        let token = channel_token(&target.victim, "write-only", 1, only, 600);
        must_fail(
            &mallory.subscribe(Channel { token, ..channel("write-only") }, None),
            Code::PermissionMissing,
        );
    }),
    case("logic-refresh-to-another-identity", |target| {
        let mut mallory = target.mallory();
        let other_context = scope(&[("module", "absences"), ("dashboard", "10002")]);
        let wider = scope(&[("module", "absences"), ("dashboard", "10001"), ("issue", "1")]);
        for token in [
            target.victim.session("alice", &context(), 600),
            target.neighbour.session("mallory", &context(), 600),
            target.stranger.session("mallory", &context(), 600),
            target.victim.session("mallory", &other_context, 600),
            target.victim.session("mallory", &wider, 600),
            target.victim.session("mallory", &scope(&[]), 600),
        ] {
            must_fail(&refresh(&mut mallory, &[], token), Code::TokenIdentity);
        }
        must_live(&mut mallory);
    }),
    case("logic-refresh-replayed", |target| {
        // A token that was good once does not become good again, and one that is still good gains nothing but its own time.
        let expired = target.token_with(json!({ "iat": now() - 100, "exp": now() - 1 }));
        let mut mallory = target.mallory();
        for _ in 0..3 {
            must_fail(&refresh(&mut mallory, &[], expired.clone()), Code::TokenExpired);
        }
        let earlier = target.victim.session("mallory", &context(), 300);
        for _ in 0..3 {
            match refresh(&mut mallory, &[], earlier.clone()) {
                ToClient::Refreshed(refreshed) => assert!(refreshed.expires_at <= now() + 300),
                other => panic!("{other:?}"),
            }
        }
    }),
    case("logic-refresh-with-fewer-permissions", |target| {
        let mut mallory = target.mallory();
        let id = joined(&mut mallory, channel("fewer"), None).channel_id;
        let token = session(target, "mallory", &context(), Permissions { subscribe: false, publish: false });
        assert!(matches!(refresh(&mut mallory, &[], token), ToClient::Refreshed(_)));
        match mallory.expect() {
            ToClient::Ended(ended) => {
                assert_eq!((ended.channel_id, ended.code), (id, Code::PermissionMissing.number()))
            }
            other => panic!("{other:?}"),
        }
        must_fail(&mallory.publish(channel("fewer"), sealed("x"), random()), Code::PermissionMissing);
    }),
    case("logic-refresh-of-other-claims", |target| {
        let with = |tag| channel_token(&target.victim, "refreshed", tag, Permissions::ALL, 600);
        let mut mallory = target.mallory();
        let id = joined(&mut mallory, Channel { token: with(1), ..channel("refreshed") }, None).channel_id;
        must_fail(&refresh(&mut mallory, &id, with(2)), Code::TokenIdentity);
        let other = channel_token(&target.victim, "another", 1, Permissions::ALL, 600);
        must_fail(&refresh(&mut mallory, &id, other), Code::TokenChannel);
        let plain = joined(&mut mallory, channel("refreshed"), None).channel_id;
        must_fail(&refresh(&mut mallory, &plain, with(1)), Code::TokenIdentity);
        must_fail(&refresh(&mut mallory, &[7; 16], with(1)), Code::NotSubscribed);
    }),
    case("logic-resume-in-another-epoch", |target| {
        let mut mallory = target.mallory();
        published(&mut mallory, channel("epochs"), "before");
        for epoch in [0, 1, u64::MAX] {
            for offset in [0, 1, u64::MAX] {
                let since = Some(Since::Position(Position { epoch, offset }));
                let subscribed = joined(&mut mallory, channel("epochs"), since);
                assert!(!subscribed.recovered, "what another relay said was taken for known");
                while !mallory.is_quiet(Duration::from_millis(50)) {}
            }
        }
    }),
    case("logic-resume-at-another-channels-offset", |target| {
        // A place that somebody else's message has says nothing about theirs: only the own channel's are replayed.
        let (mut alice, mut mallory) = (target.open(&target.victim, "alice"), target.mallory());
        let other = |name: &str| Channel { properties: vec![], ..channel(name) };
        published(&mut mallory, channel("resumed"), "mine, first");
        let theirs = published(&mut alice, other("theirs"), "theirs").position.unwrap();
        published(&mut mallory, channel("resumed"), "mine, second");
        for offset in [0, theirs.offset - 1, theirs.offset] {
            let since = Some(Since::Position(Position { offset, ..theirs }));
            let channel_id = joined(&mut mallory, channel("resumed"), since).channel_id;
            let mut last = String::new();
            while last != "mine, second" {
                let publication = publication(&mut mallory);
                assert_eq!(publication.channel_id, channel_id);
                last = text(&publication);
                assert!(last.starts_with("mine"), "{last}");
            }
            assert!(mallory.is_quiet(Duration::from_millis(50)));
        }
    }),
    case("logic-resume-in-the-future", |target| {
        let mut mallory = target.mallory();
        let position = published(&mut mallory, channel("future"), "now").position.unwrap();
        for offset in [position.offset + 1_000_000, u64::MAX] {
            let since = Some(Since::Position(Position { offset, ..position }));
            let subscribed = joined(&mut mallory, channel("future"), since);
            assert!(!subscribed.recovered, "{subscribed:?}");
            while !mallory.is_quiet(Duration::from_millis(50)) {}
        }
        published(&mut mallory, channel("future"), "still served");
        assert_eq!(text(&publication(&mut mallory)), "still served");
    }),
    case("logic-replay-too-long", |target| {
        let mut mallory = target.mallory();
        for seconds in [121, 3600, u32::MAX] {
            let answer = mallory.subscribe(channel("long"), Some(Since::ReplaySeconds(seconds)));
            must_fail(&answer, Code::ReplayTooLong);
        }
    }),
    case("logic-replay-of-a-foreign-channel", |target| {
        let mut alice = target.open(&target.victim, "alice");
        published(&mut alice, channel("replayed"), "theirs");
        let mut mallory = target.open(&target.neighbour, "mallory");
        joined(&mut mallory, channel("replayed"), Some(Since::ReplaySeconds(60)));
        assert!(mallory.is_quiet(QUIET));
    }),
    case("logic-subscribe-flood", |target| {
        let mut mallory = target.mallory();
        for number in 0..limits::MAX_SUBSCRIPTIONS {
            joined(&mut mallory, channel(&format!("flood-{number}")), None);
        }
        for number in 0..20 {
            must_fail(
                &mallory.subscribe(channel(&format!("more-{number}")), None),
                Code::TooManySubscriptions,
            );
        }
        must_live(&mut mallory);
    }),
    case("logic-subscribe-and-leave-flood", |target| {
        let (mut mallory, before) = (target.mallory(), target.relay.memory());
        for number in 0..500 {
            let id = joined(&mut mallory, channel(&format!("visited-{number}")), None).channel_id;
            let request = mallory.request();
            mallory.message(&ToRelay::Unsubscribe(Unsubscribe { request, channel_id: id }));
            assert!(matches!(mallory.expect(), ToClient::Unsubscribed(_)));
        }
        let grown = target.relay.memory().saturating_sub(before);
        assert!(grown < 16 << 20, "{grown} bytes more");
    }),
    case("logic-subscribe-again", |target| {
        // Again and again to one channel is one subscription and one copy of each message.
        let mut mallory = target.mallory();
        for _ in 0..50 {
            joined(&mut mallory, channel("again"), None);
        }
        published(&mut target.mallory(), channel("again"), "once");
        assert_eq!(text(&publication(&mut mallory)), "once");
        assert!(mallory.is_quiet(QUIET));
    }),
    case("logic-subscribe-with-many-events", |target| {
        let mut mallory = target.mallory();
        let (request, events) =
            (mallory.request(), vec![String::from("event"); limits::MAX_EVENT_FILTERS + 1]);
        mallory.message(&ToRelay::Subscribe(Subscribe {
            request,
            channel: Some(channel("events")),
            since: None,
            events,
        }));
        assert_eq!(mallory.farewell().goodbye, Some(Code::MalformedFrame.number()));
    }),
    case("logic-session-flood", |target| {
        let mut mallory = target.mallory();
        for number in 1..2000 {
            mallory.message(&ToRelay::Session(Session { number }));
        }
        let (mut refused, expected) = (0, 2000 - limits::MAX_SESSIONS);
        while refused < expected {
            match mallory.expect() {
                ToClient::Session(_) => {}
                ToClient::Goodbye(goodbye) => {
                    assert_eq!(goodbye.code, Code::Overloaded.number());
                    refused += 1;
                }
                other => panic!("{other:?}"),
            }
        }
        mallory.message(&ToRelay::Session(Session { number: 0 }));
        mallory.message(&ToRelay::Ping(sealwire_protocol::wire::Ping {}));
        assert!(matches!(mallory.expect(), ToClient::Session(Session { number: 0 })));
        assert!(matches!(mallory.expect(), ToClient::Pong(_)));
    }),
    case("logic-session-number-again", |target| {
        // A session that is over cannot be taken up, and one that was begun cannot be begun anew.
        let mut mallory = target.mallory();
        for number in [5, 3, 5, u32::MAX, 7] {
            mallory.message(&ToRelay::Session(Session { number }));
        }
        // 3 and 7 are below what was used: nobody answers there.
        mallory.message(&ToRelay::Ping(sealwire_protocol::wire::Ping {}));
        mallory.message(&ToRelay::Session(Session { number: 5 }));
        mallory.message(&ToRelay::End(End {}));
        mallory.message(&ToRelay::Session(Session { number: 5 }));
        mallory.message(&ToRelay::Hello(Hello { token: target.victim.session("mallory", &context(), 600) }));
        assert!(mallory.is_quiet(QUIET));
    }),
    case("logic-session-without-hello", |target| {
        // A second session has the rights of its own token, not those of its neighbour on the socket.
        let mut mallory = target.mallory();
        mallory.message(&ToRelay::Session(Session { number: 1 }));
        let publish = mallory.publication(channel("unopened"), sealed("x"), random());
        mallory.message(&publish);
        assert!(matches!(mallory.expect(), ToClient::Session(Session { number: 1 })));
        match mallory.expect() {
            ToClient::Goodbye(goodbye) => assert_eq!(goodbye.code, Code::HelloExpected.number()),
            other => panic!("{other:?}"),
        }
    }),
    case("logic-sessions-keep-apart", |target| {
        // What one session has joined, the other on the same socket neither gets nor may leave.
        let mut mallory = target.mallory();
        let id = joined(&mut mallory, channel("apart"), None).channel_id;
        mallory.message(&ToRelay::Session(Session { number: 1 }));
        mallory
            .message(&ToRelay::Hello(Hello { token: target.neighbour.session("mallory", &context(), 600) }));
        assert!(matches!(mallory.expect(), ToClient::Session(Session { number: 1 })));
        assert!(matches!(mallory.expect(), ToClient::Welcome(_)));
        let request = mallory.request();
        mallory.message(&ToRelay::Unsubscribe(Unsubscribe { request, channel_id: id }));
        must_fail(&mallory.expect(), Code::NotSubscribed);
        joined(&mut mallory, channel("apart"), None);
        published(&mut target.mallory(), channel("apart"), "for session 0");
        assert!(matches!(mallory.expect(), ToClient::Session(Session { number: 0 })));
        assert_eq!(text(&publication(&mut mallory)), "for session 0");
        assert!(mallory.is_quiet(QUIET));
    }),
    case("logic-leave-a-foreign-channel", |target| {
        let mut alice = target.open(&target.victim, "alice");
        let id = joined(&mut alice, channel("kept"), None).channel_id;
        let mut mallory = target.mallory();
        let request = mallory.request();
        mallory.message(&ToRelay::Unsubscribe(Unsubscribe { request, channel_id: id }));
        must_fail(&mallory.expect(), Code::NotSubscribed);
        published(&mut mallory, channel("kept"), "still here");
        assert_eq!(text(&publication(&mut alice)), "still here");
    }),
    case("logic-channel-id-instead-of-a-name", |target| {
        // Who knows the id of a channel can do nothing with it: channels are joined by name and context.
        let address = |scope| ChannelAddress {
            app: &target.victim.app,
            installation: &target.victim.id,
            scope,
            claims_tag: None,
            name: "by-id",
        };
        let id = address(&context()).id();
        let mut alice = target.open(&target.victim, "alice");
        joined(&mut alice, channel("by-id"), None);
        let mut mallory = RawSocket::open(
            target.port,
            &target.victim.session("mallory", &scope(&[("dashboard", "10002")]), 600),
        );
        for name in [id.to_string(), String::from("by-id")] {
            let answer = mallory.publish(
                Channel { name, properties: vec![], token: String::new() },
                sealed("x"),
                random(),
            );
            assert!(matches!(answer, ToClient::Published(_)), "{answer:?}");
        }
        must_fail(&refresh(&mut mallory, &id.0, target.victim.backend()), Code::NotSubscribed);
        assert!(alice.is_quiet(QUIET));
    }),
    case("logic-idempotency-id-on-another-channel", |target| {
        // The id of somebody's message blocks nothing elsewhere and tells nothing of it.
        let (id, mut alice, mut mallory) = (random(), target.open(&target.victim, "alice"), target.mallory());
        joined(&mut alice, channel("ids"), None);
        let other = Channel { properties: vec![], ..channel("ids") };
        let mine = accepted(mallory.publish(other, sealed("squatting"), id));
        let theirs = accepted(alice.publish(channel("ids"), sealed("theirs"), id));
        assert_ne!(mine.position, theirs.position);
        assert_eq!(text(&publication(&mut alice)), "theirs");
    }),
    case("logic-idempotency-id-replayed", |target| {
        // A publish that is sent again, by whomever, is not published again.
        let (id, mut alice, mut mallory) = (random(), target.open(&target.victim, "alice"), target.mallory());
        joined(&mut alice, channel("once"), None);
        let first = accepted(mallory.publish(channel("once"), sealed("first"), id));
        for content in ["first", "second"] {
            let again = accepted(target.mallory().publish(channel("once"), sealed(content), id));
            assert_eq!(again.position, first.position);
        }
        assert_eq!(text(&publication(&mut alice)), "first");
        assert!(alice.is_quiet(QUIET));
    }),
    case("logic-message-sizes", |target| {
        let mut mallory = target.mallory();
        for len in [0, 1, 56, limits::MAX_SEALED + 1] {
            must_fail(&mallory.publish(channel("sizes"), vec![1; len], random()), Code::MessageSize);
        }
        accepted(mallory.publish(channel("sizes"), vec![1; limits::MAX_SEALED], random()));
    }),
    case("logic-names", |target| {
        let mut mallory = target.mallory();
        for name in [String::new(), "n".repeat(256), "ü".repeat(128)] {
            must_fail(&mallory.subscribe(channel(&name), None), Code::NameInvalid);
            must_fail(&mallory.publish(channel(&name), sealed("x"), random()), Code::NameInvalid);
        }
        for name in ["../../etc/passwd", "a\0b", "\u{202e}abc", "*", "#", "%s%n"] {
            joined(&mut mallory, channel(name), None);
        }
        published(&mut mallory, channel("plain"), "x");
        assert!(mallory.is_quiet(QUIET), "a name was taken for a pattern");
    }),
    case("logic-account-in-the-log", |target| {
        // An account id with line ends cannot write a line of its own into the audit log.
        let forged = "mallory\n2026-01-01T00:00:00Z  WARN audit: refused attempt=\"forged\"\r\n\u{1b}[2Jx";
        let mut socket = RawSocket::open(target.port, &target.victim.session(forged, &context(), 600));
        must_fail(&socket.subscribe(channel(""), None), Code::NameInvalid);
        std::thread::sleep(QUIET);
        let log = target.relay.log();
        assert!(!log.lines().any(|line| line.starts_with("2026-01-01T00:00:00Z")), "a line was forged");
        assert!(!log.contains("\u{1b}[2J"), "an escape sequence reached the log");
    }),
    case("logic-http-publish-elsewhere", |target| {
        // A backend token reaches its own installation only, whatever the body says.
        let mut alice = target.open(&target.victim, "alice");
        joined(&mut alice, channel("absences"), None);
        let body = batch(&[message(json!({}))]);
        let answer = target.post(&format!("authorization: Bearer {}\r\n", target.neighbour.backend()), &body);
        assert!(answer.contains("eventId"), "{answer}");
        assert!(alice.is_quiet(QUIET));
        assert!(target.publish(&batch(&[message(json!({}))])).contains("eventId"));
        assert_eq!(text(&publication(&mut alice)), "x");
    }),
    patient("logic-expired-in-flight", |target| {
        // The publish is on its way when the session ends: it is not taken.
        let mut alice = target.open(&target.victim, "alice");
        joined(&mut alice, channel("in-flight"), None);
        let exp = now() + 2;
        let token = target.token_with(json!({ "exp": exp }));
        let mut mallory = RawSocket::open(target.port, &token);
        let publish = sealwire_tests::frame(
            0x82,
            &mallory.publication(channel("in-flight"), sealed("late"), random()).to_bytes(),
        );
        let (first, rest) = publish.split_at(publish.len() - 1);
        mallory.send(first);
        while now() < exp {
            std::thread::sleep(Duration::from_millis(20));
        }
        mallory.send(rest);
        let farewell = mallory.farewell();
        assert_eq!((farewell.goodbye, farewell.close), (Some(Code::TokenExpired.number()), Some(4401)));
        assert!(farewell.before.is_empty(), "{farewell:?}");
        assert!(alice.is_quiet(QUIET));
    }),
    patient("logic-expired-channel-token", |target| {
        let token = channel_token(&target.victim, "brief", 1, Permissions::ALL, 2);
        let with = Channel { token, ..channel("brief") };
        let mut mallory = target.mallory();
        let id = joined(&mut mallory, with.clone(), None).channel_id;
        match mallory.expect() {
            ToClient::Ended(ended) => {
                assert_eq!((ended.channel_id, ended.code), (id, Code::TokenExpired.number()))
            }
            other => panic!("{other:?}"),
        }
        must_fail(&mallory.subscribe(with.clone(), None), Code::TokenExpired);
        must_fail(&mallory.publish(with, sealed("x"), random()), Code::TokenExpired);
    }),
];

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
