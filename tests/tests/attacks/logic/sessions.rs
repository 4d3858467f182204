//! Many subscriptions, many sessions, odd names.

use super::*;

pub(super) const CASES: &[Case] = &[
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
];
