//! A simulated network of relays in virtual time, with lost, late, repeated and reordered reports.

use crate::{
    cluster::gossip::{Gossip, REPORT_INTERVAL},
    limits::{Limits, Publisher, SessionPermit},
    settings::Settings,
};
use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, Instant},
};

pub(super) const RATE: u64 = 100;
pub(super) const BURST: u64 = 200;
pub(super) const STEP: Duration = Duration::from_millis(10);

/// A relay without its network.
pub(super) struct Relay {
    pub(super) id: u64,
    pub(super) limits: Arc<Limits>,
    pub(super) gossip: Gossip,
    pub(super) publisher: Publisher,
    pub(super) accepted: u64,
    /// A relay that is down neither sends nor receives.
    pub(super) is_down: bool,
}

/// Several relays and the network between them, in virtual time.
pub(super) struct Bus {
    pub(super) now: Instant,
    pub(super) relays: Vec<Relay>,
    /// The reports under way: arrival, sender, receiver, bytes.
    pub(super) under_way: Vec<(Instant, usize, usize, Vec<u8>)>,
    pub(super) faults: Faults,
    /// The number of successive losses by sender and receiver.
    pub(super) losses: HashMap<(usize, usize), usize>,
}

/// The faults of the network. The draws are pseudo-random.
#[derive(Clone, Copy, Default)]
pub(super) struct Faults {
    pub(super) seed: u64,
    /// The largest delay of a report, in steps. Reports overtake each other.
    pub(super) delay: u64,
    /// Reports in a hundred that are lost, at most three in succession.
    pub(super) lost: u64,
    /// Reports in a hundred that arrive twice.
    pub(super) repeated: u64,
}

impl Faults {
    pub(super) fn draw(&mut self, below: u64) -> u64 {
        self.seed = self.seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.seed >> 33) % below.max(1)
    }
}

fn settings() -> Settings {
    Settings {
        publish_rate: RATE,
        publish_burst: BURST,
        publish_byte_rate: Some(1 << 30),
        publish_byte_burst: Some(1 << 30),
        max_sessions_per_account: 8,
        max_sessions_per_installation: 1000,
        ..Settings::default()
    }
}

impl Bus {
    pub(super) fn new(relays: usize, faults: Faults) -> Self {
        let now = Instant::now();
        let relays = (1..=relays as u64).map(|id| Relay::new(id, now)).collect();
        Self { now, relays, under_way: Vec::new(), faults, losses: Default::default() }
    }

    /// Runs for a time. `act` acts on each relay that is up, at each step.
    pub(super) fn run(&mut self, time: Duration, mut act: impl FnMut(&mut Relay, Instant)) {
        let end = self.now + time;
        while self.now < end {
            self.now += STEP;
            self.deliver();
            for index in 0..self.relays.len() {
                if self.relays[index].is_down {
                    continue;
                }
                act(&mut self.relays[index], self.now);
                // The relays report at different moments.
                let phase = (self.now + STEP * index as u32 * 3 - (end - time)).as_millis();
                if phase.is_multiple_of(REPORT_INTERVAL.as_millis()) {
                    for report in self.relays[index].gossip.handle_tick(self.now) {
                        self.send(index, &report);
                    }
                }
            }
        }
    }

    fn send(&mut self, from: usize, report: &[u8]) {
        for to in 0..self.relays.len() {
            let losses = self.losses.entry((from, to)).or_default();
            if self.faults.draw(100) < self.faults.lost && *losses < 3 {
                *losses += 1;
                continue;
            }
            *losses = 0;
            let copies = 1 + u64::from(self.faults.draw(100) < self.faults.repeated);
            for _ in 0..copies {
                let delay = STEP * u32::try_from(self.faults.draw(self.faults.delay + 1)).unwrap();
                self.under_way.push((self.now + delay, from, to, report.to_vec()));
            }
        }
    }

    fn deliver(&mut self) {
        let now = self.now;
        let (due, later) = self.under_way.drain(..).partition(|(at, ..)| *at <= now);
        self.under_way = later;
        let due: Vec<_> = due;
        for (_, from, to, report) in due {
            let from = self.relays[from].id;
            if !self.relays[to].is_down {
                self.relays[to].gossip.handle_report(from, &report, now);
            }
        }
    }

    pub(super) fn accepted(&self) -> u64 {
        self.relays.iter().map(|relay| relay.accepted).sum()
    }

    /// The most messages that `relays` relays may accept in a time, if a report arrives within `lag`.
    pub(super) fn bound(relays: u64, time: Duration, lag: Duration) -> u64 {
        let seconds = time.as_secs_f64() + (relays - 1) as f64 * lag.as_secs_f64() + 1.0 / 64.0;
        relays * BURST + (RATE as f64 * seconds).ceil() as u64 + relays
    }
}

impl Relay {
    pub(super) fn new(id: u64, now: Instant) -> Self {
        let limits = Arc::new(Limits::new(settings(), now).shared());
        let gossip = Gossip::new(id, limits.clone());
        let publisher = limits.publisher("app", "site");
        Self { id, limits, gossip, publisher, accepted: 0, is_down: false }
    }

    /// Publishes as much as the relay accepts.
    pub(super) fn flood(&mut self, now: Instant) {
        while self.limits.check_publishes(&self.publisher, 1, 100, now).is_ok() {
            self.accepted += 1;
        }
    }

    pub(super) fn open(&self) -> Option<SessionPermit> {
        self.limits.admit_session("app", "site", "alice").ok()
    }
}
