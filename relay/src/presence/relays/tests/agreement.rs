//! The agreement of all relays after random faults.

use super::world::*;
use crate::{
    presence::{MemberId, relays::SILENCE},
    session_id::SessionId,
};
use proptest::prelude::*;
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

#[derive(Clone, Debug)]
enum Step {
    Enter { relay: usize, place: u8, id: u8 },
    Depart { relay: usize, place: u8, id: u8 },
    Leave { relay: usize, place: u8, id: u8 },
    Watch { relay: usize, place: u8 },
    Unwatch { relay: usize, place: u8 },
    Cut { from: u64, to: u64 },
    Heal,
    Restart { relay: usize },
    Pass { ticks: u32 },
}

fn step() -> impl Strategy<Value = Step> {
    let (relay, place, id) = (0..3_usize, 1..3_u8, 10..14_u8);
    prop_oneof![
        6 => (relay.clone(), place.clone(), id.clone()).prop_map(|(relay, place, id)| Step::Enter { relay, place, id }),
        2 => (relay.clone(), place.clone(), id.clone()).prop_map(|(relay, place, id)| Step::Depart { relay, place, id }),
        2 => (relay.clone(), place.clone(), id).prop_map(|(relay, place, id)| Step::Leave { relay, place, id }),
        3 => (relay.clone(), place.clone()).prop_map(|(relay, place)| Step::Watch { relay, place }),
        1 => (relay.clone(), place).prop_map(|(relay, place)| Step::Unwatch { relay, place }),
        1 => (1..4_u64, 1..4_u64).prop_map(|(from, to)| Step::Cut { from, to }),
        1 => Just(Step::Heal),
        1 => relay.prop_map(|relay| Step::Restart { relay }),
        8 => (1..40_u32).prop_map(|ticks| Step::Pass { ticks }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, ..ProptestConfig::default() })]

    /// All relays agree once the bus works again, after any history: each member has one owner, and each watcher knows exactly the
    /// members of all relays.
    #[test]
    fn relays_agree_after_losses_repeats_partitions_and_restarts(
        steps in prop::collection::vec(step(), 1..60),
        loses_one_of in prop_oneof![Just(0), 4..30_u64],
        seed in any::<u64>(),
    ) {
        let mut world = World::new(3);
        (world.loses_one_of, world.seed) = (loses_one_of, seed);
        let mut number = 1;
        let mut sessions = BTreeMap::new();
        let mut watchers = BTreeMap::new();
        for step in steps {
            let now = world.now;
            match step {
                Step::Enter { relay, place, id } => {
                    number += 1;
                    if let Some(session) = world.relay(relay).enter(place, id, number, now) {
                        sessions.insert((relay, place, id), session);
                    }
                }
                Step::Depart { relay, place, id } => {
                    if let Some(session) = sessions.remove(&(relay, place, id)) {
                        world.depart(relay, place, session, id);
                    }
                }
                Step::Leave { relay, place, id } => {
                    world.leave(relay, place, id);
                }
                Step::Watch { relay, place } => {
                    let watcher = world.watch(relay, place);
                    watchers.insert((relay, place), watcher);
                }
                Step::Unwatch { relay, place } => {
                    if let Some(watcher) = watchers.remove(&(relay, place)) {
                        world.relay(relay).table.unwatch(channel(place), SessionId(watcher));
                    }
                }
                Step::Cut { from, to } => {
                    world.cut.insert((from, to));
                }
                Step::Heal => world.cut.clear(),
                Step::Restart { relay } => {
                    // Another process has another id; here the relay keeps its place, so its streams must begin anew.
                    let id = world.relay(relay).id;
                    world.relays[relay] = None;
                    world.pass(SILENCE + TICK);
                    let now = world.now.monotonic;
                    world.relays[relay] = Some(Relay::new(id, now));
                    sessions.retain(|(at, ..), _| *at != relay);
                    watchers.retain(|(at, _), _| *at != relay);
                }
                Step::Pass { ticks } => world.pass(TICK * ticks),
            }
        }
        (world.loses_one_of, world.cut) = (0, BTreeSet::new());
        world.pass(SILENCE * 2 + GRACE + Duration::from_secs(5));
        for place in 1..3 {
            let now = world.now.monotonic;
            let owned: Vec<BTreeSet<MemberId>> =
                world.relays.iter().flatten().map(|relay| relay.own_ids(place, now)).collect();
            let all: BTreeSet<MemberId> = owned.iter().flatten().copied().collect();
            prop_assert_eq!(all.len(), owned.iter().map(BTreeSet::len).sum::<usize>(), "two relays have one member");
            for relay in 0..3 {
                let watcher = world.watch(relay, place);
                world.pass(TICK * 8);
                let known: BTreeSet<MemberId> =
                    world.known(relay, place, watcher).into_iter().map(|(id, _)| member(id)).collect();
                prop_assert_eq!(&known, &all, "relay {} on {}", relay, place);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, ..ProptestConfig::default() })]

    /// A relay that begins to need a channel after the death of another one shows the dead one's members as long as the others
    /// do, also if messages are lost meanwhile.
    #[test]
    fn a_newcomer_shows_the_members_of_a_relay_that_is_gone(
        members in 1..8_u8,
        returning in 0..4_u8,
        delay in 0..240_u32,
        loses_one_of in prop_oneof![Just(0), 6..30_u64],
        seed in any::<u64>(),
    ) {
        let mut world = World::new(3);
        let old = world.watch(1, 1);
        // Without it, the newcomer's first link is one for this channel.
        if seed % 2 == 0 {
            world.watch(2, 2);
            world.watch(0, 2);
        }
        (0..members).for_each(|id| {
            world.enter(0, 1, 10 + id, 1);
        });
        world.pass(TICK * 8);
        prop_assert_eq!(world.known(1, 1, old).len(), usize::from(members));
        (world.loses_one_of, world.seed) = (loses_one_of, seed);
        world.relays[0] = None;
        let death = world.now.monotonic;
        world.pass(TICK * delay);
        let mut newcomer = world.watch(2, 1);
        world.pass(Duration::from_secs(2).max(SILENCE + TICK * 10 - (TICK * delay).min(SILENCE)));
        world.loses_one_of = 0;
        if world.relay(2).lost > 0 {
            newcomer = world.watch(2, 1);
        }
        for id in 0..returning.min(members) {
            world.enter(1 + usize::from(id % 2), 1, 10 + id, 2);
        }
        world.pass(Duration::from_millis(2500));
        let end = death + SILENCE + GRACE;
        while world.now.monotonic + TICK * 10 < end {
            let known = [world.known(1, 1, old), world.known(2, 1, newcomer)];
            prop_assert_eq!(&known[0], &known[1], "{:?} before the end", end - world.now.monotonic);
            prop_assert_eq!(known[0].len(), usize::from(members));
            world.pass(TICK * 5);
        }
        world.pass(Duration::from_secs(2));
        let known = [world.known(1, 1, old), world.known(2, 1, newcomer)];
        prop_assert_eq!(&known[0], &known[1]);
        prop_assert_eq!(known[0].len(), usize::from(returning.min(members)));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, ..ProptestConfig::default() })]

    /// A member that leaves at another relay than its own is gone at all relays, whichever message is lost.
    #[test]
    fn a_leave_at_another_relay_survives_the_loss_of_any_one_message(
        members in prop::collection::vec((0..3_usize, 1..3_usize), 1..5),
        stays in any::<bool>(),
        is_needed_no_longer in any::<bool>(),
        is_relay_gone in any::<bool>(),
        lost in 0..30_u64,
    ) {
        let mut world = World::new(3);
        let watchers = [0, 1, 2].map(|relay| world.watch(relay, 1));
        for (id, (owner, _)) in (10_u8..).zip(&members) {
            world.enter(*owner, 1, id, 1);
        }
        if stays {
            world.enter(0, 1, 30, 1);
        }
        world.pass(TICK * 8);
        world.loses_after = Some(lost);
        if is_relay_gone {
            // The members of this relay are in their grace time elsewhere, and leave at a relay that does not own them either.
            world.relays[2] = None;
            world.pass(SILENCE + TICK * 4);
            world.loses_after = Some(lost);
        }
        let mut left = BTreeSet::new();
        for (id, (owner, distance)) in (10_u8..).zip(&members) {
            let teller = (owner + distance) % 3;
            if world.relays[teller].is_some() {
                world.leave(teller, 1, id);
                left.insert(id);
            }
        }
        if is_needed_no_longer {
            for (relay, watcher) in world.relays.iter_mut().zip(watchers) {
                relay.iter_mut().for_each(|relay| relay.table.unwatch(channel(1), SessionId(watcher)));
            }
        }
        world.pass(SILENCE + Duration::from_secs(3));
        world.loses_after = None;
        for relay in (0..3).filter(|relay| world.relays[*relay].is_some()).collect::<Vec<_>>() {
            let watcher = world.watch(relay, 1);
            world.pass(TICK * 8);
            let known: BTreeSet<u8> = world.known(relay, 1, watcher).into_iter().map(|(id, _)| id).collect();
            prop_assert!(known.is_disjoint(&left), "relay {} shows {:?}", relay, known);
            prop_assert_eq!(known.contains(&30), stays);
        }
    }
}
