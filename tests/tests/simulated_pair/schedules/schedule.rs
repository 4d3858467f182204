//! One schedule: a few dozen random events, then a recovery without faults in which every guarantee must hold.

use super::{
    app_calls,
    channels::CHANNELS,
    conditions::Conditions,
    faults, recovery,
    world::{CLIENTS, World},
};
use crate::{clients::Seeded, cluster};

/// One of so many seeds runs a cluster.
const CLUSTERS: u64 = 4;

/// The figures of one or more schedules.
#[derive(Default)]
pub(crate) struct Tally {
    pub(crate) delivered: usize,
    pub(crate) gaps: usize,
    pub(crate) connects: usize,
    /// The errors in place of a message, in schedules with a lying relay.
    pub(crate) refused: usize,
    /// The lies of the relay.
    pub(crate) lies: usize,
}

impl Tally {
    pub(super) fn add(&mut self, other: &Self) {
        self.delivered += other.delivered;
        self.gaps += other.gaps;
        self.connects += other.connects;
        self.refused += other.refused;
        self.lies += other.lies;
    }
}

/// Runs the schedule of a seed. Returns an explanation if a guarantee was broken.
pub(super) fn run(seed: u64, verbose: bool) -> Result<Tally, String> {
    if seed % CLUSTERS == CLUSTERS - 1 {
        return cluster::schedule::run(seed, verbose);
    }
    let mut random = Seeded(seed ^ 0x5ea1_317e);
    let conditions = Conditions::random(&mut random);
    // Each schedule has some kinds of faults only: many faults of few kinds find more than a few faults of all kinds.
    let kinds = random.next() | random.next();
    let events = 15 + random.below(35);
    let mut world = World::new(CLIENTS, conditions, random);
    world.verbose = verbose;
    for client in 0..CLIENTS {
        let channel = world.random.below(CHANNELS as u64) as usize;
        world.subscribe(client, channel, None);
    }
    for _ in 0..events {
        continue_with(&mut world, kinds, 0);
    }
    if world.violation.is_none() {
        recovery::run(&mut world)?;
    }
    match world.violation {
        Some(reason) => Err(reason),
        None => Ok(Tally {
            delivered: world.model.delivered,
            gaps: world.model.gaps,
            connects: world.machines.iter().map(|machine| machine.connects).sum(),
            ..Tally::default()
        }),
    }
}

/// Lets time pass, at least `silence_ms`, and then something happen, unless a guarantee was broken.
pub(super) fn continue_with(world: &mut World, kinds: u64, silence_ms: u64) {
    if world.violation.is_none() {
        let pause = pause(&mut world.random);
        world.run(pause + silence_ms);
    }
    if world.violation.is_none() {
        happen(world, kinds);
    }
}

/// Returns the pause before the next event in milliseconds.
fn pause(random: &mut Seeded) -> u64 {
    match random.below(16) {
        0..9 => random.below(150),
        9..14 => random.below(2_500),
        14 => random.below(12_000),
        _ => random.below(45_000),
    }
}

/// One event: a call of the app, or a fault if `kinds` has its bit.
fn happen(world: &mut World, kinds: u64) {
    let client = world.random.below(CLIENTS as u64) as usize;
    let kind = world.random.below(faults::KINDS);
    if app_calls::call(world, client, kind) || kinds >> kind & 1 == 0 {
        return;
    }
    world.trace(|| format!("event {kind} at client {client}"));
    faults::inject(world, client, kind);
}
