//! Positions in a channel, replay and idempotency ids.

use super::*;

pub(super) const CASES: &[Case] = &[
    case("logic-resume-in-another-epoch", |target| {
        let mut mallory = target.mallory();
        publish(&mut mallory, channel("epochs"), "before");
        for epoch in [0, 1, u64::MAX] {
            for offset in [0, 1, u64::MAX] {
                let since = Some(Since::Position(Position { epoch, offset, time_ms: 0 }));
                let subscribed = subscribe(&mut mallory, channel("epochs"), since);
                assert!(!subscribed.recovered, "the relay recovered from a position of another epoch");
                while !mallory.is_quiet(Duration::from_millis(50)) {}
            }
        }
    }),
    case("logic-resume-at-another-channels-offset", |target| {
        // The offset of a message on another channel must not reveal that channel: only messages of the channel that was
        // subscribed to are replayed.
        let (mut alice, mut mallory) = (target.alice(), target.mallory());
        let other = |name: &str| Channel { properties: vec![], ..channel(name) };
        publish(&mut mallory, channel("resumed"), "mine, first");
        let theirs = publish(&mut alice, other("theirs"), "theirs").position.unwrap();
        publish(&mut mallory, channel("resumed"), "mine, second");
        for offset in [0, theirs.offset - 1, theirs.offset] {
            let since = Some(Since::Position(Position { offset, ..theirs }));
            let channel_id = subscribe(&mut mallory, channel("resumed"), since).channel_id;
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
        let position = publish(&mut mallory, channel("future"), "now").position.unwrap();
        for offset in [position.offset + 1_000_000, u64::MAX] {
            let since = Some(Since::Position(Position { offset, ..position }));
            let subscribed = subscribe(&mut mallory, channel("future"), since);
            assert!(!subscribed.recovered, "{subscribed:?}");
            while !mallory.is_quiet(Duration::from_millis(50)) {}
        }
        publish(&mut mallory, channel("future"), "still served");
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
        let mut alice = target.alice();
        publish(&mut alice, channel("replayed"), "theirs");
        let mut mallory = target.open(&target.neighbour, "mallory");
        subscribe(&mut mallory, channel("replayed"), Some(Since::ReplaySeconds(60)));
        assert!(mallory.is_quiet(QUIET));
    }),
    case("logic-idempotency-id-on-another-channel", |target| {
        // An idempotency id on one channel neither blocks nor reveals the same id on another.
        let (id, mut alice, mut mallory) = (random(), target.alice(), target.mallory());
        subscribe(&mut alice, channel("ids"), None);
        let other = Channel { properties: vec![], ..channel("ids") };
        let mine = accepted(mallory.publish(other, sealed("squatting"), id));
        let theirs = accepted(alice.publish(channel("ids"), sealed("theirs"), id));
        assert_ne!(mine.position, theirs.position);
        assert_eq!(text(&publication(&mut alice)), "theirs");
    }),
    case("logic-idempotency-id-replayed", |target| {
        // A repeated publish of any sender is not published twice, and its id accepts no other content.
        let (id, mut alice, mut mallory) = (random(), target.alice(), target.mallory());
        subscribe(&mut alice, channel("once"), None);
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
