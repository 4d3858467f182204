//! Schedules with a relay that lies: `liar` stands between the relay and the clients, `witness` checks what the apps see.

mod liar;
mod witness;

pub(super) use liar::Liar;
use witness::Witness;

use super::{
    channels::{self, CHANNELS},
    conditions::Conditions,
    faults,
    model::{Model, Stage},
    schedule::{self, Tally},
    world::{CLIENTS, World},
};
use crate::clients::Seeded;
use sealwire_client::{Notice, SubscriptionId};

/// The lying relay of a schedule, and the check of what it achieves.
pub(super) struct Lies {
    pub(super) liar: Liar,
    pub(super) witness: Witness,
}

impl Lies {
    /// Checks a notice of a client.
    pub(super) fn notice(
        &mut self,
        model: &mut Model,
        owner: (usize, SubscriptionId),
        notice: &Notice,
    ) -> Result<(), String> {
        let Some(subscription) = model.subscriptions.get_mut(&owner) else { return Ok(()) };
        if let Notice::Ended(_) = notice {
            subscription.stage = Stage::Ended;
        }
        let channel = channels::ids()[subscription.channel];
        let may_be_withheld = self.liar.withheld.contains(&(owner.0, channel));
        self.witness.notice(owner, notice, may_be_withheld)
    }
}

/// The kinds of faults that set a clock. Nothing can be said about the age of a message after them.
const CLOCKS: u64 = 1 << faults::RELAY_CLOCK | 1 << faults::MACHINE_CLOCK;
/// A silence after which the messages from before it are too old.
const LONG_SILENCE_MS: u64 = 330_000;
/// The time after which everything that the relay sent has arrived.
const END_MS: u64 = 60_000;

/// Runs the lying schedule of a seed. Returns an explanation if a lie achieves more than docs/security.md says.
pub(super) fn run(seed: u64, verbose: bool) -> Result<Tally, String> {
    let mut random = Seeded(seed ^ 0x11e5_317e);
    let conditions = Conditions::random(&mut random);
    // The lies are the subject, so there are fewer faults than in the other schedules.
    let kinds = random.next() & random.next() & !CLOCKS;
    let events = 15 + random.below(35);
    let silence_before = random.below(2 * events);
    let liar = Liar::new(random.next());
    let mut world = World::new(CLIENTS, conditions, random);
    world.verbose = verbose;
    world.lies = Some(Lies { liar, witness: Witness::default() });
    for client in 0..CLIENTS {
        for _ in 0..2 {
            let channel = world.random.below(CHANNELS as u64) as usize;
            world.subscribe(client, channel, None);
        }
    }
    for event in 0..events {
        let silence = if event == silence_before { LONG_SILENCE_MS } else { 0 };
        schedule::continue_with(&mut world, kinds, silence);
    }
    world.run(END_MS);
    let Some(Lies { liar, witness }) = world.lies else { return Err("the relay was honest".into()) };
    match world.violation {
        Some(reason) => Err(reason),
        None => Ok(Tally {
            delivered: witness.delivered,
            gaps: witness.withheld,
            refused: witness.refused,
            lies: liar.told,
            connects: world.machines.iter().map(|machine| machine.connects).sum(),
        }),
    }
}
