//! Faults of relays, and between clients and relays.

use super::{FaultKind, Injector};
use crate::Fault;
use std::{
    thread,
    time::{Duration, Instant},
};

/// The time that a relay has to become ready after a restart.
const READY_TIMEOUT: Duration = Duration::from_secs(30);

impl Injector<'_> {
    /// Causes a fault of a relay. Returns false if the kind is of NATS.
    pub(super) fn strike_relay(&mut self, kind: FaultKind, relay: usize) -> bool {
        let cluster = self.cluster;
        let door = cluster.door(relay);
        match kind {
            FaultKind::KillRelay => {
                self.contents_at_risk(true);
                let name = format!("relay {relay} killed");
                self.during(&name, || cluster.kill(relay), || cluster.restart(relay));
                self.contents_at_risk(false);
            }
            FaultKind::DrainRelay => {
                self.announce(&format!("relay {relay} shut down"));
                self.renew_relay(relay);
            }
            FaultKind::StopRelay => {
                let name = format!("relay {relay} stopped");
                self.during(&name, || cluster.stop(relay), || cluster.resume(relay));
            }
            FaultKind::CutClients => {
                self.announce(&format!("clients of relay {relay} cut"));
                door.cut();
            }
            FaultKind::StallClients => {
                let name = format!("clients of relay {relay} stalled");
                self.during(&name, || door.set(Fault::Stall), || door.set(Fault::None));
            }
            _ => return false,
        }
        true
    }

    /// Shuts a relay down, starts it again, and waits until it is ready.
    pub(super) fn renew_relay(&self, relay: usize) {
        self.contents_at_risk(true);
        if !self.cluster.drain(relay) {
            self.recorder.fail(format!("relay {relay} did not end after the signal TERM"));
        }
        self.cluster.restart(relay);
        self.contents_at_risk(false);
        let deadline = Instant::now() + READY_TIMEOUT;
        while !self.cluster.is_ready(relay) && Instant::now() < deadline {
            thread::sleep(Duration::from_millis(50));
        }
    }

    /// Records that the embedded broker loses its contents with its relay.
    fn contents_at_risk(&self, are_at_risk: bool) {
        match (self.cluster.nats(), are_at_risk) {
            (Some(_), _) => {}
            (None, true) => self.recorder.risk_begins(),
            (None, false) => self.recorder.risk_ends(),
        }
    }
}
