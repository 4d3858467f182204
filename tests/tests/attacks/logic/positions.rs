//! Places in a channel, replay, and the ids of messages.

use super::*;

pub(super) const CASES: &[Case] = &[
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
        // A publish that is sent again, by whomever, is not published again, and its id is good for nothing else.
        let (id, mut alice, mut mallory) = (random(), target.open(&target.victim, "alice"), target.mallory());
        joined(&mut alice, channel("once"), None);
        let first = accepted(mallory.publish(channel("once"), sealed("first"), id));
        let again = accepted(target.mallory().publish(channel("once"), sealed("first"), id));
        assert_eq!(again.position, first.position);
        match target.mallory().publish(channel("once"), sealed("second"), id) {
            ToClient::Failed(failed) => assert_eq!(failed.code, Code::IdReused.number()),
            other => panic!("{other:?}"),
        }
        assert_eq!(text(&publication(&mut alice)), "first");
        assert!(alice.is_quiet(QUIET));
    }),
];
