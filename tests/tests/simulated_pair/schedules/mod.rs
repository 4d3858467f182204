//! Seeded schedules: the client core and the relay's rules under everything that a network, a machine and an app can do
//! to them, checked against a model of what was promised. `SEALWIRE_SCHEDULES` says how many, `SEALWIRE_SEED` where they
//! begin; a seed alone runs that one and tells its story.

mod channels;
mod history;
mod model;
mod network;
mod side;
mod traffic;
mod weather;
mod world;

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
use weather::Tally;

/// In a build without optimization, where nobody asked for a number.
const FEW: u64 = 300;

fn number(name: &str) -> Option<u64> {
    env::var(name).ok().map(|text| text.parse().expect("a number"))
}

/// Runs seeds on all cores until one breaks a promise. Returns what they came to, or the smallest broken seed.
fn run(seeds: std::ops::Range<u64>, story: bool) -> Result<Tally, (u64, String)> {
    let next = AtomicU64::new(seeds.start);
    let broken: Mutex<Option<(u64, String)>> = Mutex::default();
    let total = Mutex::new(Tally::default());
    let work = || {
        let mut sum = Tally::default();
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= seeds.end {
                break;
            }
            let lived = catch_unwind(|| weather::live(seed, story));
            match lived.unwrap_or_else(|_| Err("a panic, see above".into())) {
                Ok(tally) => sum.add(&tally),
                Err(reason) => {
                    let mut broken = broken.lock().expect("no thread panics");
                    if broken.as_ref().is_none_or(|(other, _)| seed < *other) {
                        *broken = Some((seed, reason));
                    }
                    next.fetch_max(seeds.end, Ordering::Relaxed);
                }
            }
        }
        total.lock().expect("no thread panics").add(&sum);
    };
    let cores = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| (0..cores).for_each(|_| drop(scope.spawn(work))));
    match broken.into_inner().expect("no thread panics") {
        Some(broken) => Err(broken),
        None => Ok(total.into_inner().expect("no thread panics")),
    }
}

#[test]
#[allow(clippy::print_stdout, reason = "the rate is asked for")]
fn in_every_schedule_each_subscription_has_everything_or_is_told_of_a_gap() {
    let (seed, schedules) = (number("SEALWIRE_SEED"), number("SEALWIRE_SCHEDULES"));
    let first = seed.unwrap_or(0);
    let count = schedules.unwrap_or(if seed.is_some() { 1 } else { FEW });
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

impl Tally {
    fn add(&mut self, other: &Self) {
        self.delivered += other.delivered;
        self.gaps += other.gaps;
        self.connects += other.connects;
    }
}
