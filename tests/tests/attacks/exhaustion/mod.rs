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

/// An attack with a stable name, which goes on for a span of time and survives the end of its connections.
#[derive(Clone, Copy)]
pub(crate) struct Attack {
    pub(crate) name: &'static str,
    pub(crate) run: fn(&Target, &Span),
}

/// The time of an attack: until a moment, or until the test is over.
pub(crate) struct Span {
    end: Option<Instant>,
    over: AtomicBool,
}

impl Span {
    fn of(length: Duration) -> Self {
        Self { end: Some(Instant::now() + length), over: AtomicBool::new(false) }
    }

    fn open() -> Self {
        Self { end: None, over: AtomicBool::new(false) }
    }

    fn end(&self) {
        self.over.store(true, Ordering::Relaxed);
    }

    fn is_over(&self) -> bool {
        self.over.load(Ordering::Relaxed) || self.end.is_some_and(|end| Instant::now() >= end)
    }

    fn wait(&self) {
        while !self.is_over() {
            sleep(Duration::from_millis(20));
        }
    }
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
/// The length of a measurement while all attacks go on.
const TOGETHER: Duration = Duration::from_secs(6);
/// A fault of the relay shows in each of so many measurements; other work of the machine does not.
const ATTEMPTS: u32 = 3;
/// The subscribers that must neither be ended nor miss a message.
const CROWD: usize = 100;
const CROWD_PAUSE: Duration = Duration::from_millis(250);
/// `drain_deadline` below.
const DRAIN_DEADLINE: Duration = Duration::from_secs(6);
/// Time that the process may take to end beyond its deadline.
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
    let (peak, all, measured) = (AtomicUsize::new(0), Span::open(), Span::open());
    let mut gauge = Gauge { bystanders: Bystanders::on(&target), peak: &peak, slow: Vec::new() };
    let (target, all, measured) = (&target, &all, &measured);

    scope(|threads| {
        let _ended = [EndOnDrop(all), EndOnDrop(measured)];
        threads.spawn(|| {
            while !measured.is_over() {
                peak.fetch_max(target.relay.memory(), Ordering::Relaxed);
                sleep(Duration::from_millis(20));
            }
        });
        gauge.measure("quiet", &|| sleep(ALONE));
        for attack in &attacks {
            gauge.measure(attack.name, &|| (attack.run)(target, &Span::of(ALONE)));
        }
        // The attackers go on beyond the bystanders' measurement, into the relay's end.
        for attack in &attacks {
            threads.spawn(move || (attack.run)(target, all));
        }
        gauge.measure("all at once", &|| sleep(TOGETHER));
        target.relay.close_log();
        gauge.measure("all at once, the log closed", &|| sleep(TOGETHER));

        let (sent, received) = gauge.bystanders.finish();
        assert_eq!(sent, received, "bystanders lost messages");
        let (sent, received) = crowd.finish();
        assert_eq!(sent, received, "healthy subscribers lost messages");
        measured.end();
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

/// Ends the attacks and the measurement of memory, also where the test fails.
struct EndOnDrop<'a>(&'a Span);

impl Drop for EndOnDrop<'_> {
    fn drop(&mut self) {
        self.0.end();
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
        let is_slow = (0..ATTEMPTS).all(|_| {
            drop(self.bystanders.latencies());
            attack();
            let p99 = self.bystanders.latencies().p99();
            let resident = self.peak.load(Ordering::Relaxed) / MIB;
            println!(
                "{name}: bystanders p99 {:.1} ms, peak {resident} MiB resident",
                p99.as_secs_f64() * 1e3
            );
            p99 > P99
        });
        if is_slow {
            self.slow.push(name.to_owned());
        }
    }
}
