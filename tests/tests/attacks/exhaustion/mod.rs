//! Attacks on what all clients share: processors, memory, the log, the relay's own end. The relay has a small budget of
//! memory and a log that nothing reads; each attack lasts a few seconds, alone and then beside all others.

mod attackers;
mod streams;

pub(crate) use attackers::ATTACKS;

use crate::{bystanders::Bystanders, target::Target};
use sealwire_tests::RelayProcess;
use std::{
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
    thread::{scope, sleep},
    time::{Duration, Instant},
};

/// An attack with a stable name, which goes on until a given moment and survives the end of its connections.
#[derive(Clone, Copy)]
pub(crate) struct Attack {
    pub(crate) name: &'static str,
    pub(crate) run: fn(&Target, Instant),
}

const MIB: usize = 1024 * 1024;
/// The relay's budget, as `memory_bytes` has it below.
const BUDGET: usize = 64 * MIB;
/// The bound on what the process occupies, program and allocator included.
const RESIDENT: usize = 2 * BUDGET;
/// The bound on the bystanders' 99th percentile from publish to delivery.
const P99: Duration = Duration::from_millis(50);
/// The length of one attack.
const ALONE: Duration = Duration::from_secs(3);
/// The length of all attacks at once.
const TOGETHER: Duration = Duration::from_secs(12);
/// The subscribers that must neither be ended nor miss a message.
const CROWD: usize = 100;
const CROWD_PAUSE: Duration = Duration::from_millis(250);
/// `drain_deadline` below.
const DRAIN_DEADLINE: Duration = Duration::from_secs(6);
/// What the process may take beyond its deadline to end.
const SLACK: Duration = Duration::from_secs(2);

const SETTINGS: &str = "memory_bytes = \"64MiB\"\nreplay_bytes = \"16MiB\"\ndrain_window = \"2s\"\n\
                        drain_deadline = \"6s\"\n";

#[test]
#[allow(clippy::print_stdout, reason = "the test command shows the figures")]
fn greedy_clients_delay_nobody_and_stay_within_the_memory() {
    // Every connection of this test is a file descriptor here and in the relay.
    rlimit::increase_nofile_limit(u64::MAX).unwrap();
    let only = std::env::var("SEALWIRE_ATTACK").unwrap_or_default();
    let attacks: Vec<Attack> = ATTACKS.iter().copied().filter(|attack| attack.name.contains(&only)).collect();
    let target = Target::start_as(RelayProcess::start_unread, SETTINGS);
    let crowd = Bystanders::crowd(&target, "crowd", CROWD, CROWD_PAUSE);
    let (peak, done) = (AtomicUsize::new(0), AtomicBool::new(false));
    let mut gauge = Gauge { bystanders: Bystanders::on(&target), peak: &peak, slow: Vec::new() };
    let (target, done) = (&target, &done);

    scope(|threads| {
        let _ended = SetOnDrop(done);
        threads.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                peak.fetch_max(target.relay.memory(), Ordering::Relaxed);
                sleep(Duration::from_millis(20));
            }
        });
        gauge.measure("quiet", &|| sleep(ALONE));
        for attack in &attacks {
            gauge.measure(attack.name, &|| (attack.run)(target, Instant::now() + ALONE));
        }
        // The attackers go on beyond the bystanders' measurement, into the relay's end.
        let until = Instant::now() + TOGETHER + DRAIN_DEADLINE;
        for attack in &attacks {
            threads.spawn(move || (attack.run)(target, until));
        }
        gauge.measure("all at once", &|| sleep(TOGETHER / 2));
        target.relay.close_log();
        gauge.measure("all at once, the log closed", &|| sleep(TOGETHER / 2));
        done.store(true, Ordering::Relaxed);

        let (sent, received) = gauge.bystanders.finish();
        assert_eq!(sent, received, "bystanders lost messages");
        let (sent, received) = crowd.finish();
        assert_eq!(sent, received, "healthy subscribers lost messages");
        let start = Instant::now();
        target.relay.signal("TERM");
        let status = target.relay.end_within(DRAIN_DEADLINE + SLACK);
        println!("SIGTERM: {:.1} s, {status:?}", start.elapsed().as_secs_f64());
        assert!(status.is_some_and(|status| status.success()), "the relay ends late or badly: {status:?}");
        assert!(gauge.slow.is_empty(), "bystanders waited: {}", gauge.slow.join(", "));
    });
    let peak = peak.load(Ordering::Relaxed);
    assert!(peak < RESIDENT, "{} MiB resident", peak / MIB);
}

/// Ends the measurement of memory, also where the test fails.
struct SetOnDrop<'a>(&'a AtomicBool);

impl Drop for SetOnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Measures the bystanders during an attack.
struct Gauge<'a> {
    bystanders: Bystanders,
    peak: &'a AtomicUsize,
    /// The attacks that delayed the bystanders beyond [`P99`].
    slow: Vec<String>,
}

impl Gauge<'_> {
    #[allow(clippy::print_stdout, reason = "the test command shows the figures")]
    fn measure(&mut self, name: &str, attack: &dyn Fn()) {
        drop(self.bystanders.latencies());
        attack();
        let p99 = self.bystanders.latencies().p99();
        let resident = self.peak.load(Ordering::Relaxed) / MIB;
        println!("{name}: bystanders p99 {:.1} ms, peak {resident} MiB resident", p99.as_secs_f64() * 1e3);
        if p99 > P99 {
            self.slow.push(format!("{name}: {p99:?}"));
        }
    }
}
