//! Relay processes on one NATS cluster, with a proxy between every two parties that a fault can separate.

mod settings;

use crate::{
    Fault, FaultProxy, Installation, NatsCluster, NatsUser, RelayProcess, hosts::Host, http_get::http_get,
};
use settings::broker_settings;
use std::{
    fmt::Write as _,
    fs::{self, Permissions},
    net::{Ipv4Addr, SocketAddr},
    os::unix::fs::PermissionsExt as _,
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread,
    time::{Duration, Instant},
};

/// The name of the relays' user at NATS.
const USER: &str = "relay";
/// The time that a relay has to end after the signal TERM, beyond its own deadline.
const END_TIMEOUT: Duration = Duration::from_secs(60);

/// The maximum number of lines of a relay's log that a test shows.
const TAIL: usize = 200;

/// One relay with the embedded broker, or several on one NATS cluster. Dropping the value ends all processes.
pub struct RelayCluster {
    relays: Vec<Relay>,
    installations: Vec<Arc<Installation>>,
    password_file: PathBuf,
    nats: Option<NatsCluster>,
    _folder: tempfile::TempDir,
}

struct Relay {
    process: Mutex<Option<RelayProcess>>,
    host: Option<Host>,
    settings: String,
    /// The proxy between clients and the relay.
    door: FaultProxy,
    /// The proxies between the relay and each NATS server.
    links: Vec<FaultProxy>,
}

impl RelayCluster {
    /// Starts one relay with the embedded broker. `settings` are lines of its configuration.
    ///
    /// # Panics
    /// If the relay does not start.
    #[must_use]
    pub fn embedded(installations: Vec<Arc<Installation>>, settings: &str) -> Self {
        Self::start(None, vec![None], installations, settings)
    }

    /// Starts `relays` relays on a NATS cluster, with a replica of each stream on every server. If the cluster has users,
    /// the relays log in as `relay`.
    ///
    /// # Panics
    /// If a relay does not start.
    #[must_use]
    pub fn on(
        nats: NatsCluster,
        relays: usize,
        installations: Vec<Arc<Installation>>,
        settings: &str,
    ) -> Self {
        Self::start(Some(nats), (0..relays).map(|_| None).collect(), installations, settings)
    }

    /// Starts a relay on each of these hosts. The NATS servers have hosts too, and nothing but the network is between them
    /// and the relays.
    ///
    /// # Panics
    /// If a relay does not start.
    #[must_use]
    pub fn on_hosts(
        nats: NatsCluster,
        hosts: Vec<Host>,
        installations: Vec<Arc<Installation>>,
        settings: &str,
    ) -> Self {
        Self::start(Some(nats), hosts.into_iter().map(Some).collect(), installations, settings)
    }

    fn start(
        nats: Option<NatsCluster>,
        hosts: Vec<Option<Host>>,
        installations: Vec<Arc<Installation>>,
        settings: &str,
    ) -> Self {
        let folder = tempfile::tempdir().expect("there is a temporary folder");
        let password_file = folder.path().join("nats-password");
        let user = nats.as_ref().and_then(|nats| nats.user(USER));
        let relays = hosts.into_iter().map(|host| {
            let servers = nats.iter().flat_map(|nats| (0..nats.size()).map(|server| nats.address(server)));
            let mut servers: Vec<_> = servers.collect();
            let mut links = Vec::new();
            if host.is_none() {
                links.extend(servers.into_iter().map(FaultProxy::start));
                servers = links.iter().map(FaultProxy::address).collect();
            }
            let mut settings = settings.to_owned();
            if let Some(nats) = &nats {
                settings += &broker_settings(nats, &servers);
            }
            if user.is_some() {
                let _ =
                    write!(settings, "broker_user = {USER:?}\nbroker_password_file = {password_file:?}\n");
            }
            // The relay's own port is not known before it runs.
            let door = FaultProxy::start(SocketAddr::from((Ipv4Addr::LOCALHOST, 1)));
            Relay { process: None.into(), host, settings, door, links }
        });
        let cluster = Self { relays: relays.collect(), installations, password_file, nats, _folder: folder };
        if let Some(user) = user {
            cluster.write_password(&user.password);
        }
        (0..cluster.size()).for_each(|relay| cluster.restart(relay));
        cluster
    }

    /// Returns the number of relays.
    #[must_use]
    pub fn size(&self) -> usize {
        self.relays.len()
    }

    /// Returns the installations that the relays serve.
    #[must_use]
    pub fn installations(&self) -> &[Arc<Installation>] {
        &self.installations
    }

    /// Returns the NATS cluster; `None` with the embedded broker.
    #[must_use]
    pub fn nats(&self) -> Option<&NatsCluster> {
        self.nats.as_ref()
    }

    /// Returns the port at which clients reach a relay. It stays the same when the relay restarts.
    #[must_use]
    pub fn port(&self, relay: usize) -> u16 {
        self.relays[relay].door.address().port()
    }

    /// Returns the proxy between clients and a relay.
    #[must_use]
    pub fn door(&self, relay: usize) -> &FaultProxy {
        &self.relays[relay].door
    }

    /// Returns the host of a relay; `None` if the relays are on 127.0.0.1.
    #[must_use]
    pub fn host(&self, relay: usize) -> Option<&Host> {
        self.relays[relay].host.as_ref()
    }

    /// Shows a fault between a relay and every NATS server.
    pub fn separate_from_nats(&self, relay: usize, fault: Fault) {
        self.relays[relay].links.iter().for_each(|link| link.set(fault));
    }

    /// Resets the connections between a relay and every NATS server.
    pub fn cut_from_nats(&self, relay: usize) {
        self.relays[relay].links.iter().for_each(FaultProxy::cut);
    }

    /// Returns the proxy between a relay and a NATS server.
    #[must_use]
    pub fn link(&self, relay: usize, server: usize) -> &FaultProxy {
        &self.relays[relay].links[server]
    }

    fn process(&self, relay: usize) -> MutexGuard<'_, Option<RelayProcess>> {
        self.relays[relay].process.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Kills a relay. Clients are refused until it restarts.
    pub fn kill(&self, relay: usize) {
        let process = self.process(relay).take();
        drop(process);
    }

    /// Starts a relay that was killed or drained.
    ///
    /// # Panics
    /// If the relay does not start.
    pub fn restart(&self, relay: usize) {
        let installations: Vec<_> = self.installations.iter().map(AsRef::as_ref).collect();
        let Relay { host, settings, door, .. } = &self.relays[relay];
        let started = match host {
            Some(host) => RelayProcess::start_on(host, &installations, settings),
            None => RelayProcess::start_logged(&installations, settings),
        };
        door.set_target(started.address);
        *self.process(relay) = Some(started);
    }

    /// Stops a relay's process, so that it does nothing and its connections stay open.
    pub fn stop(&self, relay: usize) {
        self.signal(relay, "STOP");
    }

    /// Lets a stopped relay run again.
    pub fn resume(&self, relay: usize) {
        self.signal(relay, "CONT");
    }

    fn signal(&self, relay: usize, name: &str) {
        if let Some(process) = &*self.process(relay)
            && process.end_within(Duration::ZERO).is_none()
        {
            process.signal(name);
        }
    }

    /// Shuts a relay down as an operator does, and waits for its end. Returns false if it does not end in time.
    pub fn drain(&self, relay: usize) -> bool {
        let Some(process) = self.process(relay).take() else { return true };
        process.signal("TERM");
        process.end_within(END_TIMEOUT).is_some()
    }

    /// Returns whether a relay says that it is ready for clients.
    #[must_use]
    pub fn is_ready(&self, relay: usize) -> bool {
        let address = self.process(relay).as_ref().map(|process| process.address);
        let Some(address) = address else { return false };
        http_get(address, "/readyz").is_some_and(|(status, _)| status == 200)
    }

    /// Waits until every relay is ready. Returns false after `timeout`.
    #[must_use]
    pub fn await_ready(&self, timeout: Duration) -> bool {
        let deadline = Instant::now() + timeout;
        while !(0..self.size()).all(|relay| self.is_ready(relay)) {
            if Instant::now() >= deadline {
                return false;
            }
            thread::sleep(Duration::from_millis(50));
        }
        true
    }

    /// Returns the last lines of the log of a relay that ended by itself; `None` while it runs or was ended on purpose.
    #[must_use]
    pub fn ended_by_itself(&self, relay: usize) -> Option<String> {
        let process = self.process(relay);
        let process = process.as_ref()?;
        let status = process.end_within(Duration::ZERO)?;
        Some(format!("{status}\n{}", tail(&process.log())))
    }

    /// Returns the last lines of a relay's log.
    #[must_use]
    pub fn log_tail(&self, relay: usize) -> String {
        self.process(relay).as_ref().map(|process| tail(&process.log())).unwrap_or_default()
    }

    /// Gives the relays' user at NATS another password: first in the file that the relays read at each connect, then at the
    /// servers, which disconnect them.
    pub fn change_password(&self, password: &str) {
        let Some(nats) = &self.nats else { return };
        self.write_password(password);
        nats.set_users(vec![NatsUser::new(USER, password)]);
    }

    /// Replaces the authority between relays and NATS, with all certificates, and makes every relay connect again.
    pub fn renew_certificates(&self) {
        if let Some(nats) = &self.nats {
            nats.renew_certificates();
            (0..self.size()).for_each(|relay| self.cut_from_nats(relay));
        }
    }

    fn write_password(&self, password: &str) {
        let new = self.password_file.with_extension("new");
        fs::write(&new, format!("{password}\n")).expect("the temporary folder takes files");
        fs::set_permissions(&new, Permissions::from_mode(0o600)).expect("the file is ours");
        fs::rename(&new, &self.password_file).expect("the temporary folder takes files");
    }

    /// Ends every fault: all processes run, and nothing is separated.
    ///
    /// # Panics
    /// If a relay does not start.
    pub fn heal(&self) {
        if let Some(nats) = &self.nats {
            for server in 0..nats.size() {
                nats.resume(server);
                nats.restart(server);
                nats.isolate(server, Fault::None);
                if let Some(host) = nats.host(server) {
                    host.heal();
                }
            }
        }
        for (index, relay) in self.relays.iter().enumerate() {
            relay.door.set(Fault::None);
            if let Some(host) = &relay.host {
                host.heal();
            }
            self.separate_from_nats(index, Fault::None);
            self.resume(index);
            let is_gone = self.process(index).is_none();
            if is_gone {
                self.restart(index);
            }
        }
    }
}

fn tail(log: &str) -> String {
    let lines: Vec<_> = log.lines().collect();
    lines[lines.len().saturating_sub(TAIL)..].join("\n")
}
