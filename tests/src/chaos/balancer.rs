//! The load balancer in front of the relays. It asks each for its readiness and sends clients to those that are ready.

use super::random::Random;
use crate::RelayCluster;
use std::{
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, Scope},
    time::Duration,
};

/// The interval of the questions for readiness.
const INTERVAL: Duration = Duration::from_millis(500);
/// One of this many clients is sent to any relay, ready or not, as a balancer does that has not noticed yet.
const IGNORANCE: u64 = 16;

/// Chooses relays for clients. It does not own the relays: clients that end late would keep the processes running.
pub(super) struct Balancer {
    relays: Vec<Entrance>,
    random: Mutex<Random>,
    ends: AtomicBool,
}

/// The state of a relay, as the balancer knows it.
struct Entrance {
    port: u16,
    is_ready: AtomicBool,
}

/// The questions for readiness. Dropping the value ends them.
pub(super) struct Questions<'a>(&'a Balancer);

impl Balancer {
    pub(super) fn new(cluster: &RelayCluster, random: Random) -> Self {
        let entrance = |relay| Entrance { port: cluster.port(relay), is_ready: AtomicBool::new(true) };
        let relays = (0..cluster.size()).map(entrance).collect();
        Self { relays, random: random.into(), ends: AtomicBool::new(false) }
    }

    /// Asks each relay for its readiness, again and again, on a thread of its own.
    pub(super) fn ask<'scope, 'env>(
        &'env self,
        scope: &'scope Scope<'scope, 'env>,
        cluster: &'env RelayCluster,
    ) -> Questions<'env> {
        scope.spawn(|| {
            while !self.ends.load(Ordering::Relaxed) {
                for (index, relay) in self.relays.iter().enumerate() {
                    relay.is_ready.store(cluster.is_ready(index), Ordering::Relaxed);
                }
                thread::sleep(INTERVAL);
            }
        });
        Questions(self)
    }

    /// Returns the port of a relay.
    pub(super) fn port(&self) -> u16 {
        let mut random = self.random.lock().unwrap_or_else(PoisonError::into_inner);
        let ready = self.relays.iter().filter(|relay| relay.is_ready.load(Ordering::Relaxed));
        let ready: Vec<_> = ready.collect();
        let is_ignorant = random.within(0..IGNORANCE) == 0;
        let choice = if ready.is_empty() || is_ignorant { self.relays.iter().collect() } else { ready };
        choice[random.index(choice.len())].port
    }
}

impl Drop for Questions<'_> {
    fn drop(&mut self) {
        self.0.ends.store(true, Ordering::Relaxed);
    }
}
