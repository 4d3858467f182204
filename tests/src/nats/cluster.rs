//! A cluster of NATS servers, whose members can be killed, stopped and separated.

use super::{
    Certificates, NatsOptions, NatsUser,
    config::{self, Ports, ServerConfig},
    ports,
    server::Server,
};
use crate::{Fault, FaultProxy, hosts::Host};
use std::{
    fs,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread,
    time::{Duration, Instant},
};

/// The number of attempts to start a cluster. Another process may take one of its ports in between.
const ATTEMPTS: usize = 5;
/// The time that a cluster has to elect the leader of JetStream.
const START_TIMEOUT: Duration = Duration::from_secs(60);
/// The interval of questions to the servers while something is awaited.
pub(super) const POLL: Duration = Duration::from_millis(50);

/// One, three or five NATS servers with JetStream. Dropping the value ends all of them.
pub struct NatsCluster {
    pub(super) members: Vec<Member>,
    links: Vec<Link>,
    options: Mutex<NatsOptions>,
    certificates: Certificates,
    folder: tempfile::TempDir,
}

pub(super) struct Member {
    pub(super) name: String,
    folder: PathBuf,
    address: IpAddr,
    pub(super) ports: Ports,
    routes: Vec<SocketAddr>,
    advertised: u16,
    server: Mutex<Server>,
}

impl Member {
    /// Returns the address of one of the server's ports.
    pub(super) fn at(&self, port: u16) -> SocketAddr {
        (self.address, port).into()
    }
}

/// The proxy through which `from` connects to `to`.
struct Link {
    from: usize,
    to: usize,
    proxy: FaultProxy,
}

impl NatsCluster {
    /// Starts the servers and waits until JetStream has a leader. `servers` is 1, 3 or 5.
    ///
    /// # Panics
    /// If there is no nats-server, or the servers do not start.
    #[must_use]
    pub fn start(servers: usize, options: NatsOptions) -> Self {
        assert!([1, 3, 5].contains(&servers), "a cluster has 1, 3 or 5 servers");
        let mut reason = String::new();
        for _ in 0..ATTEMPTS {
            let cluster = Self::spawn(servers, options.clone());
            if cluster.await_ready(START_TIMEOUT) {
                return cluster;
            }
            reason = cluster.log_tails();
        }
        panic!("the NATS servers do not start:\n{reason}");
    }

    fn spawn(servers: usize, options: NatsOptions) -> Self {
        let folder = tempfile::tempdir().expect("there is a temporary folder");
        let certificates = Certificates::issue(folder.path(), addresses(&options));
        // The last port stays without a listener.
        let numbers = ports::free(3 * servers + 1);
        let ports_of = |index: usize| Ports {
            client: numbers[3 * index],
            monitor: numbers[3 * index + 1],
            route: numbers[3 * index + 2],
        };
        let are_direct = options.direct_routes || !options.hosts.is_empty();
        let address_of = |index: usize| {
            options.hosts.get(index).map_or(IpAddr::from(Ipv4Addr::LOCALHOST), |host| host.address())
        };
        let pairs = (0..servers).flat_map(|from| (0..servers).map(move |to| (from, to)));
        let links: Vec<Link> = pairs
            .filter(|(from, to)| from != to && !are_direct)
            .map(|(from, to)| Link { from, to, proxy: FaultProxy::start(loopback(ports_of(to).route)) })
            .collect();
        let members = (0..servers).map(|index| {
            let name = format!("nats-{index}");
            let folder = folder.path().join(&name);
            fs::create_dir(&folder).expect("the temporary folder takes folders");
            let routes = links.iter().filter(|link| link.from == index);
            let routes = routes.map(|link| link.proxy.address());
            let direct = (0..servers).filter(|to| are_direct && *to != index);
            Member {
                address: address_of(index),
                routes: routes.chain(direct.map(|to| (address_of(to), ports_of(to).route).into())).collect(),
                ports: ports_of(index),
                advertised: numbers[3 * servers],
                server: Server::new(
                    folder.join("nats.conf"),
                    folder.join("log"),
                    options.hosts.get(index).cloned(),
                )
                .into(),
                name,
                folder,
            }
        });
        let cluster =
            Self { members: members.collect(), links, options: options.into(), certificates, folder };
        cluster.write_configs();
        (0..servers).for_each(|index| cluster.server(index).start());
        cluster
    }

    fn write_configs(&self) {
        let options = self.options.lock().unwrap_or_else(PoisonError::into_inner);
        for (index, member) in self.members.iter().enumerate() {
            let Member { name, folder, address, ports, routes, advertised, .. } = member;
            let server = ServerConfig {
                name,
                folder,
                address: *address,
                ports: *ports,
                routes: routes.clone(),
                advertised: *advertised,
            };
            let text = config::text(&server, &options, &self.certificates);
            fs::write(self.server(index).config(), text).expect("the temporary folder takes files");
        }
    }

    fn server(&self, index: usize) -> MutexGuard<'_, Server> {
        self.members[index].server.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the number of servers.
    #[must_use]
    pub fn size(&self) -> usize {
        self.members.len()
    }

    /// Returns the address for clients of a server.
    #[must_use]
    pub fn address(&self, index: usize) -> SocketAddr {
        let member = &self.members[index];
        member.at(member.ports.client)
    }

    /// Returns the address of a server for other servers.
    #[must_use]
    pub fn route_address(&self, index: usize) -> SocketAddr {
        let member = &self.members[index];
        member.at(member.ports.route)
    }

    /// Returns the addresses for clients of all servers, separated by commas, as the setting `broker` takes them.
    #[must_use]
    pub fn urls(&self) -> String {
        let scheme = self.scheme();
        let urls = (0..self.size()).map(|index| format!("{scheme}://{}", self.address(index)));
        urls.collect::<Vec<_>>().join(",")
    }

    /// Returns the scheme of the servers' addresses: `tls` or `nats`.
    #[must_use]
    pub fn scheme(&self) -> &'static str {
        let options = self.options.lock().unwrap_or_else(PoisonError::into_inner);
        if options.tls || options.client_certificates { "tls" } else { "nats" }
    }

    /// Returns the PEM files of the cluster's authority.
    #[must_use]
    pub fn certificates(&self) -> &Certificates {
        &self.certificates
    }

    /// Kills a server. Its messages in memory are gone, its files stay.
    pub fn kill(&self, index: usize) {
        self.server(index).kill();
    }

    /// Starts a server that was killed, on the same ports. [`Self::await_ready`] waits until it takes part.
    pub fn restart(&self, index: usize) {
        self.server(index).start();
    }

    /// Stops a server's process, so that it does nothing and its connections stay open.
    pub fn stop(&self, index: usize) {
        self.server(index).stop();
    }

    /// Lets a stopped server run again.
    pub fn resume(&self, index: usize) {
        self.server(index).signal("CONT");
    }

    /// Ends a server with the signal TERM and waits for its end. It hands its leaderships over first.
    pub fn shut_down(&self, index: usize) {
        self.server(index).signal("TERM");
        let deadline = Instant::now() + Duration::from_secs(10);
        while self.server(index).is_running() && Instant::now() < deadline {
            thread::sleep(POLL);
        }
        self.kill(index);
    }

    /// Returns whether the process of a server exists, be it stopped or not.
    #[must_use]
    pub fn is_running(&self, index: usize) -> bool {
        self.server(index).is_running()
    }

    /// Returns the id of a server's process; `None` if it was killed.
    #[must_use]
    pub fn process_id(&self, index: usize) -> Option<u32> {
        self.server(index).id()
    }

    /// Returns the host of a server; `None` if the servers are on 127.0.0.1.
    #[must_use]
    pub fn host(&self, index: usize) -> Option<Arc<Host>> {
        self.options.lock().unwrap_or_else(PoisonError::into_inner).hosts.get(index).cloned()
    }

    /// Shows a fault on all routes between a server and the others.
    pub fn isolate(&self, index: usize, fault: Fault) {
        self.links_of(index).for_each(|link| link.proxy.set(fault));
    }

    /// Resets all routes between a server and the others, which connect again.
    pub fn cut_routes(&self, index: usize) {
        self.links_of(index).for_each(|link| link.proxy.cut());
    }

    fn links_of(&self, index: usize) -> impl Iterator<Item = &Link> {
        self.links.iter().filter(move |link| link.from == index || link.to == index)
    }

    /// Returns the user with this name.
    #[must_use]
    pub fn user(&self, name: &str) -> Option<NatsUser> {
        let options = self.options.lock().unwrap_or_else(PoisonError::into_inner);
        options.users.iter().find(|user| user.name == name).cloned()
    }

    /// Replaces the users on all running servers without a restart. The servers disconnect clients whose user has another
    /// password now.
    ///
    /// # Panics
    /// If the temporary folder is gone.
    pub fn set_users(&self, users: Vec<NatsUser>) {
        self.options.lock().unwrap_or_else(PoisonError::into_inner).users = users;
        self.write_configs();
        self.reload();
    }

    /// Replaces the authority and all certificates in their files, and lets the running servers read them. Established
    /// connections stay.
    ///
    /// # Panics
    /// If the temporary folder is gone.
    pub fn renew_certificates(&self) {
        let options = self.options.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let _ = Certificates::issue(self.folder.path(), addresses(&options));
        self.reload();
    }

    fn reload(&self) {
        for index in 0..self.size() {
            // A server that does not run reads its files when it starts.
            let _ = self.server(index).signal("HUP");
        }
    }

    /// Returns the last lines of each server's log.
    #[must_use]
    pub fn log_tails(&self) -> String {
        let tail =
            |index: usize| format!("{}:\n{}\n", self.members[index].name, self.server(index).log_tail());
        (0..self.size()).map(tail).collect()
    }
}

/// Returns the addresses of the servers' hosts.
fn addresses(options: &NatsOptions) -> impl Iterator<Item = IpAddr> {
    options.hosts.iter().map(|host| host.address())
}

fn loopback(port: u16) -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, port))
}
