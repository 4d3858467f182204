//! Many subscriptions, many sessions on one socket, and unusual names.

use super::*;

pub(super) const CASES: &[Case] = &[
    case("logic-subscribe-flood", |target| {
        let mut mallory = target.mallory();
        for number in 0..limits::MAX_SUBSCRIPTIONS {
            subscribe(&mut mallory, channel(&format!("flood-{number}")), None);
        }
        for number in 0..20 {
            must_fail(
                &mallory.subscribe(channel(&format!("more-{number}")), None),
                Code::TooManySubscriptions,
            );
        }
        must_stay_open(&mut mallory);
    }),
    measured("logic-subscribe-and-leave-flood", |target| {
        let (mut mallory, growth) = (target.mallory(), Growth::of([&target.relay]));
        for number in 0..500 {
            let id = subscribe(&mut mallory, channel(&format!("visited-{number}")), None).channel_id;
            let request = mallory.request();
            mallory.send_message(&ToRelay::Unsubscribe(Unsubscribe { request, channel_id: id }));
            assert!(matches!(mallory.expect_message(), ToClient::Unsubscribed(_)));
        }
        growth.must_be_below(16 << 20);
    }),
    case("logic-subscribe-again", |target| {
        // Repeated subscribes to one channel are one subscription, with one copy of each message.
        let mut mallory = target.mallory();
        for _ in 0..50 {
            subscribe(&mut mallory, channel("again"), None);
        }
        publish(&mut target.mallory(), channel("again"), "once");
        assert_eq!(text(&publication(&mut mallory)), "once");
        assert!(mallory.is_quiet(QUIET));
    }),
    case("logic-subscribe-with-many-events", |target| {
        let mut mallory = target.mallory();
        let (request, events) =
            (mallory.request(), vec![String::from("event"); limits::MAX_EVENT_FILTERS + 1]);
        mallory.send_message(&ToRelay::Subscribe(Subscribe {
            request,
            channel: Some(channel("events")),
            since: None,
            events,
        }));
        assert_eq!(mallory.read_to_end().goodbye, Some(Code::MalformedFrame.number()));
    }),
    case("logic-session-flood", |target| {
        let mut mallory = target.mallory();
        for number in 1..2000 {
            mallory.send_message(&ToRelay::Session(Session { number }));
        }
        let (mut refused, expected) = (0, 2000 - limits::MAX_SESSIONS);
        while refused < expected {
            match mallory.expect_message() {
                ToClient::Session(_) => {}
                ToClient::Goodbye(goodbye) => {
                    assert_eq!(goodbye.code, Code::Overloaded.number());
                    refused += 1;
                }
                other => panic!("{other:?}"),
            }
        }
        mallory.send_message(&ToRelay::Session(Session { number: 0 }));
        mallory.send_message(&ToRelay::Ping(sealwire_protocol::wire::Ping::default()));
        assert!(matches!(mallory.expect_message(), ToClient::Session(Session { number: 0 })));
        assert!(matches!(mallory.expect_message(), ToClient::Pong(_)));
    }),
    case("logic-session-number-again", |target| {
        // A session number cannot be reused, neither after the session's end nor while it is open.
        let mut mallory = target.mallory();
        for number in [5, 3, 5, u32::MAX, 7] {
            mallory.send_message(&ToRelay::Session(Session { number }));
        }
        // 3 and 7 are below the highest number in use, so the relay does not answer there.
        mallory.send_message(&ToRelay::Ping(sealwire_protocol::wire::Ping::default()));
        mallory.send_message(&ToRelay::Session(Session { number: 5 }));
        mallory.send_message(&ToRelay::End(End {}));
        mallory.send_message(&ToRelay::Session(Session { number: 5 }));
        mallory.send_message(&ToRelay::Hello(Hello {
            token: target.victim.session("mallory", &context(), 600),
        }));
        assert!(mallory.is_quiet(QUIET));
    }),
    case("logic-session-without-hello", |target| {
        // A second session on a socket needs its own token; it does not inherit the rights of the first.
        let mut mallory = target.mallory();
        mallory.send_message(&ToRelay::Session(Session { number: 1 }));
        let publish = mallory.publication(channel("unopened"), sealed("x"), random());
        mallory.send_message(&publish);
        assert!(matches!(mallory.expect_message(), ToClient::Session(Session { number: 1 })));
        match mallory.expect_message() {
            ToClient::Goodbye(goodbye) => assert_eq!(goodbye.code, Code::HelloExpected.number()),
            other => panic!("{other:?}"),
        }
    }),
    case("logic-sessions-keep-apart", |target| {
        // A session neither receives messages of another session on the same socket, nor may it unsubscribe for it.
        let mut mallory = target.mallory();
        let id = subscribe(&mut mallory, channel("apart"), None).channel_id;
        mallory.send_message(&ToRelay::Session(Session { number: 1 }));
        mallory.send_message(&ToRelay::Hello(Hello {
            token: target.neighbour.session("mallory", &context(), 600),
        }));
        assert!(matches!(mallory.expect_message(), ToClient::Session(Session { number: 1 })));
        assert!(matches!(mallory.expect_message(), ToClient::Welcome(_)));
        let request = mallory.request();
        mallory.send_message(&ToRelay::Unsubscribe(Unsubscribe { request, channel_id: id }));
        must_fail(&mallory.expect_message(), Code::NotSubscribed);
        subscribe(&mut mallory, channel("apart"), None);
        publish(&mut target.mallory(), channel("apart"), "for session 0");
        assert!(matches!(mallory.expect_message(), ToClient::Session(Session { number: 0 })));
        assert_eq!(text(&publication(&mut mallory)), "for session 0");
        assert!(mallory.is_quiet(QUIET));
    }),
    case("logic-leave-a-foreign-channel", |target| {
        let mut alice = target.alice();
        let id = subscribe(&mut alice, channel("kept"), None).channel_id;
        let mut mallory = target.mallory();
        let request = mallory.request();
        mallory.send_message(&ToRelay::Unsubscribe(Unsubscribe { request, channel_id: id }));
        must_fail(&mallory.expect_message(), Code::NotSubscribed);
        publish(&mut mallory, channel("kept"), "still here");
        assert_eq!(text(&publication(&mut alice)), "still here");
    }),
    case("logic-message-sizes", |target| {
        let mut mallory = target.mallory();
        for len in [0, 1, 68, limits::MAX_SEALED + 1] {
            must_fail(&mallory.publish(channel("sizes"), vec![1; len], random()), Code::MessageSize);
        }
        for len in [69, limits::MAX_SEALED] {
            accepted(mallory.publish(channel("sizes"), vec![1; len], random()));
        }
    }),
    case("logic-names", |target| {
        let mut mallory = target.mallory();
        for name in [String::new(), "n".repeat(256), "ü".repeat(128)] {
            must_fail(&mallory.subscribe(channel(&name), None), Code::NameInvalid);
            must_fail(&mallory.publish(channel(&name), sealed("x"), random()), Code::NameInvalid);
        }
        for name in ["../../etc/passwd", "a\0b", "\u{202e}abc", "*", "#", "%s%n"] {
            subscribe(&mut mallory, channel(name), None);
        }
        publish(&mut mallory, channel("plain"), "x");
        assert!(mallory.is_quiet(QUIET), "a name was treated as a pattern");
    }),
    case("logic-account-in-the-log", |target| {
        // An account id with line breaks cannot inject a line into the audit log.
        let forged = "mallory\n2026-01-01T00:00:00Z  WARN audit: refused attempt=\"forged\"\r\n\u{1b}[2Jx";
        let mut socket = RawSocket::open(target.port, &target.victim.session(forged, &context(), 600));
        must_fail(&socket.subscribe(channel(""), None), Code::NameInvalid);
        std::thread::sleep(QUIET);
        let log = target.relay.log();
        assert!(
            !log.lines().any(|line| line.starts_with("2026-01-01T00:00:00Z")),
            "the account id injected a line"
        );
        assert!(!log.contains("\u{1b}[2J"), "an escape sequence reached the log");
    }),
];
