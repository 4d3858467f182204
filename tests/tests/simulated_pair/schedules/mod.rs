//! Seeded schedules: the client core and the relay's rules under random faults of the network, the machines, the relay and
//! the app, checked against a model of the guarantees.
//!
//! `SEALWIRE_SCHEDULES` is the number of schedules and `SEALWIRE_SEED` the first seed. A seed alone runs that schedule and
//! prints its events.

mod app_calls;
pub(super) mod channels;
mod conditions;
mod faults;
mod history;
mod machine;
mod model;
pub(super) mod network;
mod recovery;
pub(super) mod schedule;
mod traffic;
mod world;

use schedule::Tally;
use std::{
    env,
    panic::catch_unwind,
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::Instant,
};

/// The default number of schedules, for a build without optimisation.
const DEFAULT_SCHEDULES: u64 = 300;

fn number(name: &str) -> Option<u64> {
    env::var(name).ok().map(|text| text.parse().expect("a number"))
}

/// Runs the schedules of these seeds on all cores, until one breaks a guarantee. Returns the sum of their figures, or the
/// smallest seed that broke a guarantee.
fn run(seeds: std::ops::Range<u64>, verbose: bool) -> Result<Tally, (u64, String)> {
    let next = AtomicU64::new(seeds.start);
    let violation: Mutex<Option<(u64, String)>> = Mutex::default();
    let total = Mutex::new(Tally::default());
    let work = || {
        let mut sum = Tally::default();
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= seeds.end {
                break;
            }
            let result = catch_unwind(|| schedule::run(seed, verbose));
            match result.unwrap_or_else(|_| Err("the schedule panicked, see above".into())) {
                Ok(tally) => sum.add(&tally),
                Err(reason) => {
                    let mut violation = violation.lock().expect("no thread panics");
                    if violation.as_ref().is_none_or(|(other, _)| seed < *other) {
                        *violation = Some((seed, reason));
                    }
                    next.fetch_max(seeds.end, Ordering::Relaxed);
                }
            }
        }
        total.lock().expect("no thread panics").add(&sum);
    };
    let cores = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| (0..cores).for_each(|_| drop(scope.spawn(work))));
    match violation.into_inner().expect("no thread panics") {
        Some(violation) => Err(violation),
        None => Ok(total.into_inner().expect("no thread panics")),
    }
}

#[test]
#[allow(clippy::print_stdout, reason = "the test command shows the figures")]
fn in_every_schedule_each_subscription_gets_every_message_or_reports_a_gap() {
    let (seed, schedules) = (number("SEALWIRE_SEED"), number("SEALWIRE_SCHEDULES"));
    let first = seed.unwrap_or(0);
    let count = schedules.unwrap_or(if seed.is_some() { 1 } else { DEFAULT_SCHEDULES });
    let start = Instant::now();
    match run(first..first + count, seed.is_some() && schedules.is_none()) {
        Ok(Tally { delivered, gaps, connects }) => {
            let rate = count as f64 / start.elapsed().as_secs_f64();
            println!(
                "{count} schedules, {rate:.0} a second, from seed {first}: {delivered} deliveries, {gaps} gaps, {connects} connections"
            );
        }
        Err((seed, reason)) => panic!(
            "seed {seed}: {reason}\nreplay: SEALWIRE_SEED={seed} cargo test -p sealwire-tests --test simulated_pair schedule -- --nocapture"
        ),
    }
}
