//! Isolation: channels that differ in one property only must not exchange messages.

use super::*;

pub(super) const CASES: &[Case] = &[
    case("logic-cross-app", |target| {
        // The two installations differ in the app only.
        let twin = Installation { id: target.victim.id.clone(), ..twin(&target.stranger) };
        must_not_meet(target, &target.victim, &twin, "cross-app");
    }),
    case("logic-cross-installation", |target| {
        must_not_meet(target, &target.victim, &target.neighbour, "cross-installation")
    }),
    case("logic-cross-context", |target| {
        let mut victim = target.alice();
        subscribe(&mut victim, channel("cross-context"), None);
        let other =
            target.victim.session("mallory", &scope(&[("module", "absences"), ("dashboard", "10002")]), 600);
        let mut mallory = RawSocket::open(target.port, &other);
        subscribe(&mut mallory, channel("cross-context"), None);
        publish(&mut mallory, channel("cross-context"), "from the other dashboard");
        let mut alice = target.alice();
        publish(&mut alice, channel("cross-context"), "among us");
        assert_eq!(text(&publication(&mut victim)), "among us");
        assert_eq!(text(&publication(&mut mallory)), "from the other dashboard");
        assert!(mallory.is_quiet(QUIET));
    }),
    case("logic-part-of-a-context", |target| {
        // A subset or superset of the properties is another channel.
        let mut victim = target.alice();
        subscribe(&mut victim, channel("parts"), None);
        let mut mallory = target.mallory();
        for properties in [&["dashboard"][..], &["module"], &[]] {
            let part = Channel {
                properties: properties.iter().map(|&name| name.to_owned()).collect(),
                ..channel("parts")
            };
            publish(&mut mallory, part, "from elsewhere");
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
        must_stay_open(&mut mallory);
    }),
    case("logic-names-that-run-together", |target| {
        // The parts of these addresses are equal when they are concatenated without their lengths.
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
                subscribe(&mut socket, Channel { name: name.into(), properties, token: String::new() }, None);
            assert!(ids.insert(subscribed.channel_id), "two channels have the same id");
        }
    }),
    case("logic-other-claims", |target| {
        // Each claims tag is a separate channel, and so is a channel without claims.
        let with = |tag| Channel {
            token: channel_token(&target.victim, "claims", tag, Permissions::ALL, 600),
            ..channel("claims")
        };
        let (mut alice, mut mallory) = (target.alice(), target.mallory());
        subscribe(&mut alice, with(1), None);
        subscribe(&mut mallory, with(2), None);
        publish(&mut mallory, with(2), "to my own");
        assert_eq!(text(&publication(&mut mallory)), "to my own");
        publish(&mut mallory, channel("claims"), "without claims");
        assert!(alice.is_quiet(QUIET) && mallory.is_quiet(QUIET));
    }),
    case("logic-channel-id-instead-of-a-name", |target| {
        // Knowing the id of a channel grants nothing: clients address channels by name and context.
        let address = |scope| ChannelAddress {
            app: &target.victim.app,
            installation: &target.victim.id,
            scope,
            claims_tag: None,
            name: "by-id",
        };
        let id = address(&context()).id();
        let mut alice = target.alice();
        subscribe(&mut alice, channel("by-id"), None);
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
    case("logic-http-publish-elsewhere", |target| {
        // A backend token publishes to its own installation only, whatever the body says.
        let mut alice = target.alice();
        subscribe(&mut alice, channel("absences"), None);
        let body = batch(&[message(json!({}))]);
        let answer = target.post(&format!("authorization: Bearer {}\r\n", target.neighbour.backend()), &body);
        assert!(answer.contains("eventId"), "{answer}");
        assert!(alice.is_quiet(QUIET));
        assert!(target.publish(&batch(&[message(json!({}))])).contains("eventId"));
        assert_eq!(text(&publication(&mut alice)), "x");
    }),
];
