//! The load balancer in front of the relays. It asks each for its readiness and sends clients to those that are ready.

use super::random::Random;
use crate::RelayCluster;
use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

/// The interval of the questions for readiness.
const INTERVAL: Duration = Duration::from_millis(500);
/// One of this many clients is sent to any relay, ready or not, as a balancer does that has not noticed yet.
const IGNORANCE: u64 = 16;

/// Chooses relays for clients. Dropping it ends its thread.
pub(super) struct Balancer {
    cluster: Arc<RelayCluster>,
    ready: Arc<Vec<AtomicBool>>,
    random: Mutex<Random>,
    ends: Arc<AtomicBool>,
    watch: Option<JoinHandle<()>>,
}

impl Balancer {
    pub(super) fn new(cluster: Arc<RelayCluster>, random: Random) -> Self {
        let ready: Arc<Vec<_>> = Arc::new((0..cluster.size()).map(|_| AtomicBool::new(true)).collect());
        let ends = Arc::<AtomicBool>::default();
        let watch = thread::spawn({
            let (cluster, ready, ends) = (cluster.clone(), ready.clone(), ends.clone());
            move || {
                while !ends.load(Ordering::Relaxed) {
                    for (relay, ready) in ready.iter().enumerate() {
                        ready.store(cluster.is_ready(relay), Ordering::Relaxed);
                    }
                    thread::sleep(INTERVAL);
                }
            }
        });
        Self { cluster, ready, random: random.into(), ends, watch: Some(watch) }
    }

    /// Returns the port of a relay.
    pub(super) fn port(&self) -> u16 {
        let mut random = self.random.lock().unwrap_or_else(PoisonError::into_inner);
        let all = 0..self.cluster.size();
        let ready: Vec<usize> =
            all.clone().filter(|relay| self.ready[*relay].load(Ordering::Relaxed)).collect();
        let is_ignorant = random.within(0..IGNORANCE) == 0;
        let choice = if ready.is_empty() || is_ignorant { all.collect() } else { ready };
        self.cluster.port(choice[random.index(choice.len())])
    }
}

impl Drop for Balancer {
    fn drop(&mut self) {
        self.ends.store(true, Ordering::Relaxed);
        if let Some(watch) = self.watch.take() {
            // The thread has nothing to report.
            let _ = watch.join();
        }
    }
}
