//! Faults of hosts and of the network between them.

use super::{FaultKind, Injector, servers::others};
use crate::{NatsCluster, hosts::Host};

impl Injector<'_> {
    /// Causes a fault of hosts. Returns false if the kind is another one.
    pub(super) fn strike_hosts(
        &mut self,
        nats: &NatsCluster,
        kind: FaultKind,
        relay: usize,
        server: usize,
    ) -> bool {
        let cluster = self.cluster;
        match kind {
            FaultKind::UnplugServer => self.unplug_servers(nats, &[server]),
            FaultKind::UnplugLeader => {
                let leader = self.leader(nats).unwrap_or(server);
                self.unplug_servers(nats, &[leader]);
            }
            FaultKind::UnplugTwoServers => self.unplug_servers(nats, &others(nats, server)),
            FaultKind::UnplugAllServers => self.unplug_servers(nats, &(0..nats.size()).collect::<Vec<_>>()),
            FaultKind::UnplugRelay => {
                let Some(host) = cluster.host(relay) else { return true };
                let name = format!("relay {relay} unplugged");
                self.during(&name, || host.unplug(), || host.plug());
            }
            FaultKind::SeparateServers => {
                let pair = others(nats, server);
                let hosts: Vec<_> = pair.iter().filter_map(|server| nats.host(*server)).collect();
                let hosts: Vec<&Host> = hosts.iter().map(AsRef::as_ref).collect();
                self.separate(&format!("NATS servers {pair:?} separated from each other"), &hosts);
            }
            FaultKind::SeparateBroker => {
                let (Some(own), Some(other)) = (cluster.host(relay), nats.host(server)) else { return true };
                self.separate(&format!("relay {relay} separated from NATS server {server}"), &[own, &other]);
            }
            _ => return false,
        }
        self.await_whole(nats);
        true
    }

    fn unplug_servers(&mut self, nats: &NatsCluster, servers: &[usize]) {
        let change = |server: usize, change: fn(&Host)| {
            if let Some(host) = nats.host(server) {
                change(&host);
            }
        };
        let (unplug, plug) = (|server| change(server, Host::unplug), |server| change(server, Host::plug));
        self.during_on(servers, "unplugged", unplug, plug);
    }

    fn separate(&mut self, fault: &str, hosts: &[&Host]) {
        let set = |are_separated: bool| hosts.iter().for_each(|host| host.separate(are_separated));
        self.during(fault, || set(true), || set(false));
    }
}
