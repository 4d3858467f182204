//! Attacks on resources that all clients share (`exhaust-`): processors, memory, the log and the relay's shutdown. The
//! relay has a small memory budget and a log that nothing reads. Each attack lasts a few seconds, alone and then beside
//! all others.

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

/// An attack that lasts for a span of time and continues when its connections end. Its name is listed in docs/security.md.
#[derive(Clone, Copy)]
pub(crate) struct Attack {
    pub(crate) name: &'static str,
    pub(crate) run: fn(&Target, &Span),
}

/// The duration of an attack: until a fixed time, or until the test ends it.
pub(crate) struct Span {
    end: Option<Instant>,
    ended: AtomicBool,
}

impl Span {
    fn of(length: Duration) -> Self {
        Self { end: Some(Instant::now() + length), ended: AtomicBool::new(false) }
    }

    fn open() -> Self {
        Self { end: None, ended: AtomicBool::new(false) }
    }

    fn end(&self) {
        self.ended.store(true, Ordering::Relaxed);
    }

    fn is_over(&self) -> bool {
        self.ended.load(Ordering::Relaxed) || self.end.is_some_and(|end| Instant::now() >= end)
    }

    fn wait(&self) {
        while !self.is_over() {
            sleep(Duration::from_millis(20));
        }
    }
}

const MIB: usize = 1024 * 1024;
/// The relay's memory budget: `memory_bytes` in [`SETTINGS`].
const BUDGET: usize = 64 * MIB;
/// The limit on the resident memory of the process, including program and allocator.
const MAX_RESIDENT: usize = 2 * BUDGET;
/// The limit on the bystanders' 99th percentile from publish to delivery.
const MAX_P99: Duration = Duration::from_millis(50);
/// The duration of one attack.
const ALONE: Duration = Duration::from_secs(3);
/// The duration of a measurement while all attacks run.
const TOGETHER: Duration = Duration::from_secs(6);
/// The number of measurements of an attack. A fault of the relay shows in each of them; other work of the machine does
/// not.
const ATTEMPTS: u32 = 3;
/// The number of subscribers that must neither be disconnected nor miss a message.
const CROWD: usize = 100;
/// The pause between two messages to them.
const CROWD_PAUSE: Duration = Duration::from_millis(250);
/// `drain_deadline` in [`SETTINGS`].
const DRAIN_DEADLINE: Duration = Duration::from_secs(6);
/// The time by which the process may exceed its deadline.
const SLACK: Duration = Duration::from_secs(2);

const SETTINGS: &str = "memory_bytes = \"64MiB\"\nreplay_bytes = \"16MiB\"\ndrain_window = \"2s\"\n\
                        drain_deadline = \"6s\"\n";

#[test]
#[allow(clippy::print_stdout, reason = "the test command shows the figures")]
fn greedy_clients_delay_nobody_and_stay_within_the_memory() {
    // Every connection takes a file descriptor in this process and in the relay.
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
        // The attackers continue beyond the bystanders' measurement, while the relay shuts down.
        for attack in &attacks {
            threads.spawn(move || (attack.run)(target, all));
        }
        gauge.measure("all at once", &|| sleep(TOGETHER));
        target.relay.close_log();
        gauge.measure("all at once, log closed", &|| sleep(TOGETHER));

        let (sent, received) = gauge.bystanders.finish();
        assert_eq!(sent, received, "bystanders lost messages");
        let (sent, received) = crowd.finish();
        assert_eq!(sent, received, "healthy subscribers lost messages");
        measured.end();
        let start = Instant::now();
        target.relay.signal("TERM");
        let status = target.relay.end_within(DRAIN_DEADLINE + SLACK);
        println!("SIGTERM: {:.1} s, {status:?}", start.elapsed().as_secs_f64());
        assert!(
            status.is_some_and(|status| status.success()),
            "the relay ended late or with an error: {status:?}"
        );
        assert!(gauge.slow.is_empty(), "these attacks delayed the bystanders: {}", gauge.slow.join(", "));
    });
    let peak = peak.load(Ordering::Relaxed);
    assert!(peak < MAX_RESIDENT, "the relay took {} MiB of memory", peak / MIB);
}

/// Ends the attacks and the measurement of memory, even if the test fails.
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
    /// The attacks that delayed the bystanders beyond [`MAX_P99`].
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
            p99 > MAX_P99
        });
        if is_slow {
            self.slow.push(name.to_owned());
        }
    }
}
