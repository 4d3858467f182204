//! Faults of NATS servers, between them, and between them and the relays.

use super::{FaultKind, Injector};
use crate::{Fault, NatsCluster};
use std::time::Duration;

/// The time that the servers have to be whole again after a fault.
const WHOLE_TIMEOUT: Duration = Duration::from_secs(60);

impl Injector<'_> {
    pub(super) fn strike_nats(&mut self, nats: &NatsCluster, kind: FaultKind, relay: usize, server: usize) {
        match kind {
            FaultKind::KillServer => self.kill_servers(nats, &[server]),
            FaultKind::KillLeader => {
                let leader = self.leader(nats).unwrap_or(server);
                self.kill_servers(nats, &[leader]);
            }
            FaultKind::KillTwoServers => self.kill_servers(nats, &others(nats, server)),
            FaultKind::KillAllServers => self.kill_servers(nats, &(0..nats.size()).collect::<Vec<_>>()),
            FaultKind::StopServer => self.stop_servers(nats, &[server]),
            FaultKind::StopLeader => {
                let leader = self.leader(nats).unwrap_or(server);
                self.stop_servers(nats, &[leader]);
            }
            FaultKind::StopTwoServers => self.stop_servers(nats, &others(nats, server)),
            FaultKind::ShutDownServer => {
                self.announce(&format!("NATS server {server} shut down"));
                self.renew_server(nats, server);
            }
            FaultKind::RollingRestart => self.rolling_restart(nats),
            FaultKind::ChangePassword => {
                self.announce("the relays' password at NATS changed");
                let password = format!("{:016x}", self.random.next());
                self.cluster.change_password(&password);
            }
            FaultKind::RenewCertificates => {
                self.announce("the certificates of NATS and the relays replaced, connections cut");
                self.cluster.renew_certificates();
            }
            _ => self.disturb(nats, kind, relay, server),
        }
        self.await_whole(nats);
    }

    /// Causes a fault of connections.
    fn disturb(&mut self, nats: &NatsCluster, kind: FaultKind, relay: usize, server: usize) {
        let cluster = self.cluster;
        let fault = match kind {
            FaultKind::RefuseBroker | FaultKind::RefuseRoutes => Fault::Refuse,
            FaultKind::StallBroker | FaultKind::StallRoutes => Fault::Stall,
            FaultKind::DelayBroker | FaultKind::DelayRoutes => {
                Fault::Delay(Duration::from_millis(self.random.within(20..400)))
            }
            // Less than half of what a run needs.
            FaultKind::LimitBroker | FaultKind::LimitRoutes => Fault::Limit(30_000),
            _ => Fault::None,
        };
        match kind {
            FaultKind::CutBroker => {
                self.announce(&format!("connections of relay {relay} to NATS cut"));
                cluster.cut_from_nats(relay);
            }
            FaultKind::CutRoutes => {
                self.announce(&format!("routes of NATS server {server} cut"));
                nats.cut_routes(server);
            }
            FaultKind::RefuseRoutes
            | FaultKind::StallRoutes
            | FaultKind::DelayRoutes
            | FaultKind::LimitRoutes => {
                let begin = || {
                    nats.isolate(server, fault);
                    if fault == Fault::Refuse {
                        nats.cut_routes(server);
                    }
                };
                self.during(&format!("routes of NATS server {server}: {fault:?}"), begin, || {
                    nats.isolate(server, Fault::None);
                });
            }
            // Half of these faults concern one server, the others all.
            _ if self.random.within(0..2) == 0 => {
                let link = cluster.link(relay, server);
                let begin = || {
                    link.set(fault);
                    if fault == Fault::Refuse {
                        link.cut();
                    }
                };
                let name = format!("relay {relay} and NATS server {server}: {fault:?}");
                self.during(&name, begin, || link.set(Fault::None));
            }
            _ => {
                let begin = || {
                    cluster.separate_from_nats(relay, fault);
                    if fault == Fault::Refuse {
                        cluster.cut_from_nats(relay);
                    }
                };
                self.during(&format!("relay {relay} and all of NATS: {fault:?}"), begin, || {
                    cluster.separate_from_nats(relay, Fault::None);
                });
            }
        }
    }

    fn kill_servers(&mut self, nats: &NatsCluster, servers: &[usize]) {
        // A majority keeps what is in memory, if nothing was behind before.
        if 2 * servers.len() > nats.size() || !nats.is_ready() {
            self.recorder.risk_begins();
        }
        self.during_on(servers, "killed", |server| nats.kill(server), |server| nats.restart(server));
    }

    fn stop_servers(&mut self, nats: &NatsCluster, servers: &[usize]) {
        self.during_on(servers, "stopped", |server| nats.stop(server), |server| nats.resume(server));
    }

    /// Begins a fault of each of these servers, lets it last, and ends it.
    pub(super) fn during_on(
        &mut self,
        servers: &[usize],
        fault: &str,
        begin: impl Fn(usize),
        end: impl Fn(usize),
    ) {
        let name = format!("NATS servers {servers:?} {fault}");
        let each = |act: &dyn Fn(usize)| servers.iter().for_each(|server| act(*server));
        self.during(&name, || each(&begin), || each(&end));
    }

    fn renew_server(&self, nats: &NatsCluster, server: usize) {
        if !nats.is_ready() {
            self.recorder.risk_begins();
        }
        nats.shut_down(server);
        nats.restart(server);
        self.await_whole(nats);
    }

    /// Restarts everything, one process at a time, as an operator updates a cluster.
    fn rolling_restart(&self, nats: &NatsCluster) {
        for server in 0..nats.size() {
            self.announce(&format!("rolling restart: NATS server {server}"));
            self.renew_server(nats, server);
        }
        for relay in 0..self.cluster.size() {
            self.announce(&format!("rolling restart: relay {relay}"));
            self.renew_relay(relay);
        }
    }

    /// Waits until every server has everything. Until then, a further fault may cost contents.
    pub(super) fn await_whole(&self, nats: &NatsCluster) {
        if nats.await_ready(WHOLE_TIMEOUT) {
            self.recorder.risk_ends();
        } else {
            self.announce("the NATS servers are not whole again yet");
            self.recorder.risk_begins();
        }
    }

    pub(super) fn leader(&mut self, nats: &NatsCluster) -> Option<usize> {
        let streams = nats.streams();
        nats.leader_of(streams.get(self.random.index(streams.len()))?)
    }
}

pub(super) fn others(nats: &NatsCluster, server: usize) -> Vec<usize> {
    (0..nats.size()).filter(|other| *other != server).collect()
}
