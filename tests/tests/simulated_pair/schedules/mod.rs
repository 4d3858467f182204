//! Seeded schedules: the client core and the relay's rules under random faults of the network, the machines, the relay and
//! the app, checked against a model of the guarantees.
//!
//! `SEALWIRE_SCHEDULES` is the number of schedules with an honest relay, `SEALWIRE_LYING_SCHEDULES` of those with one that
//! lies, and `SEALWIRE_SEED` the first seed. A seed alone runs that schedule and prints its events.

mod app_calls;
pub(super) mod channels;
mod conditions;
mod faults;
mod history;
mod lies;
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

/// Runs the schedule of a seed, and prints its events if the second argument is true.
type Schedule = fn(u64, bool) -> Result<Tally, String>;

fn number(name: &str) -> Option<u64> {
    env::var(name).ok().map(|text| text.parse().expect("a number"))
}

/// Runs the schedules of these seeds on all cores, until one breaks a guarantee. Returns the sum of their figures, or the
/// smallest seed that broke a guarantee.
fn run(schedule: Schedule, seeds: std::ops::Range<u64>, verbose: bool) -> Result<Tally, (u64, String)> {
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
            let result = catch_unwind(|| schedule(seed, verbose));
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

/// Runs as many schedules as the environment variable says, or the one that `SEALWIRE_SEED` names. Returns the beginning of
/// the report, and the figures.
fn run_all(schedule: Schedule, variable: &str, test: &str) -> (String, Tally) {
    let (seed, schedules) = (number("SEALWIRE_SEED"), number(variable));
    let first = seed.unwrap_or(0);
    let count = schedules.unwrap_or(if seed.is_some() { 1 } else { DEFAULT_SCHEDULES });
    let start = Instant::now();
    match run(schedule, first..first + count, seed.is_some() && schedules.is_none()) {
        Ok(tally) => {
            let rate = count as f64 / start.elapsed().as_secs_f64();
            (
                format!(
                    "{count} schedules, {rate:.0} a second, from seed {first}: {} deliveries",
                    tally.delivered
                ),
                tally,
            )
        }
        Err((seed, reason)) => panic!(
            "seed {seed}: {reason}\nreplay: SEALWIRE_SEED={seed} cargo test -p sealwire-tests --test simulated_pair {test} -- --nocapture"
        ),
    }
}

#[test]
#[allow(clippy::print_stdout, reason = "the test command shows the figures")]
fn in_every_schedule_each_subscription_gets_every_message_or_reports_a_gap() {
    let (report, tally) = run_all(schedule::run, "SEALWIRE_SCHEDULES", "in_every_schedule");
    println!("{report}, {} gaps, {} connections", tally.gaps, tally.connects);
}

#[test]
#[allow(clippy::print_stdout, reason = "the test command shows the figures")]
fn a_lying_relay_repeats_and_misplaces_nothing_and_withholds_no_confirmed_message_unnoticed() {
    let (report, tally) = run_all(lies::run, "SEALWIRE_LYING_SCHEDULES", "a_lying_relay");
    let Tally { lies, gaps, refused, .. } = tally;
    assert!(lies < 500 || gaps.min(refused) > 0, "{lies} lies, {gaps} withheld, {refused} errors");
    println!("lying: {report}, {lies} lies, {gaps} withheld, {refused} errors");
}
