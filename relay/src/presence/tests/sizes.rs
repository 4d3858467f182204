//! Tests with many members and long entries.

use super::*;

#[test]
fn a_large_state_and_a_large_batch_come_in_pieces() {
    let mut world = World::new();
    world.watch(8);
    world.take(8);
    for session in 1..=100 {
        world.enter(session, ALICE, entry(session, 1, 4000)).unwrap();
    }
    world.pass_window();
    world.watch(9);
    for (watcher, is_state) in [(8, false), (9, true)] {
        let pieces = world.sent.remove(&watcher).unwrap();
        assert_eq!(pieces.len(), 4);
        assert!(pieces.iter().all(|piece| (piece.version, piece.is_state) == (1, is_state)));
        assert_eq!(pieces.iter().map(|piece| piece.more).collect::<Vec<_>>(), [true, true, true, false]);
        assert_eq!(pieces.iter().map(|piece| piece.entries.len()).sum::<usize>(), 100);
    }
}

#[test]
fn a_thousand_members_within_a_second_cost_each_watcher_at_most_20_messages() {
    let mut world = World::new();
    for session in 1..=1000 {
        world.enter(session, ALICE, entry(session, 1, 300)).unwrap();
        world.watch(session);
        world.pass(Duration::from_millis(1));
    }
    world.pass_window();
    for session in 1..=1000 {
        let messages = world.sent.remove(&session).unwrap();
        assert!(messages.len() <= 20, "{}", messages.len());
        let known: std::collections::BTreeSet<_> =
            messages.iter().flat_map(|message| &message.entries).map(|entry| entry.member.clone()).collect();
        assert_eq!(known.len(), 1000);
    }
}

#[test]
fn everything_is_released_when_the_last_member_and_watcher_are_gone() {
    let mut world = World::new();
    for session in 1..=50 {
        world.enter(session, ALICE, entry(session, 1, 200)).unwrap();
        world.watch(session);
    }
    assert!(world.memory.usage().presence > 50 * 200);
    for session in 1..=50 {
        match session % 3 {
            0 => world.leave(session, ALICE, session).unwrap(),
            _ => world.depart(session, session),
        }
        world.table.unwatch(CHANNEL, SessionId(session));
    }
    world.pass(GRACE);
    // The messages that the watchers kept hold their frames.
    world.sent.clear();
    assert_eq!((world.memory.usage().total(), world.table.poll_timeout()), (0, None));
}
