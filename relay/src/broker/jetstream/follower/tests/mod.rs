//! Single situations of a follower. The simulated cluster in `tests/` covers their combinations.

mod bench;
mod losses;

use super::*;
use bench::{Bench, CHANNEL, EPOCH, OTHER};
use sealwire_protocol::wire::Position;

#[test]
fn the_first_relay_writes_the_first_mark() {
    let mut bench = Bench::new();
    bench.link();
    assert_eq!((bench.last, bench.proven.clone()), (1, vec![1]));
    assert!(bench.follower.is_following(bench.now.monotonic));
}

#[test]
fn a_subscription_waits_for_the_stream_and_starts_at_the_newest_mark() {
    let mut bench = Bench::new();
    bench.subscribe(1, CHANNEL, None);
    assert_eq!(bench.answer(1), None);
    bench.link();
    let (position, recovered, publications) = bench.answer(1).unwrap();
    assert_eq!((position.epoch, position.offset, recovered, publications), (bench.epoch, 1, false, vec![]));
}

#[test]
fn one_read_serves_all_subscriptions_of_a_channel() {
    let mut bench = Bench::following();
    for _ in 0..3 {
        bench.store_publication(CHANNEL);
    }
    bench.answers_at_once = false;
    for ticket in 0..100 {
        bench.subscribe(ticket, CHANNEL, Some(Since::ReplaySeconds(60)));
    }
    bench.perform_kept();
    assert_eq!(bench.reads, [(CHANNEL, 1)]);
    for ticket in 0..100 {
        assert_eq!(bench.answer(ticket).unwrap().2, [2, 3, 4]);
    }
    // The channel is followed now, so another subscription needs no read.
    assert_eq!(bench.subscribed(CHANNEL, Some(Since::ReplaySeconds(60))).2, [2, 3, 4]);
    assert_eq!(bench.reads.len(), 1);
}

#[test]
fn publications_that_arrive_during_a_join_follow_the_read_ones() {
    let mut bench = Bench::following();
    bench.store_publication(CHANNEL);
    bench.answers_at_once = false;
    bench.subscribe(1, CHANNEL, Some(Since::ReplaySeconds(60)));
    let third = bench.store_publication(CHANNEL);
    bench.arrive(third);
    bench.perform_kept();
    assert_eq!(bench.answer(1).unwrap().2, [2, 3]);
    assert_eq!(bench.publish(CHANNEL), 4);
    assert_eq!(bench.delivered, [4]);
}

#[test]
fn a_hole_is_read_before_anything_behind_it_is_delivered() {
    let mut bench = Bench::following();
    bench.subscribed(CHANNEL, None);
    bench.store_publication(CHANNEL);
    let behind = bench.publish(CHANNEL);
    assert_eq!((behind, bench.delivered.clone()), (3, vec![2, 3]));
    let counts = bench.follower.counts();
    assert_eq!((counts.holes, counts.mended, counts.read_back), (1, 1, 2));
}

#[test]
fn a_hole_that_the_stream_discarded_ends_the_subscriptions_of_the_channel() {
    let mut bench = Bench::following();
    bench.subscribed(CHANNEL, None);
    bench.subscribed(OTHER, None);
    bench.store_publication(CHANNEL);
    bench.store_publication(CHANNEL);
    bench.answers_at_once = false;
    let behind = bench.store_publication(CHANNEL);
    bench.arrive(behind);
    bench.first = 3;
    bench.perform_kept();
    assert_eq!((bench.ended.clone(), bench.delivered.clone()), (vec![CHANNEL], vec![]));
}

#[test]
fn a_mark_proves_silent_channels_on_any_relay() {
    let mut bench = Bench::following();
    bench.subscribed(CHANNEL, None);
    let mark = bench.mark();
    assert_eq!(bench.proven, [1, mark.offset]);
    // A client that has this mark as its position, from another relay, misses nothing.
    let answer = bench.subscribed(CHANNEL, Some(Since::Position(mark)));
    assert_eq!(answer, (mark, true, vec![]));
    let offset = bench.publish(CHANNEL);
    assert_eq!(bench.subscribed(CHANNEL, Some(Since::Position(mark))), (mark, true, vec![offset]));
}

#[test]
fn a_position_that_the_relay_has_not_seen_is_compared_with_the_stream() {
    let mut bench = Bench::following();
    let of_other = bench.store_publication(OTHER);
    let position = Position { epoch: EPOCH, offset: 2, time_ms: of_other.time().unwrap().0 };
    assert_eq!(bench.subscribed(CHANNEL, Some(Since::Position(position))), (position, true, vec![]));
    for wrong in [
        Position { time_ms: position.time_ms + 1, ..position },
        Position { offset: 9, ..position },
        Position { epoch: EPOCH + 1, ..position },
        Position { time_ms: 0, ..position },
    ] {
        let (_, recovered, _) = bench.denied(CHANNEL, wrong);
        assert!(!recovered, "{wrong:?}");
    }
}

#[test]
fn a_position_before_the_oldest_message_is_not_recovered() {
    let mut bench = Bench::following();
    let mark = bench.mark();
    bench.store_publication(CHANNEL);
    bench.store_publication(OTHER);
    bench.first = 4;
    let (_, recovered, _) = bench.subscribed(CHANNEL, Some(Since::Position(mark)));
    assert!(!recovered);
}

#[test]
fn publications_that_died_with_a_leader_are_read_after_the_election() {
    let mut bench = Bench::following();
    bench.subscribed(CHANNEL, None);
    bench.store_publication(CHANNEL);
    bench.elect();
    assert_eq!(bench.delivered, [2]);
    assert_eq!(bench.follower.counts().elections, 1);
    let mark = bench.mark();
    assert_eq!(bench.proven.last(), Some(&mark.offset));
}

#[test]
fn an_election_that_a_mark_survived_is_noticed_by_the_term() {
    let mut bench = Bench::following();
    bench.subscribed(CHANNEL, None);
    bench.store_publication(CHANNEL);
    // The follower still believes in the term before.
    bench.leader.since.push('+');
    bench.mark();
    assert_eq!((bench.relinks, bench.delivered.clone()), (1, vec![2]));
}

#[test]
fn a_hole_between_marks_is_read_back() {
    let mut bench = Bench::following();
    bench.subscribed(CHANNEL, None);
    bench.store_publication(CHANNEL);
    bench.store_mark();
    bench.mark();
    assert_eq!(bench.delivered, [2]);
    assert_eq!(bench.proven.last(), Some(&4));
}

#[test]
fn a_position_in_lost_contents_is_answered_without_what_the_client_may_have() {
    let mut bench = Bench::following();
    bench.subscribed(CHANNEL, None);
    let first = bench.publish(CHANNEL);
    let lost = Position { epoch: EPOCH, offset: first + 1, time_ms: bench.now.wall.0 + 100 };
    // Another message has the sequence of the lost one.
    bench.publish(CHANNEL);
    let second = bench.publish(CHANNEL);
    let (position, recovered, offsets) = bench.denied(CHANNEL, lost);
    assert_eq!((position.offset, recovered, offsets), (first + 1, false, vec![second]));
    // The client's contents went further than the present ones.
    let further = Position { offset: second + 9, ..lost };
    let (position, recovered, offsets) = bench.denied(CHANNEL, further);
    assert_eq!((position.offset, recovered, offsets), (bench.last, false, vec![]));
}

#[test]
fn an_answer_of_a_replica_that_lags_behind_is_not_taken() {
    let mut bench = Bench::following();
    bench.subscribed(CHANNEL, None);
    bench.store_publication(CHANNEL);
    bench.store_publication(CHANNEL);
    bench.follower.unlinked();
    bench.answers_at_once = false;
    bench.follower.linked(bench.leader.clone(), bench.now);
    bench.run();
    let Some(FollowerAction::ReadStream { request, .. }) = bench.kept.pop() else { panic!("no read") };
    let (entries, info) = (bench.entries[..2].to_vec(), bench.info());
    bench.follower.stream_read(&mut bench.hub, request, entries, &info, bench.now);
    bench.run();
    assert!(bench.delivered.is_empty());
    bench.perform_kept();
    assert_eq!(bench.delivered, [2, 3]);
}

#[test]
fn a_channel_without_subscriptions_is_left_after_a_while() {
    let mut bench = Bench::following();
    bench.subscribed(CHANNEL, None);
    bench.follower.unsubscribe(CHANNEL, bench.now);
    bench.now.monotonic += LINGER - Duration::from_millis(1);
    bench.proven_now();
    bench.follower.tick(&mut bench.hub, bench.now);
    assert_eq!(bench.follower.channels().count(), 1);
    bench.now.monotonic += Duration::from_millis(1);
    bench.follower.tick(&mut bench.hub, bench.now);
    assert_eq!(bench.follower.channels().count(), 0);
    assert!(matches!(bench.follower.poll_action(), Some(FollowerAction::Unwatch(CHANNEL))));
    // The channel is read again, because it was not followed meanwhile.
    bench.publish(CHANNEL);
    bench.reads.clear();
    assert_eq!(bench.subscribed(CHANNEL, Some(Since::ReplaySeconds(60))).2, [2]);
    assert_eq!(bench.reads, [(CHANNEL, 1)]);
}

#[test]
fn a_cancelled_subscription_is_not_answered() {
    let mut bench = Bench::new();
    bench.subscribe(1, CHANNEL, None);
    bench.follower.cancel(1, CHANNEL, bench.now);
    bench.link();
    assert_eq!(bench.answer(1), None);
    assert!(bench.reads.is_empty());
}

#[test]
fn a_leader_without_a_majority_is_not_followed_although_it_answers() {
    let mut bench = Bench::following();
    bench.mark();
    for _ in 0..3 {
        bench.now.monotonic += Duration::from_secs(3);
        bench.follower.tick(&mut bench.hub, bench.now);
        bench.run();
    }
    assert!(bench.relinks > 0 && !bench.follower.is_following(bench.now.monotonic));
    bench.mark();
    assert!(bench.follower.is_following(bench.now.monotonic));
}

#[test]
fn without_a_mark_for_seconds_the_leader_is_looked_for() {
    let mut bench = Bench::following();
    bench.now.monotonic += STALE + Duration::from_millis(1);
    bench.follower.tick(&mut bench.hub, bench.now);
    bench.run();
    assert_eq!(bench.relinks, 1);
}
