//! Faults of processes and connections, one after the other, each ended before the next begins.

mod hosts;
mod kind;
mod relays;
mod servers;

pub use kind::FaultKind;

use super::{history::Recorder, random::Random};
use crate::RelayCluster;
use std::{ops::Range, thread, time::Duration};

/// Causes faults and ends them.
pub(super) struct Injector<'a> {
    pub(super) cluster: &'a RelayCluster,
    pub(super) recorder: &'a Recorder,
    pub(super) random: Random,
    /// The duration of a fault in milliseconds.
    pub(super) durations: Range<u64>,
    pub(super) log: fn(&str),
}

impl Injector<'_> {
    /// Causes a fault, lets it last, and ends it.
    pub(super) fn strike(&mut self, kind: FaultKind) {
        let relay = self.random.index(self.cluster.size());
        match self.cluster.nats() {
            Some(nats) => {
                let server = self.random.index(nats.size());
                if !self.strike_relay(kind, relay) && !self.strike_hosts(nats, kind, relay, server) {
                    self.strike_nats(nats, kind, relay, server);
                }
            }
            None => {
                self.strike_relay(kind, relay);
            }
        }
        for relay in 0..self.cluster.size() {
            if let Some(end) = self.cluster.ended_by_itself(relay) {
                self.recorder.fail(format!("relay {relay} ended by itself: {end}"));
                self.cluster.restart(relay);
            }
        }
    }

    /// Lets nothing happen for a moment.
    pub(super) fn pause(&mut self) {
        let pause = Duration::from_millis(self.random.within(self.durations.clone()) / 3);
        thread::sleep(pause);
    }

    fn announce(&self, fault: &str) {
        (self.log)(&format!("{:>7.1} s  {fault}", self.recorder.now() as f64 / 1000.0));
        self.recorder.fault(fault.to_owned());
    }

    /// Announces a fault, begins it, lets it last, and ends it.
    fn during(&mut self, fault: &str, begin: impl FnOnce(), end: impl FnOnce()) {
        let duration = Duration::from_millis(self.random.within(self.durations.clone()));
        self.announce(&format!("{fault} for {:.1} s", duration.as_secs_f64()));
        begin();
        thread::sleep(duration);
        end();
    }
}
