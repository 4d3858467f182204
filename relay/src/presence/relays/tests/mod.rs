//! Tests of several relays in virtual time.

mod agreement;
mod world;

use super::SILENCE;
use crate::presence::relays::links::{OUTAGE, SETTLE};
use crate::session_id::SessionId;
use std::time::Duration;
use world::*;

#[test]
fn a_watcher_gets_one_state_with_the_members_of_all_relays() {
    let mut world = World::new(3);
    world.enter(0, 1, 10, 1);
    world.enter(1, 1, 11, 1);
    let watcher = world.watch(2, 1);
    assert_eq!(world.known(2, 1, watcher), []);
    world.pass(TICK * 6);
    assert_eq!(world.known(2, 1, watcher), [(10, 1), (11, 1)]);
    world.enter(1, 1, 11, 2);
    world.pass(TICK * 6);
    assert_eq!(world.known(2, 1, watcher), [(10, 1), (11, 2)]);
    assert_eq!(world.relay(2).left, 0);
}

#[test]
fn the_members_of_a_relay_that_is_gone_leave_after_the_grace_time() {
    let mut world = World::new(2);
    let watcher = world.watch(1, 1);
    world.enter(0, 1, 10, 1);
    world.enter(0, 1, 11, 1);
    world.pass(TICK * 6);
    assert_eq!(world.known(1, 1, watcher).len(), 2);
    world.relays[0] = None;
    world.pass(SILENCE + GRACE / 2);
    world.enter(1, 1, 10, 1);
    world.pass(GRACE / 2 - TICK * 10);
    assert_eq!(world.known(1, 1, watcher).len(), 2);
    world.pass(Duration::from_secs(2));
    assert_eq!((world.known(1, 1, watcher), world.relay(1).left), (vec![(10, 1)], 1));
}

#[test]
fn a_relay_that_was_cut_off_for_less_than_the_grace_time_is_not_noticed() {
    let mut world = World::new(2);
    let watchers = [world.watch(0, 1), world.watch(1, 1)];
    world.enter(0, 1, 10, 1);
    world.enter(1, 1, 11, 1);
    world.pass(TICK * 6);
    world.cut = [(1, 2), (2, 1)].into();
    world.pass(SILENCE * 2);
    world.cut.clear();
    world.pass(SILENCE);
    for relay in [0, 1] {
        assert_eq!(world.known(relay, 1, watchers[relay]), [(10, 1), (11, 1)]);
        assert_eq!((world.relay(relay).left, world.relay(relay).lost), (0, 0));
    }
    world.pass(GRACE);
    assert_eq!(world.known(0, 1, watchers[0]).len(), 2);
}

#[test]
fn a_channel_that_a_relay_needs_no_longer_is_not_told_to_it() {
    let mut world = World::new(2);
    let watcher = world.watch(1, 1);
    world.watch(1, 2);
    world.enter(0, 1, 10, 1);
    world.pass(TICK * 6);
    assert_eq!(world.relay(1).table.counts().remote_members, 1);
    world.relay(1).table.unwatch(channel(1), SessionId(watcher));
    assert_eq!(world.relay(1).table.counts().remote_members, 0);
    world.pass(TICK * 4);
    world.enter(0, 1, 11, 1);
    world.pass(TICK);
    let entries = world.bus.iter().filter(|(_, bytes)| bytes.windows(50).any(|entry| entry == [11; 50]));
    assert_eq!(entries.count(), 0);
    // It asks again.
    let watcher = world.watch(1, 1);
    world.pass(TICK * 6);
    assert_eq!(world.known(1, 1, watcher), [(10, 1), (11, 1)]);
}

#[test]
fn the_last_member_of_a_relay_leaves_with_the_channel() {
    let mut world = World::new(2);
    let watcher = world.watch(0, 1);
    let other = world.watch(0, 2);
    // The first channel ends, and then the last one of the app.
    for (place, watcher) in [(1, watcher), (2, other)] {
        let session = world.enter(1, 2, 11, 1);
        world.enter(1, 1, 10, 1);
        world.pass(TICK * 6);
        assert_eq!(world.known(0, place, watcher).len(), 1);
        world.depart(1, 2, session, 11);
        let now = world.now.monotonic;
        world.relay(1).table.end_graces(&|_| true, now);
        let id = if place == 1 { 10 } else { 11 };
        world.leave(1, place, id);
        world.pass(TICK * 6);
        assert_eq!(world.known(0, place, watcher), [], "{place}");
    }
}

#[test]
fn a_relay_that_does_not_answer_leaves_watchers_without_a_state() {
    let mut world = World::new(2);
    world.enter(0, 1, 10, 1);
    world.pass(TICK * 6);
    // The relay is present, and its messages about presence are lost.
    world.relays[0] = Some(Relay::new(1, world.now.monotonic));
    let watcher = world.watch(1, 2);
    for _ in 0..100 {
        world.pass(TICK);
        world.bus.clear();
    }
    assert_eq!((world.known(1, 2, watcher), world.relay(1).lost), (vec![], 1));
}

#[test]
fn a_relay_without_its_broker_forgets_the_others_and_asks_them_again() {
    let mut world = World::new(2);
    let watcher = world.watch(1, 1);
    world.enter(0, 1, 10, 1);
    world.pass(TICK * 6);
    assert_eq!(world.known(1, 1, watcher), [(10, 1)]);
    let mut relay = world.relays[1].take().unwrap();
    let mut is_isolated = false;
    for _ in 0..(OUTAGE.as_millis() / TICK.as_millis() + 2) {
        world.pass(TICK);
        let now = world.now;
        is_isolated =
            with_links(&mut relay, |links, relay| links.handle_tick(&[1], false, relay, now)).is_none();
    }
    assert!(is_isolated);
    relay.table.isolate(world.now.monotonic, &mut |_| relay.lost += 1);
    assert_eq!((relay.lost, relay.table.counts().remote_members), (1, 0));
    world.relays[1] = Some(relay);
    let again = world.watch(1, 1);
    world.pass(SETTLE + TICK * 6);
    assert_eq!(world.known(1, 1, again), [(10, 1)]);
}

#[test]
fn a_member_that_left_and_entered_again_at_another_relay_stays() {
    let mut world = World::new(2);
    let watcher = world.watch(0, 1);
    world.watch(1, 1);
    world.enter(0, 1, 10, 1);
    world.pass(TICK * 8);
    // The other relay hears of both at once, and of the leave last.
    world.cut = [(2, 1)].into();
    world.leave(1, 1, 10);
    world.pass(TICK * 2);
    world.enter(1, 1, 10, 2);
    world.pass(TICK * 4);
    world.cut.clear();
    world.pass(SILENCE);
    assert_eq!(world.known(0, 1, watcher), [(10, 2)]);
    let now = world.now.monotonic;
    assert_eq!([0, 1].map(|relay| world.relay(relay).own_ids(1, now).len()), [0, 1]);
}

#[test]
fn the_last_members_of_a_relay_leave_although_the_message_about_it_is_lost() {
    let mut world = World::new(2);
    let watcher = world.watch(0, 1);
    for (place, id) in [(1, 10), (2, 11)] {
        world.enter(1, place, id, 1);
    }
    world.pass(TICK * 8);
    assert_eq!(world.known(0, 1, watcher), [(10, 1)]);
    // The relay ends its presence of the app with the second of these messages.
    world.leave(1, 1, 10);
    world.pass(TICK);
    world.loses_after = Some(0);
    world.leave(1, 2, 11);
    world.pass(TICK * 20);
    assert_eq!(world.known(0, 1, watcher), []);
}
